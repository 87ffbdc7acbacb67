//! Literals: a real PHP reads back the very value.

use std::fmt::Write as _;

use proptest::prelude::*;
use tortoise_protocol::description::Literal;

use super::build::{class, constant, instance, optional};
use super::{php, plan_object};

fn source(value: Literal) -> String {
    let mut description = class("Foo");
    description.constants = vec![constant("X", value)];
    let source = plan_object(&description).source;
    let value = source.strip_prefix(r"class Foo extends \Tortoise\PyObject { const X = ").expect("the constant");
    value.strip_suffix("; }").expect("the constant").to_owned()
}

/// What PHP's `show` prints of a value.
fn show(value: &Literal) -> String {
    match value {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => format!("int {value}"),
        Literal::Float(value) if value.is_nan() => "float nan".to_owned(),
        Literal::Float(value) => format!("float {:016x}", value.to_bits()),
        Literal::Text(bytes) => bytes.iter().fold("text ".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes everything");
            text
        }),
        Literal::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Literal::Map(items) => {
            let shown = items.iter().map(|(_, value)| show(value));
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        }
    }
}

#[test]
fn literals_are_plain_php() {
    for (value, php) in [
        (Literal::Null, "null"),
        (Literal::Boolean(false), "false"),
        (Literal::Integer(-5), "-5"),
        (Literal::Integer(i64::MIN), "-9223372036854775807-1"),
        (Literal::Float(1.0), "1.0"),
        (Literal::Float(-0.0), "-0.0"),
        (Literal::Float(1e300), "1e300"),
        (Literal::Float(0.1), "0.1"),
        (Literal::Float(f64::NAN), r"\NAN"),
        (Literal::Float(f64::INFINITY), r"\INF"),
        (Literal::Float(f64::NEG_INFINITY), r"-\INF"),
        (Literal::Text(b"it's \\ $x ?> */ \xc3\xa9".into()), r"'it\'s \\ $x ?> */ é'"),
        (Literal::Text(b"\0\n{$x} \"\\\x7f".into()), r#""\x00\x0a{\$x} \"\\\x7f""#),
        (Literal::Text(b"\xff7\xc3\xa9".into()), r#""\xff7é""#),
        (Literal::List(vec![Literal::Integer(1), Literal::List(vec![])]), "[1, []]"),
    ] {
        assert_eq!(source(value), php);
    }
}

fn any_literal() -> impl Strategy<Value = Literal> {
    let leaf = prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(Literal::Integer),
        any::<u64>().prop_map(|bits| Literal::Float(f64::from_bits(bits))),
        (-1e6..1e6).prop_map(Literal::Float),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(Literal::Text),
        any::<String>().prop_map(|text| Literal::Text(text.into_bytes())),
        r#"[\\'"${}\[\]x0-9a-fu\n\r\x00?><*/]{0,12}"#.prop_map(|text| Literal::Text(text.into_bytes())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Literal::List))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn php_reads_back_the_same_values(values in prop::collection::vec(any_literal(), 1..40)) {
        let sources: Vec<_> = values.iter().enumerate().map(|(number, value)| {
            let mut description = class(&format!("Foo{number}"));
            description.constants = vec![constant("X", value.clone())];
            // A list is no default that PHP may show.
            let default = if matches!(value, Literal::List(_)) { Literal::Null } else { value.clone() };
            description.methods = vec![instance("f", [optional("x", default)])];
            plan_object(&description).source
        }).collect();
        let main = r#"
            function main() {
                foreach (compile_all() as $class) {
                    $default = (new ReflectionMethod($class, 'f'))->getParameters()[0]->getDefaultValue();
                    echo show($class::X), ' ', show(is_array($class::X) ? null : $default), "\n";
                }
            }"#;
        let expected: String = values.iter().map(|value| {
            let default = if matches!(value, Literal::List(_)) { "null".to_owned() } else { show(value) };
            format!("{} {default}\n", show(value))
        }).collect();
        prop_assert_eq!(php::run(main, &sources).map_err(TestCaseError::fail)?, expected);
    }
}
