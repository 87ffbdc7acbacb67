//! Classes that extend a class of PHP code: what they repeat of it, and what is refused.

use std::sync::Arc;

use tortoise_protocol::description::{ClassDescription, Literal, Method, MethodKind, TRAIT_COUNTABLE, TRAIT_ITERABLE};

use super::build::{class, constant, instance, method, opaque, optional, required, variadic};
use super::php;
use super::synthesis::{
    Declaring, MethodShape, Parent, Passing, PhpAncestor, PhpParameter, PhpProperty, PhpSignature, Plan, Shapes,
    interface_method_names, plan, refusal, write_literal,
};

/// The PHP class that the shapes here are of.
pub(super) const PARENT: &str = r#"
    abstract class Parent_ {
        const LIMIT = 3;
        final const FIXED = 1;
        public $template = 'page';
        protected array $_options = [];
        public ?int $size = null;
        protected function before(): void {}
        public function find(int $id, ?string $by = 'name', int $limit = self::LIMIT, &$found = null): ?self { return null; }
        public static function factory($name, self|array $more = []): static { return new static; }
        public function &items(string ...$names): array { static $items = []; return $items; }
        final public function execute() {}
        public function offset(\Countable&\Traversable $of): int { return 0; }
        public function count(): int { return 7; }
        abstract protected function draw(float $scale);
    }
"#;

fn parameter(name: &str, type_: &str) -> PhpParameter {
    let type_ = (!type_.is_empty()).then(|| type_.into());
    PhpParameter { name: name.to_owned(), passing: Passing { type_, by_reference: false }, ..PhpParameter::default() }
}

fn defaulted(name: &str, type_: &str, default: &str) -> PhpParameter {
    PhpParameter { is_optional: true, default: Some(default.to_owned()), ..parameter(name, type_) }
}

fn shape(name: &str, return_type: &str, parameters: Vec<PhpParameter>) -> MethodShape {
    let is_variadic = parameters.last().is_some_and(|last| last.is_variadic);
    MethodShape {
        python_name: name.to_owned(),
        is_php: true,
        required: parameters.iter().take_while(|parameter| !parameter.is_optional).count(),
        parameters: parameters.len() - usize::from(is_variadic),
        is_variadic,
        return_type: (!return_type.is_empty()).then(|| return_type.into()),
        php: Some(Arc::new(PhpSignature { parameters, ..PhpSignature::default() })),
        ..MethodShape::default()
    }
}

fn with_signature(mut shape: MethodShape, change: impl FnOnce(&mut PhpSignature)) -> MethodShape {
    change(Arc::make_mut(shape.php.as_mut().expect("a signature")));
    shape
}

/// The methods and properties of [`PARENT`].
pub(super) fn shapes() -> Shapes {
    let found = PhpParameter { passing: Passing { type_: None, by_reference: true }, ..defaulted("found", "", "null") };
    let names = PhpParameter { is_variadic: true, is_optional: true, ..parameter("names", "string") };
    let mut shapes = Shapes::default();
    for shape in [
        with_signature(shape("before", "void", vec![]), |php| php.is_protected = true),
        shape(
            "find",
            r"?\Parent_",
            vec![
                parameter("id", "int"),
                defaulted("by", "?string", "'name'"),
                defaulted("limit", "int", r"\Parent_::LIMIT"),
                found,
            ],
        ),
        MethodShape {
            is_static: true,
            ..shape("factory", "static", vec![parameter("name", ""), defaulted("more", r"\Parent_|array", "[]")])
        },
        with_signature(shape("items", "array", vec![names]), |php| php.returns_reference = true),
        MethodShape { is_final: true, ..shape("execute", "", vec![]) },
        shape("offset", "int", vec![parameter("of", r"\Countable&\Traversable")]),
        shape("count", "int", vec![]),
        MethodShape {
            is_abstract: true,
            ..with_signature(shape("draw", "", vec![parameter("scale", "float")]), |php| php.is_protected = true)
        },
    ] {
        shapes.insert(&shape.python_name.to_ascii_lowercase(), shape);
    }
    let property = |name: &str, is_protected, type_: Option<&str>| PhpProperty {
        name: name.to_owned(),
        is_protected,
        type_: type_.map(Into::into),
    };
    shapes.php = Some(Arc::new(PhpAncestor {
        name: "Parent_".to_owned(),
        properties: vec![
            property("template", false, None),
            property("_options", true, Some("array")),
            property("size", false, Some("?int")),
        ],
        fixed_constants: vec!["FIXED".to_owned()],
        ..PhpAncestor::default()
    }));
    shapes
}

fn describe(methods: impl Into<Vec<Method>>) -> ClassDescription {
    let mut description = class("Foo");
    description.methods = methods.into();
    description
}

fn below(description: &ClassDescription, shapes: &Shapes) -> Plan {
    assert_eq!(refusal(description, shapes), None);
    plan(description, &description.name, &Parent { name: "Parent_", shapes })
}

/// The members that a source declares, in their order. All are compiled by a real PHP.
fn members(description: &ClassDescription) -> Vec<String> {
    let plan = below(description, &shapes());
    compile(&[&plan]);
    let (_, body) = plan.source.split_once("{ ").expect("a body");
    let body = body.strip_suffix(" }").expect("an end");
    body.split(" } ").map(|member| member.split_once(" { ").map_or(member, |(head, _)| head).to_owned()).collect()
}

/// Has PHP compile the classes, and gives what `show` prints of the last.
fn compile_and_show(plans: &[&Plan], show: &str) -> String {
    let parent: String = PARENT.split_whitespace().collect::<Vec<_>>().join(" ");
    let sources: Vec<String> = plans.iter().map(|plan| plan.source.clone()).collect();
    let main = format!("{parent} function main() {{ foreach (compile_all() as $class) {{ }} {show} }}");
    php::run(&main, &sources).unwrap_or_else(|refused| panic!("{refused}"))
}

fn compile(plans: &[&Plan]) {
    compile_and_show(plans, "");
}

#[test]
fn an_override_repeats_the_signature() {
    let description = describe([
        instance("before", []),
        instance(
            "find",
            [required("key"), required("by_what"), optional("limit", Literal::Integer(9)), opaque("result")],
        ),
        method("factory", MethodKind::Class, [required("what")]),
        instance("items", [variadic("names")]),
        instance("offset", [required("of")]),
        instance("draw", [required("scale"), optional("color", Literal::Text(b"red".to_vec()))]),
        instance("fresh", [required("x")]),
    ]);
    assert_eq!(
        members(&description),
        [
            r"protected function before(): void",
            r"public function find(int $id, ?string $by = 'name', int $limit = 9, &$found = null): ?\Parent_",
            r"public static function factory($name, \Parent_|array $more = []): static",
            r"public function &items(string ...$names): array",
            r"public function offset(\Countable&\Traversable $of): int",
            r"#[\ReturnTypeWillChange] protected function draw(float $scale, $color = 'red')",
            r"public function fresh($x)",
        ]
    );
}

#[test]
fn what_php_asks_for_python_gets_by_its_own_names() {
    let plan = below(&describe([instance("find", [required("key"), required("by_what")])]), &shapes());
    let find = &plan.methods[0];
    let names: Vec<_> = find.parameters.iter().map(|p| (p.php_name.as_str(), p.python_name.as_str())).collect();
    assert_eq!(names, [("id", "key"), ("by", "by_what"), ("limit", "limit"), ("found", "found")]);
    assert_eq!(find.always_passed, 2, "PHP's default of $by is what Python gets");
    assert_eq!(find.required, 1);
    assert!(
        plan.source.starts_with("abstract class Foo extends \\Parent_ implements \\Tortoise\\Remote {"),
        "{}",
        plan.source
    );
}

#[test]
fn a_default_of_pythons_own_that_php_cannot_write_is_left_to_python() {
    let description = describe([
        // A float is no int, but PHP has a default of its own to show.
        instance("find", [required("id"), optional("by", Literal::Float(0.5)), opaque("limit")]),
        // PHP's parameter has none, so its type has to go.
        instance("draw", [optional("scale", Literal::Text(b"x".to_vec()))]),
        instance("offset", [optional("of", Literal::Null)]),
    ]);
    assert_eq!(
        members(&description),
        [
            r"public function find(int $id, ?string $by = 'name', int $limit = \Parent_::LIMIT, &$found = null): ?\Parent_",
            r"#[\ReturnTypeWillChange] protected function draw($scale = \Tortoise\LEFT_OUT)",
            r"public function offset($of = \Tortoise\LEFT_OUT): int",
        ]
    );
}

#[test]
fn names_that_meet_stay_apart() {
    let description = describe([
        instance("draw", [required("size"), required("scale"), variadic("scale_")]),
        instance("factory_", [variadic("name")]),
    ]);
    assert_eq!(
        members(&description)[0],
        r"#[\ReturnTypeWillChange] protected function draw(float $scale, $scale_ = \Tortoise\LEFT_OUT, ...$scale__)"
    );
}

#[test]
fn a_child_of_such_a_class_repeats_it_too() {
    let first =
        below(&describe([instance("draw", [required("scale"), opaque("color")]), instance("before", [])]), &shapes());
    let mut description = describe([instance("draw", [required("scale")]), instance("before", [])]);
    description.name = "Bar".to_owned();
    let second = plan(&description, "Bar", &Parent { name: "Foo", shapes: &first.shapes });
    assert_eq!(
        second.source,
        "class Bar extends \\Foo implements \\Tortoise\\Remote { #[\\ReturnTypeWillChange] protected function draw(float $scale, \
         ...$arguments) { return \\Tortoise\\Bridge\\method(); } protected function before(): void { \
         \\Tortoise\\Bridge\\method(); } }"
    );
    compile(&[&first, &second]);
}

#[test]
fn constructors_differ_unless_the_parents_is_abstract() {
    let constructor = || describe([method("__construct", MethodKind::Constructor, [required("a")])]);
    let parameters = || vec![parameter("x", "int"), parameter("y", "int")];
    let mut free = Shapes::default();
    free.php = Some(Arc::default());
    let mut bound = free.clone();
    free.insert(
        "__construct",
        with_signature(shape("__construct", "", parameters()), |php| (php.is_free, php.is_protected) = (true, true)),
    );
    bound.insert("__construct", MethodShape { is_abstract: true, ..shape("__construct", "", parameters()) });
    let source = |shapes: &Shapes| below(&constructor(), shapes).source;
    assert!(source(&free).ends_with(r"{ protected function __construct($a) { \Tortoise\Bridge\construct(); } }"));
    assert!(
        source(&bound).ends_with(r"{ public function __construct(int $x, int $y) { \Tortoise\Bridge\construct(); } }")
    );
}

#[test]
fn properties_get_pythons_defaults() {
    let mut description = describe([instance("draw", [required("scale")])]);
    description.properties = vec![
        constant("template", Literal::Text(b"a'b".to_vec())),
        constant(
            "_options",
            Literal::Map(vec![(Literal::Text(b"id".to_vec()), Literal::List(vec![Literal::Integer(1)]))]),
        ),
        constant("size", Literal::Integer(5)),
        constant("size", Literal::Integer(6)),
        constant("elsewhere", Literal::Null),
    ];
    description.constants = vec![constant("LIMIT", Literal::Integer(4)), constant("FIXED", Literal::Integer(4))];
    let plan = below(&description, &shapes());
    assert_eq!(plan.report.undeclared, 1, "a final constant");
    let shown = compile_and_show(
        &[&plan],
        r#"foreach ((new ReflectionClass("Foo"))->getProperties() as $property) {
            echo implode(" ", Reflection::getModifierNames($property->getModifiers())), " ", $property->getType(), " ",
                $property->getName(), " = ", json_encode($property->getDefaultValue()), "; ";
        }
        echo Foo::LIMIT, Foo::FIXED;"#,
    );
    assert_eq!(shown, r#"public  template = "a'b"; protected array _options = {"id":[1]}; public ?int size = 5; 41"#);
}

#[test]
fn pythons_protocol_overrides_phps_method_of_the_interface() {
    let mut description = describe([instance("draw", [required("scale")])]);
    description.traits = TRAIT_COUNTABLE | TRAIT_ITERABLE;
    let mut shapes = shapes();
    let plan = below(&description, &shapes);
    compile(&[&plan]);
    assert!(
        plan.source.contains("implements \\Tortoise\\Remote, \\Countable, \\IteratorAggregate {"),
        "{}",
        plan.source
    );
    assert!(
        plan.source.contains("public function count(): int { return \\Tortoise\\Bridge\\protocol(); }"),
        "{}",
        plan.source
    );
    shapes.php = Some(Arc::new(PhpAncestor { is_iterator: true, ..PhpAncestor::default() }));
    assert!(!below(&description, &shapes).source.contains("IteratorAggregate"), "PHP has one way to iterate");
}

#[test]
fn what_php_would_refuse_is_refused_with_a_reason() {
    let refused = |methods: Vec<Method>| refusal(&describe(methods), &shapes()).expect("a reason");
    assert_eq!(
        refused(vec![instance("execute", [])]),
        "module.Class.execute cannot override Parent_::execute(), which is final; give it another name"
    );
    assert_eq!(
        refused(vec![instance("factory", [])]),
        "module.Class.factory cannot override Parent_::factory(), which is static; make it a @classmethod or @staticmethod"
    );
    assert_eq!(
        refused(vec![method("find", MethodKind::Static, [])]),
        "module.Class.find cannot override Parent_::find(), which is not static; take its decorator away"
    );
    let mut description = describe([]);
    description.properties = vec![constant("size", Literal::Text(b"large".to_vec()))];
    assert_eq!(
        refusal(&description, &shapes()).as_deref(),
        Some(
            "module.Class.size cannot be the default of Parent_::$size, which is of type ?int; give it a value of that type"
        )
    );
    assert_eq!(refusal(&describe([instance("EXECUTE", [])]), &shapes()), None, "another name in Python");
    assert_eq!(refusal(&describe([instance("execute", [])]), &Shapes::default()), None);
}

#[test]
fn a_readonly_parent_has_readonly_children() {
    let mut shapes = Shapes::default();
    shapes.php = Some(Arc::new(PhpAncestor { is_readonly: true, ..PhpAncestor::default() }));
    let source = below(&describe([]), &shapes).source;
    assert_eq!(source, r"readonly class Foo extends \Parent_ implements \Tortoise\Remote { }");
}

#[test]
fn types_are_full_names() {
    let names = Declaring { class: r"Ns\Own", parent: Some("Base") };
    for (shown, full) in [
        ("?self", r"?\Ns\Own"),
        ("parent|static|null", r"\Base|static|null"),
        (r"(Ns\Dep&Countable)|null", r"(\Ns\Dep&\Countable)|null"),
        ("Traversable|array", r"\Traversable|array"),
        ("int", "int"),
    ] {
        assert_eq!(names.full_type(shown), full);
    }
}

#[test]
fn expressions_mean_the_same_elsewhere() {
    let names = Declaring { class: r"Ns\Own", parent: Some("Base") };
    let full = |exported: &str| names.full_expression(exported, |name| name == r"Ns\LOCAL");
    for (exported, expected) in [
        ("self::C + 1", r"\Ns\Own::C + 1"),
        ("parent::C", r"\Base::C"),
        (r"\Ns\Suit::H", r"\Ns\Suit::H"),
        (r"Ns\LOCAL | Ns\M_PI", r"\Ns\LOCAL | \M_PI"),
        ("PHP_INT_MAX", r"\PHP_INT_MAX"),
        (r"new \Ns\Dep(3, name: self::C)", r"new \Ns\Dep(3, name: \Ns\Own::C)"),
        (r"[self::C, 'self::C \' x' => 1.0E+25, null]", r"[\Ns\Own::C, 'self::C \' x' => 1.0E+25, null]"),
        ("self::A ? true : __CLASS__", r"\Ns\Own::A ? true : \Ns\Own::class"),
        (r"\Ns\Suit::H->value", r"\Ns\Suit::H->value"),
    ] {
        assert_eq!(full(exported).as_deref(), Some(expected));
    }
    for unwritable in ["'a\nb'", "static function () { }", "strlen('a')"] {
        assert_eq!(full(unwritable), None, "{unwritable}");
    }
}

#[test]
fn what_reads_php_has_what_it_needs() {
    assert!(interface_method_names().any(|name| name == "getIterator"));
    let mut source = String::new();
    write_literal(&mut source, &Literal::Integer(1));
    assert_eq!(source, "1");
}
