//! Whatever a description says, PHP compiles what comes of it, and declares exactly what the plan says.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tortoise_protocol::description::{
    ClassDescription, DefaultValue, Literal, Method, MethodKind, Parameter, ParameterKind,
};

use super::build::{class, constant};
use super::synthesis::{
    DeclaredMethod, MethodShape, Parent, Plan, Report, Shapes, plan, refusal, root_shapes_of_exception,
    root_shapes_of_object,
};
use super::{php, php_parents};

/// Names that mean something to PHP, to its exceptions, to the prelude's `Native` or to the synthesis itself.
const NAMES: &[&str] = &[
    "this",
    "This",
    "THIS",
    "this_",
    "this__",
    "GLOBALS",
    "_GET",
    "_SESSION",
    "_SESSION_",
    "_SERVER",
    "argv",
    "_",
    "arguments",
    "arguments_",
    "args",
    "class",
    "Class",
    "list",
    "array",
    "fn",
    "match",
    "echo",
    "exit",
    "self",
    "parent",
    "static",
    "abstract",
    "function",
    "namespace",
    "yield",
    "null",
    "TRUE",
    "int",
    "mixed",
    "never",
    "readonly",
    "enum",
    "__halt_compiler",
    "__HALT_COMPILER",
    "__CLASS__",
    "__get",
    "__call",
    "__callStatic",
    "__construct",
    "__destruct",
    "__clone",
    "__toString",
    "__wakeup",
    "__invoke",
    "__set_state",
    "getMessage",
    "GETMESSAGE",
    "getmessage",
    "getMessage_",
    "getMessage__",
    "getCode",
    "getCode_",
    "getTraceAsString",
    "getPythonException",
    "two",
    "Two",
    "many",
    "make",
    "fixed",
    "fixed_",
    "settled",
    "count",
    "Count",
    "offsetGet",
    "offsetSet",
    "offsetset",
    "getIterator",
    "getiterator",
    "jsonSerialize",
    "nothing",
    "stop",
    "fluent",
    "before",
    "find",
    "factory",
    "items",
    "execute",
    "offset",
    "draw",
    "scale",
    "names",
    "found",
    "größe",
    "Größe",
    "名前",
];

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(NAMES).prop_map(str::to_owned),
        // Few letters, so that the names of a class and its parents meet.
        6 => "[abcdA]_?",
        1 => "[a-zA-Z_\u{80}-\u{ff}][a-zA-Z0-9_\u{80}-\u{ff}]{0,8}",
    ]
}

fn any_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<i64>().prop_map(Literal::Integer),
        any::<f64>().prop_map(Literal::Float),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(Literal::Text),
        Just(Literal::List(vec![Literal::Boolean(true)])),
    ]
}

fn any_default() -> impl Strategy<Value = DefaultValue> {
    prop_oneof![
        2 => Just(DefaultValue::Required),
        1 => Just(DefaultValue::Opaque),
        1 => any_literal().prop_map(DefaultValue::Literal),
    ]
}

/// Kinds and defaults come in any order, also in those that Python refuses.
fn any_parameter() -> impl Strategy<Value = Parameter> {
    use ParameterKind::{KeywordOnly, PositionalOnly, PositionalOrKeyword, VariadicKeyword, VariadicPositional};
    let kind = prop_oneof![
        2 => Just(PositionalOnly),
        6 => Just(PositionalOrKeyword),
        1 => Just(VariadicPositional),
        1 => Just(KeywordOnly),
        1 => Just(VariadicKeyword),
    ];
    (any_name(), kind, any_default()).prop_map(|(name, kind, default)| Parameter { name, kind, default })
}

fn any_method() -> impl Strategy<Value = Method> {
    use MethodKind::{Class, Constructor, Instance, Static};
    let kind = prop_oneof![5 => Just(Instance), 1 => Just(Static), 1 => Just(Class), 1 => Just(Constructor)];
    let parameters = prop::option::weighted(0.9, prop::collection::vec(any_parameter(), 0..5));
    let documentation = prop::option::of(r"[a-z@*/\\ \n\r\x00?>]{0,20}");
    (any_name(), kind, parameters, documentation).prop_map(|(name, kind, parameters, documentation)| Method {
        name,
        kind,
        parameters,
        documentation,
        line: 0,
    })
}

fn any_class() -> impl Strategy<Value = ClassDescription> {
    let constants = prop::collection::vec((any_name(), any_literal()), 0..4);
    let methods = prop::collection::vec(any_method(), 0..16);
    let namespace = prop::option::of(prop::sample::select(&["App", "list\\class", "a\\namespace\\fn", "größe"][..]));
    let property = prop::sample::select(&["template", "_options", "size", "other"][..]);
    let properties = prop::collection::vec((property, any_literal()), 0..3);
    let traits = prop_oneof![Just(0), (0_u64..256)];
    (namespace, constants, methods, traits, properties, prop::option::of(r"[a-z*/ \n]{0,20}")).prop_map(
        |(namespace, constants, methods, traits, properties, documentation)| {
            let mut description = class(&namespace.map_or_else(String::new, |namespace| format!("{namespace}\\")));
            description.constants = constants.iter().map(|(name, value)| constant(name, value.clone())).collect();
            description.properties = properties.iter().map(|(name, value)| constant(name, value.clone())).collect();
            description.methods = methods;
            description.traits = traits;
            description.documentation = documentation;
            description
        },
    )
}

/// The methods of the prelude's `Tortoise\Native`.
fn native_shapes() -> Shapes {
    let shape = |name: &str, required, parameters| MethodShape {
        python_name: name.to_owned(),
        is_static: false,
        is_final: false,
        required,
        parameters,
        is_variadic: false,
        return_type: None,
        protocol: None,
        ..MethodShape::default()
    };
    let typed = |name, parameters, return_type: &str| MethodShape {
        return_type: Some(return_type.into()),
        ..shape(name, parameters, parameters)
    };
    let mut shapes = Shapes::default();
    for shape in [
        shape("two", 2, 2),
        MethodShape { is_variadic: true, ..shape("many", 0, 1) },
        MethodShape { is_static: true, ..shape("make", 1, 1) },
        MethodShape { is_final: true, ..shape("fixed", 0, 0) },
        MethodShape { is_final: true, is_static: true, ..shape("settled", 0, 0) },
        typed("count", 0, "int"),
        typed("nothing", 1, "void"),
        typed("stop", 0, "never"),
        typed("fluent", 0, "static"),
    ] {
        shapes.insert(&shape.python_name.clone(), shape);
    }
    shapes
}

/// Plans classes, each under one of the roots or a class before it. Those that are refused are left out.
fn plan_all(classes: Vec<(ClassDescription, prop::sample::Index)>) -> Vec<Plan> {
    let mut parents = vec![
        ("Tortoise\\PyObject".to_owned(), root_shapes_of_object()),
        ("Tortoise\\PythonException".to_owned(), root_shapes_of_exception()),
        ("Tortoise\\Native".to_owned(), native_shapes()),
        ("Parent_".to_owned(), php_parents::shapes()),
    ];
    let mut plans = Vec::new();
    for (mut description, parent) in classes {
        description.name.push_str(&format!("Class{}", plans.len()));
        let (name, shapes) = parent.get(&parents);
        if refusal(&description, shapes).is_some() {
            continue;
        }
        let plan = plan(&description, &description.name, &Parent { name, shapes });
        parents.push((description.name, plan.shapes.clone()));
        plans.push(plan);
    }
    plans
}

/// What PHP's reflection has to print of a method.
fn reflected(method: &DeclaredMethod) -> String {
    let mut line = format!("{} {} {}", method.php_name, method.is_static(), method.required);
    for parameter in &method.parameters {
        write!(line, " {}", parameter.php_name).expect("a String takes everything");
    }
    if let Some(name) = &method.variadic {
        write!(line, " ...{name}").expect("a String takes everything");
    }
    line + "\n"
}

const REFLECT: &str = r"
    function main() {
        foreach (compile_all() as $class) {
            foreach ((new ReflectionClass($class))->getMethods() as $method) {
                if ($method->class !== $class) {
                    continue;
                }
                echo $method->name, ' ', show($method->isStatic()), ' ', $method->getNumberOfRequiredParameters();
                foreach ($method->getParameters() as $parameter) {
                    echo $parameter->isVariadic() ? ' ...' : ' ', $parameter->name;
                }
                echo PHP_EOL;
            }
        }
    }";

fn is_safe_docblock(text: &str) -> bool {
    text.starts_with("/**\n") && text.ends_with("\n */") && text.matches("*/").count() == 1 && !text.contains('\0')
}

#[test]
fn php_compiles_every_class_and_declares_what_the_plan_says() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) };
    let classes = prop::collection::vec((any_class(), any::<prop::sample::Index>()), 1..24);
    let tried = std::cell::Cell::new((0, 0, Report::default()));
    let result = TestRunner::new(config).run(&classes, |classes| {
        let plans = plan_all(classes);
        let sources: Vec<_> = plans.iter().map(|plan| plan.source.clone()).collect();
        let expected: String = plans.iter().flat_map(|plan| &plan.methods).map(reflected).collect();
        prop_assert_eq!(
            php::run(&format!("{}{REFLECT}", php_parents::PARENT), &sources).map_err(TestCaseError::fail)?,
            expected
        );
        let (mut count, mut below_php, mut sum) = tried.get();
        for plan in &plans {
            let methods = plan.methods.iter().map(|method| &method.documentation);
            prop_assert!(methods.chain([&plan.documentation]).flatten().all(|text| is_safe_docblock(text)));
            count += 1;
            below_php += usize::from(plan.methods.iter().any(|method| method.php.is_some()));
            sum.widened += plan.report.widened;
            sum.renamed += plan.report.renamed;
            sum.undeclared += plan.report.undeclared;
        }
        tried.set((count, below_php, sum));
        Ok(())
    });
    let (count, below_php, Report { widened, renamed, undeclared, .. }) = tried.get();
    println!(
        "PHP compiled {count} classes, {below_php} with overrides of PHP's methods: {widened} methods widened, {renamed} names changed, {undeclared} undeclared"
    );
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(
        [count, widened, renamed, undeclared].iter().all(|&seen| seen > 50) && below_php > 2,
        "the descriptions were too tame"
    );
}
