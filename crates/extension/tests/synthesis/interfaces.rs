//! Python's protocols become PHP's interfaces, whatever methods Python has under the interfaces' names.

use tortoise_protocol::description::{
    Literal, Method, MethodKind, TRAIT_COUNTABLE, TRAIT_EXCEPTION, TRAIT_ITERABLE, TRAIT_JSON, TRAIT_SUBSCRIPTABLE,
    TRAIT_TEXTUAL,
};

use super::build::{class, instance, method, optional, required};
use super::synthesis::{Parent, Plan, Protocol, Undeclared, plan};
use super::{plan_exception, plan_object};

fn planned(traits: u64, methods: impl Into<Vec<Method>>) -> Plan {
    let mut description = class("Foo");
    description.traits = traits;
    description.methods = methods.into();
    plan_object(&description)
}

fn child(parent: &Plan, traits: u64, methods: impl Into<Vec<Method>>) -> Plan {
    let mut description = class("Child");
    description.traits = traits;
    description.methods = methods.into();
    plan(&description, "Child", &Parent { name: "Foo", shapes: &parent.shapes })
}

fn undeclared(name: &str, is_static: bool, is_protocol: bool) -> Vec<Undeclared> {
    vec![Undeclared { name: name.to_owned(), is_static, is_protocol }]
}

const COUNT: &str = r" #[\ReturnTypeWillChange] public function count() { return \Tortoise\Bridge\protocol(); }";

#[test]
fn a_class_implements_what_its_traits_say() {
    assert_eq!(
        planned(TRAIT_COUNTABLE, []).source,
        format!(r"class Foo extends \Tortoise\PyObject implements \Countable {{{COUNT} }}")
    );
    let all = TRAIT_COUNTABLE | TRAIT_SUBSCRIPTABLE | TRAIT_ITERABLE | TRAIT_TEXTUAL | TRAIT_JSON;
    let plan = planned(all, []);
    let interfaces = r"implements \Countable, \ArrayAccess, \IteratorAggregate, \Stringable, \JsonSerializable {";
    assert!(plan.source.contains(interfaces), "{}", plan.source);
    assert!(plan.source.contains(r"} public function __toString() { return"), "{}", plan.source);
    assert!(plan.source.contains(r"function offsetSet($offset, $value) { return"), "{}", plan.source);
    assert_eq!(plan.methods.len(), 8);
    assert!(plan.methods.iter().all(|method| method.protocol.is_some()));
}

#[test]
fn pythons_own_method_of_the_name_keeps_its_parameters_and_asks_for_none() {
    let plan = planned(TRAIT_COUNTABLE, [instance("count", [required("value"), optional("n", Literal::Integer(1))])]);
    let count = &plan.methods[0];
    assert_eq!((count.required, count.protocol, plan.methods.len()), (0, Some(Protocol::Length), 1));
    assert!(plan.source.contains(r"count($value = \Tortoise\LEFT_OUT, $n = 1) {"), "{}", plan.source);
    // Python must be given it nevertheless.
    assert_eq!(count.missing(|_| false, |_| false), ["value"]);

    let too_few = planned(TRAIT_SUBSCRIPTABLE, [instance("offsetSet", [required("one")])]);
    assert!(too_few.source.contains(r"offsetSet($one, ...$arguments)"), "{}", too_few.source);
}

#[test]
fn a_name_that_only_python_tells_apart_stays_pythons() {
    let plan = planned(TRAIT_ITERABLE, [instance("getiterator", [])]);
    assert_eq!(plan.undeclared, undeclared("getiterator", false, false));
    assert_eq!(plan.methods[0].php_name, "getIterator");
    let plan = planned(TRAIT_COUNTABLE, [method("count", MethodKind::Static, [required("x")])]);
    assert_eq!(plan.undeclared, undeclared("count", true, true));
    assert!(plan.source.contains(COUNT), "{}", plan.source);
}

#[test]
fn a_child_inherits_the_interface_and_its_own_method_does_both() {
    let parent = planned(TRAIT_COUNTABLE, []);
    assert_eq!(child(&parent, TRAIT_COUNTABLE, []).source, r"class Child extends \Foo { }");
    let own = child(&parent, TRAIT_COUNTABLE, [instance("count", [required("value")])]);
    assert_eq!(own.methods[0].protocol, Some(Protocol::Length));
    // The child takes the protocol back, as `__len__ = None` does: its own method is Python's alone.
    let without = child(&parent, 0, [instance("count", [required("value")])]);
    assert_eq!((without.methods[0].protocol, without.methods[0].required), (None, 0));
}

#[test]
fn a_child_of_a_class_with_a_mere_method_of_the_name_takes_what_that_takes() {
    let parent = planned(0, [instance("count", [required("value")])]);
    let heir = child(&parent, TRAIT_COUNTABLE, []);
    assert!(heir.source.contains(r"implements \Countable"), "{}", heir.source);
    assert!(heir.source.contains(r"function count(...$arguments) {"), "{}", heir.source);
    let parent = planned(0, [instance("Count", [])]);
    assert_eq!(child(&parent, TRAIT_COUNTABLE, []).undeclared, undeclared("Count", false, false));
    let parent = planned(0, [method("count", MethodKind::Static, [])]);
    let heir = child(&parent, TRAIT_COUNTABLE, []);
    assert_eq!((heir.source.as_str(), heir.report.undeclared), (r"class Child extends \Foo { }", 1));
}

#[test]
fn the_text_of_an_exception_is_phps() {
    let mut description = class("Fail");
    description.traits = TRAIT_EXCEPTION | TRAIT_TEXTUAL | TRAIT_COUNTABLE;
    let plan = plan_exception(&description);
    assert!(plan.source.contains(r"PythonException implements \Countable {"), "{}", plan.source);
    assert!(!plan.source.contains("__toString"), "{}", plan.source);
}
