//! A value from Python as PHP source: one line, ASCII controls and broken UTF-8 escaped, so that any value is safe.

use std::fmt::Write as _;

use tortoise_protocol::description::Literal;

/// Appends `literal` as a PHP expression that has the same value, to the last bit of a float.
pub(crate) fn write(source: &mut String, literal: &Literal) {
    match literal {
        Literal::Null => source.push_str("null"),
        Literal::Boolean(true) => source.push_str("true"),
        Literal::Boolean(false) => source.push_str("false"),
        // PHP reads the digits first and the sign afterwards, and 2^63 is a float.
        Literal::Integer(i64::MIN) => source.push_str("-9223372036854775807-1"),
        Literal::Integer(value) => append(source, format_args!("{value}")),
        Literal::Float(value) if value.is_nan() => source.push_str("\\NAN"),
        Literal::Float(f64::INFINITY) => source.push_str("\\INF"),
        Literal::Float(f64::NEG_INFINITY) => source.push_str("-\\INF"),
        // Rust's Debug is the shortest text that reads back as the same float, and it always has a point or an exponent.
        Literal::Float(value) => append(source, format_args!("{value:?}")),
        Literal::Text(bytes) => write_text(source, bytes),
        Literal::List(items) => {
            source.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    source.push_str(", ");
                }
                write(source, item);
            }
            source.push(']');
        }
        Literal::Map(items) => {
            source.push('[');
            for (position, (key, item)) in items.iter().enumerate() {
                if position > 0 {
                    source.push_str(", ");
                }
                write(source, key);
                source.push_str(" => ");
                write(source, item);
            }
            source.push(']');
        }
    }
}

fn write_text(source: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.bytes().any(|byte| byte.is_ascii_control()) => {
            source.push('\'');
            for character in text.chars() {
                if matches!(character, '\\' | '\'') {
                    source.push('\\');
                }
                source.push(character);
            }
            source.push('\'');
        }
        _ => {
            source.push('"');
            for chunk in bytes.utf8_chunks() {
                chunk.valid().chars().for_each(|character| write_escaped(source, character));
                chunk.invalid().iter().for_each(|byte| append(source, format_args!("\\x{byte:02x}")));
            }
            source.push('"');
        }
    }
}

/// One character between double quotes. PHP takes at most two digits behind `\x`, so what follows stays itself.
fn write_escaped(source: &mut String, character: char) {
    match character {
        '"' | '\\' | '$' => {
            source.push('\\');
            source.push(character);
        }
        // Without a `$` in front no brace begins a variable, and a `{$` cannot arise: the `$` is escaped.
        control if control.is_ascii_control() => append(source, format_args!("\\x{:02x}", u32::from(control))),
        other => source.push(other),
    }
}

fn append(source: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = source.write_fmt(text);
}
