//! Methods: how their parameters are declared, and what an override does.

use tortoise_protocol::description::{DefaultValue, Literal, Method, MethodKind, ParameterKind};

use super::build::{class, instance, keyword_only, method, opaque, optional, parameter, required, variadic};
use super::synthesis::{MethodShape, Parent, Plan, Report, plan, root_shapes_of_object};
use super::{plan_exception, plan_object};

/// A class of these methods under `Tortoise\PyObject`.
fn of(methods: impl Into<Vec<Method>>) -> Plan {
    plan_object(&with(methods))
}

fn with(methods: impl Into<Vec<Method>>) -> tortoise_protocol::description::ClassDescription {
    let mut description = class("Foo");
    description.methods = methods.into();
    description
}

/// A child of a class.
fn under(parent: &Plan, methods: impl Into<Vec<Method>>) -> Plan {
    plan(&with(methods), "Foo", &Parent { name: "Parent_", shapes: &parent.shapes })
}

/// The signatures that a source declares, in their order.
fn signatures(plan: &Plan) -> Vec<&str> {
    let methods = plan.source.split(" public ").skip(1);
    methods.map(|method| method.split_once(" {").expect("a body").0).collect()
}

/// What the first method of a plan misses, given so many arguments and these named ones.
fn missing<'a>(plan: &'a Plan, arguments: usize, named: &[&str]) -> Vec<&'a str> {
    plan.methods[0].missing(|position| position < arguments, |name| named.contains(&name))
}

#[test]
fn parameters_stand_in_pythons_order() {
    let positional_only = parameter("a", ParameterKind::PositionalOnly, DefaultValue::Required);
    let plan = of([instance("f", [positional_only, required("b"), opaque("c"), optional("d", Literal::Null)])]);
    assert_eq!(signatures(&plan), [r"function f($a, $b, $c = \Tortoise\LEFT_OUT, $d = null)"]);
    let declared = &plan.methods[0].parameters;
    assert!(declared[0].is_positional_only && !declared[1].is_positional_only);
    assert_eq!(
        declared.iter().map(|parameter| parameter.shown_value()).collect::<Vec<_>>(),
        [None, None, None, Some(&Literal::Null)]
    );
    assert_eq!(plan.methods[0].required, 2);
}

#[test]
fn a_tuple_is_no_default_that_php_can_write() {
    let plan = of([instance("f", [optional("a", Literal::List(vec![]))])]);
    assert_eq!(signatures(&plan), [r"function f($a = \Tortoise\LEFT_OUT)"]);
}

#[test]
fn whatever_php_has_no_parameters_for_is_one_variadic() {
    let keywords = || parameter("kwargs", ParameterKind::VariadicKeyword, DefaultValue::Required);
    let named = || keyword_only("arguments", DefaultValue::Opaque);
    let plan = of([
        instance("a", [required("x"), variadic("args"), keywords()]),
        instance("b", [named(), keywords()]),
        instance("c", [required("arguments_"), named()]),
        instance("d", [variadic("this")]),
        Method { parameters: None, ..instance("e", []) },
    ]);
    assert_eq!(
        signatures(&plan),
        [
            "function a($x, ...$args)",
            "function b(...$kwargs)",
            "function c($arguments_, ...$arguments__)",
            "function d(...$this_)",
            "function e(...$arguments)",
        ]
    );
}

#[test]
fn keyword_only_parameters_stand_in_the_docblock() {
    let mut method =
        instance("f", [keyword_only("a", DefaultValue::Opaque), keyword_only("b", DefaultValue::Required)]);
    let tags =
        " * @param mixed $a keyword-only: passed by name\n * @param mixed $b required, keyword-only: passed by name\n";
    assert_eq!(of([method.clone()]).methods[0].documentation.as_deref(), Some(&*format!("/**\n{tags} */")));
    method.documentation = Some("Does it.".to_owned());
    let plan = of([method]);
    assert_eq!(plan.methods[0].documentation.as_deref(), Some(&*format!("/**\n * Does it.\n *\n{tags} */")));
}

#[test]
fn names_that_php_refuses_for_parameters_get_an_underscore() {
    let plan = of([instance("f", [required("this"), required("this_"), required("This"), required("_GET")])]);
    assert_eq!(signatures(&plan), ["function f($this__, $this_, $This, $_GET_)"]);
    assert_eq!(plan.methods[0].parameters[0].python_name, "this");
    assert_eq!(plan.report.renamed, 2);
}

#[test]
fn a_signature_that_python_cannot_have_takes_anything() {
    let plan = of([instance("f", [required("a"), required("a")])]);
    assert_eq!(signatures(&plan), ["function f(...$arguments)"]);
}

#[test]
fn no_required_parameter_stands_behind_an_optional_one() {
    let plan = of([instance("f", [opaque("a"), required("b")])]);
    assert_eq!(signatures(&plan), [r"function f($a = \Tortoise\LEFT_OUT, $b = \Tortoise\LEFT_OUT)"]);
    assert_eq!(missing(&plan, 1, &[]), ["b"]);
}

#[test]
fn missing_arguments_are_named_as_php_code_writes_them() {
    let plan = of([instance(
        "f",
        [
            required("this"),
            opaque("a"),
            keyword_only("b", DefaultValue::Required),
            keyword_only("c", DefaultValue::Opaque),
        ],
    )]);
    assert_eq!(missing(&plan, 0, &[]), ["this_", "b"]);
    assert_eq!(missing(&plan, 1, &["c"]), ["b"]);
    assert!(missing(&plan, 2, &["b"]).is_empty());
    assert!(missing(&of([Method { parameters: None, ..instance("f", []) }]), 0, &[]).is_empty());
}

#[test]
fn an_override_takes_whatever_its_parent_takes() {
    let parent = of([
        instance("fewer", [required("a"), required("b")]),
        instance("more", [required("a")]),
        instance("any", [variadic("args")]),
        instance("same", [required("a"), opaque("b")]),
    ]);
    let child = under(
        &parent,
        [
            instance("fewer", [required("a")]),
            instance("more", [required("b"), required("c")]),
            instance("any", [required("arguments")]),
            instance("same", [required("x"), optional("y", Literal::Null), opaque("z")]),
        ],
    );
    assert_eq!(
        signatures(&child),
        [
            "function fewer($a, ...$arguments)",
            r"function more($b, $c = \Tortoise\LEFT_OUT)",
            r"function any($arguments = \Tortoise\LEFT_OUT, ...$arguments_)",
            r"function same($x, $y = null, $z = \Tortoise\LEFT_OUT)",
        ]
    );
    assert_eq!(child.report, Report { widened: 3, ..Report::default() });
    assert_eq!(child.methods[1].missing(|position| position < 1, |_| false), ["c"], "Python still asks for it");
    // A grandchild has to match what the child came to take.
    let grandchild = under(&child, [instance("fewer", [required("a")]), instance("more", [required("a")])]);
    assert_eq!(signatures(&grandchild), ["function fewer($a, ...$arguments)", "function more($a, ...$arguments)"]);
}

#[test]
fn a_constructor_may_differ_from_its_parents() {
    let parent = of([method("__construct", MethodKind::Constructor, [required("a")])]);
    let child = under(&parent, [method("__construct", MethodKind::Constructor, [required("b"), required("c")])]);
    assert_eq!(signatures(&child), ["function __construct($b, $c)"]);
    assert_eq!(child.report, Report::default());
}

fn undeclared(plan: &Plan) -> Vec<&str> {
    plan.undeclared.iter().map(|method| method.name.as_str()).collect()
}

#[test]
fn of_names_equal_but_for_case_the_first_is_declared() {
    let plan = of([instance("Get", []), instance("get", [required("a")]), instance("GET", [])]);
    assert_eq!(signatures(&plan), ["function Get()"]);
    assert_eq!(undeclared(&plan), ["get", "GET"]);
    let child = under(&plan, [instance("get", []), instance("Get", [])]);
    assert_eq!(signatures(&child), ["function Get()"]);
    assert_eq!(undeclared(&child), ["get"]);
    assert_eq!(child.report.undeclared, 1);
}

#[test]
fn an_override_that_is_bound_otherwise_stays_undeclared() {
    let parent = of([instance("a", []), method("b", MethodKind::Static, [])]);
    let child = under(&parent, [method("a", MethodKind::Class, []), instance("b", [])]);
    assert_eq!(child.source, r"class Foo extends \Parent_ { }");
    assert_eq!(undeclared(&child), ["a", "b"]);
    assert_eq!([true, false], [0, 1].map(|at| child.undeclared[at].is_static));
    assert!(!child.shapes.get("a").unwrap().is_static, "PHP still has the parent's");
}

#[test]
fn a_name_that_is_final_in_php_gets_an_underscore() {
    let plan = plan_exception(&with([
        instance("getCode", [required("a")]),
        instance("getLine_", []),
        instance("getLine", []),
    ]));
    assert_eq!(signatures(&plan), ["function getCode_($a)", "function getLine_()", "function getLine__()"]);
    assert_eq!(plan.methods[0].python_name, "getCode");
    assert_eq!(plan.report.renamed, 2);
    // The names that the parent found are the child's, too.
    let child = under(&plan, [instance("getLine", []), instance("getCode", []), instance("getcode", [])]);
    assert_eq!(
        signatures(&child),
        ["function getLine__()", "function getCode_(...$arguments)", "function getcode__()"]
    );
}

#[test]
fn php_gives_no_meaning_of_its_own_to_a_method_of_python() {
    let plan = of(["__get", "__call", "__destruct", "__halt_compiler", "__construct"].map(|name| instance(name, [])));
    assert_eq!(plan.source, r"class Foo extends \Tortoise\PyObject { }");
    assert!(plan.undeclared.is_empty());
}

#[test]
fn the_types_of_a_php_parent_are_repeated() {
    let mut shapes = root_shapes_of_object();
    for (name, return_type) in [("count", "int"), ("clear", "void"), ("stop", "never")] {
        let shape = MethodShape {
            python_name: name.to_owned(),
            is_static: false,
            is_final: false,
            required: 0,
            parameters: 0,
            is_variadic: false,
            return_type: Some(return_type.into()),
            protocol: None,
            ..MethodShape::default()
        };
        shapes.insert(name, shape);
    }
    let description = with(["count", "clear", "stop"].map(|name| instance(name, [])));
    let plan = plan(&description, "Foo", &Parent { name: "Native", shapes: &shapes });
    assert_eq!(
        plan.source,
        r"class Foo extends \Native { public function count(): int { return \Tortoise\Bridge\method(); } public function clear(): void { \Tortoise\Bridge\method(); } }"
    );
    assert_eq!(undeclared(&plan), ["stop"]);
}
