//! From class descriptions to PHP source: literal sources, and a real PHP that compiles hostile ones.

#[path = "../src/synthesis.rs"]
mod synthesis;

#[path = "synthesis/build.rs"]
mod build;
#[path = "synthesis/hostile.rs"]
mod hostile;
#[path = "synthesis/interfaces.rs"]
mod interfaces;
#[path = "synthesis/literals.rs"]
mod literals;
#[path = "synthesis/methods.rs"]
mod methods;
#[path = "synthesis/php.rs"]
mod php;

use build::{class, constant, instance, optional, required};
use synthesis::{Parent, Plan, plan, root_shapes_of_exception, root_shapes_of_object};
use tortoise_protocol::description::{Base, ClassDescription, Literal, MethodKind, TRAIT_EXCEPTION};

/// Plans a child of `Tortoise\PyObject`.
fn plan_object(description: &ClassDescription) -> Plan {
    let shapes = root_shapes_of_object();
    plan(description, &description.name, &Parent { name: "Tortoise\\PyObject", shapes: &shapes })
}

/// Plans a child of `Tortoise\PythonException`.
fn plan_exception(description: &ClassDescription) -> Plan {
    let shapes = root_shapes_of_exception();
    plan(description, &description.name, &Parent { name: "Tortoise\\PythonException", shapes: &shapes })
}

#[test]
fn a_class_without_anything() {
    assert_eq!(plan_object(&class("Foo")).source, r"class Foo extends \Tortoise\PyObject { }");
}

#[test]
fn a_group_of_exceptions_gives_its_members() {
    const METHOD: &str = "final public function getExceptions(): array";
    let mut group = class("Tortoise\\Python\\ExceptionGroup");
    group.traits = TRAIT_EXCEPTION;
    let plan_of_group = plan_exception(&group);
    assert!(plan_of_group.source.contains(METHOD));
    // A child has the method from its parent, and keeps a method of Python's beside it.
    let mut child = class("Child");
    child.traits = TRAIT_EXCEPTION;
    child.bases = vec![Base { name: group.name.clone(), fingerprint: [0; 16] }];
    child.methods = vec![instance("getExceptions", [])];
    let plan_of_child = plan(&child, "Child", &Parent { name: &group.name, shapes: &plan_of_group.shapes });
    assert!(!plan_of_child.source.contains(METHOD));
    assert!(plan_of_child.source.contains("function getExceptions_()"));
    // The group may be another than the first base.
    child.methods.clear();
    assert!(plan_exception(&child).source.contains(METHOD));
    child.traits = 0;
    assert!(!plan_object(&child).source.contains(METHOD));
}

#[test]
fn a_class_with_one_of_everything() {
    let mut description = class("App\\Foo\\Bar");
    description.constants = vec![constant("SIDES", Literal::Integer(2))];
    description.methods = vec![
        build::method("__construct", MethodKind::Constructor, [optional("n", Literal::Integer(1))]),
        instance("twice", [optional("plus", Literal::Integer(0))]),
        build::method("make", MethodKind::Class, [required("x"), build::variadic("args")]),
        build::method("help", MethodKind::Static, []),
    ];
    let plan = plan_object(&description);
    assert_eq!(
        plan.source,
        r"namespace App\Foo; class Bar extends \Tortoise\PyObject { const SIDES = 2; public function __construct($n = 1) { \Tortoise\Bridge\construct(); } public function twice($plus = 0) { return \Tortoise\Bridge\method(); } public static function make($x, ...$args) { return \Tortoise\Bridge\method(); } public static function help() { return \Tortoise\Bridge\method(); } }"
    );
    assert_eq!(plan.report, synthesis::Report::default());
    assert_eq!(plan.methods.len(), 4);
}

#[test]
fn constants_that_php_cannot_declare_are_left_out() {
    let mut description = class("Foo");
    description.constants = ["class", "CLASS", "__HALT_compiler", "LIST", "List", "LIST"]
        .map(|name| constant(name, Literal::Boolean(true)))
        .into();
    let plan = plan_object(&description);
    assert_eq!(plan.source, r"class Foo extends \Tortoise\PyObject { const LIST = true; const List = true; }");
    assert_eq!(plan.report.undeclared, 4);
}

#[test]
fn a_child_of_a_python_class_extends_its_php_class() {
    let shapes = plan_object(&class("App\\Base")).shapes;
    let mut description = class("Other");
    description.bases = ["App\\Base", "Second", "Third"]
        .map(|name| Base { name: name.to_owned(), fingerprint: Default::default() })
        .into();
    let plan = plan(&description, "Tortoise\\Python\\other\\Other", &Parent { name: "App\\Base", shapes: &shapes });
    assert_eq!(plan.source, r"namespace Tortoise\Python\other; class Other extends \App\Base { }");
    assert_eq!(plan.report, synthesis::Report { renamed: 1, lost_bases: 2, ..Default::default() });
}

#[test]
fn the_docstring_becomes_a_docblock_and_never_source() {
    let mut description = class("Foo");
    description.documentation = Some("A number.\r\n\r\n  Ends */ in **/\0 here.  \n".to_owned());
    let plan = plan_object(&description);
    assert_eq!(plan.documentation.unwrap(), "/**\n * A number.\n *\n *   Ends * / in ** / here.\n */");
    assert!(!plan.source.contains("number"));
    description.documentation = Some(" \n ".to_owned());
    assert_eq!(plan_object(&description).documentation, None);
}
