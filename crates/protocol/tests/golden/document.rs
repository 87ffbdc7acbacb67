//! Finds the golden vectors of a page.

use std::collections::BTreeMap;

use tortoise_protocol::frame::{Header, Kind};

/// A vector of the page.
pub(crate) enum Vector {
    /// A whole frame.
    Message { name: String, header: Header, payload: String, bytes: Vec<u8> },
    /// A value alone.
    Value { text: String, bytes: Vec<u8>, also: Vec<Vec<u8>> },
    /// Bytes that are no value.
    Refused { reason: String, bytes: Vec<u8> },
}

/// All vectors of the blocks that are marked `golden`.
pub(crate) fn vectors(page: &str) -> Vec<Vector> {
    page.split("```golden\n")
        .skip(1)
        .flat_map(|rest| rest.split("```").next().expect("a part").split("\n\n"))
        .map(|text| vector(text.trim_matches('\n')))
        .collect()
}

fn vector(text: &str) -> Vector {
    let mut also = Vec::new();
    let mut fields = BTreeMap::new();
    for line in text.replace("\n ", " ").lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "also" => also.push(bytes(value)),
            _ => assert!(fields.insert(key.to_owned(), value.trim().to_owned()).is_none(), "{key} twice in {text}"),
        }
    }
    let mut field = |key: &str| fields.remove(key);
    let bytes = bytes(&field("hex").unwrap_or_else(|| panic!("no bytes in {text}")));
    let vector = if let Some(name) = field("message") {
        let header = header(&field("header").unwrap_or_else(|| panic!("no header in {text}")));
        Vector::Message { name, header, payload: field("payload").unwrap_or_default(), bytes }
    } else if let Some(text) = field("value") {
        Vector::Value { text, bytes, also }
    } else {
        Vector::Refused { reason: field("refused").unwrap_or_else(|| panic!("no meaning in {text}")), bytes }
    };
    assert!(fields.is_empty(), "unknown lines {fields:?} in {text}");
    vector
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("{pair} is no byte in {hex}")))
        .collect()
}

fn header(text: &str) -> Header {
    let mut header = Header::new(Kind::Hello, 0);
    for field in text.split_whitespace() {
        let (name, value) = field.split_once('=').unwrap_or_else(|| panic!("{field} in {text}"));
        let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{field} in {text}"));
        match name {
            "kind" => {
                header.kind = (0..=u8::MAX)
                    .filter_map(Kind::from_byte)
                    .find(|kind| format!("{kind:?}") == value)
                    .unwrap_or_else(|| panic!("no kind {value}"));
            }
            "flags" => header.flags = u8::try_from(number()).expect("a byte"),
            "cpu" => header.cpu = u16::try_from(number()).expect("two bytes"),
            "call" => header.call = number(),
            "parent" => header.parent = number(),
            "thread" => header.thread = u32::try_from(number()).expect("four bytes"),
            "segments" => header.segment_bytes = u32::try_from(number()).expect("four bytes"),
            _ => panic!("unknown field {name} in {text}"),
        }
    }
    header
}
