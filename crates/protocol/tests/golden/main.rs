//! Holds every golden vector and every limit of `docs/protocol.md` against the code, both ways.

mod document;
mod messages;
mod notation;

use tortoise_protocol::frame::{self, HEADER_BYTES, Header};
use tortoise_protocol::limits;
use tortoise_protocol::{Malformed, Reader, Writer};

use document::{Vector, vectors};
use notation::Value;

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

#[test]
fn values_are_these_bytes() {
    let mut seen = 0;
    for vector in vectors(DOCUMENT) {
        let Vector::Value { text, bytes, also } = vector else { continue };
        let value = notation::one(&text);
        let mut written = Vec::new();
        value.write(&mut Writer::new(&mut written));
        assert_eq!(written, bytes, "{text} as it is written");
        for bytes in also.iter().chain([&bytes]) {
            let mut reader = Reader::new(bytes);
            assert_eq!(Value::read(&mut reader), Ok(value.clone()), "{text} from {bytes:02x?}");
            assert_eq!(reader.end(), Ok(()), "{text} from {bytes:02x?}");
        }
        seen += 1;
    }
    assert!(seen > 30, "only {seen} vectors of values were found");
}

#[test]
fn refused_bytes_are_refused_for_this_reason() {
    let mut seen = 0;
    for vector in vectors(DOCUMENT) {
        let Vector::Refused { reason, bytes } = vector else { continue };
        let mut reader = Reader::new(&bytes);
        let outcome = Value::read(&mut reader).and_then(|_| reader.end());
        assert_eq!(outcome.map_err(|error| error.to_string()), Err(reason), "{bytes:02x?}");
        seen += 1;
    }
    assert!(seen > 4, "only {seen} vectors of refused bytes were found");
}

#[test]
fn messages_are_these_bytes() {
    let mut kinds = Vec::new();
    for vector in vectors(DOCUMENT) {
        let Vector::Message { name, header, payload, bytes } = vector else { continue };
        let mut frame = Vec::new();
        frame::begin(&mut frame);
        notation::write_all(&payload, &mut frame);
        frame::finish(&mut frame, header).expect("within the limits");
        assert_eq!(frame, bytes, "{name} as it is written");

        let (head, rest) = bytes.split_first_chunk::<HEADER_BYTES>().expect("a whole header");
        let decoded = Header::decode(head, limits::MAX_FRAME_BYTES).expect("a header");
        assert_eq!(decoded, Header { payload_bytes: u32::try_from(rest.len()).expect("small"), ..header }, "{name}");
        messages::check(&name, decoded, rest);
        kinds.push(decoded.kind);
    }
    for kind in (0..=u8::MAX).filter_map(frame::Kind::from_byte) {
        assert!(kinds.contains(&kind), "no vector shows a {kind:?}");
    }
}

#[test]
fn the_limits_are_these() {
    let limits = [
        ("MAX_FRAME_BYTES", limits::MAX_FRAME_BYTES),
        ("MAX_HELLO_BYTES", limits::MAX_HELLO_BYTES),
        ("MAX_TOLD_BYTES", limits::MAX_TOLD_BYTES),
        ("MAX_TOKEN_BYTES", limits::MAX_TOKEN_BYTES),
        ("MAX_DEPTH", limits::MAX_DEPTH as usize),
        ("MAX_NAME_BYTES", limits::MAX_NAME_BYTES),
        ("MAX_PATH_BYTES", limits::MAX_PATH_BYTES),
        ("MAX_INTEGER_BYTES", limits::MAX_INTEGER_BYTES),
        ("MAX_ROOTS", limits::MAX_ROOTS),
        ("MAX_MODULE_PATTERNS", limits::MAX_MODULE_PATTERNS),
        ("MAX_METHOD_INDEXES", limits::MAX_METHOD_INDEXES),
        ("MAX_ITEMS", limits::MAX_ITEMS),
        ("MAX_ARGUMENTS", limits::MAX_ARGUMENTS),
        ("MAX_BASES", limits::MAX_BASES),
        ("MAX_METHODS", limits::MAX_METHODS),
        ("MAX_PARAMETERS", limits::MAX_PARAMETERS),
        ("MAX_CONSTANTS", limits::MAX_CONSTANTS),
        ("MAX_DOCUMENTATION_BYTES", limits::MAX_DOCUMENTATION_BYTES),
        ("MAX_CAUSES", limits::MAX_CAUSES),
        ("MAX_FRAMES", limits::MAX_FRAMES),
        ("MAX_MESSAGE_BYTES", limits::MAX_MESSAGE_BYTES),
        ("MAX_CALLBACK_DEPTH", limits::MAX_CALLBACK_DEPTH),
        ("MAX_COROUTINES", limits::MAX_COROUTINES),
        ("MAX_PHP_PARENTS", limits::MAX_PHP_PARENTS),
        ("MAX_PENDING_RELEASES", limits::MAX_PENDING_RELEASES),
        ("MAX_SHARED_OBJECTS", limits::MAX_SHARED_OBJECTS),
    ];
    let documented: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `MAX_")).collect();
    assert_eq!(documented.len(), limits.len(), "the page and this test name the same limits");
    for (name, value) in limits {
        let row = format!("| `{name}` | {value} | ");
        assert!(documented.iter().any(|line| line.starts_with(&row)), "{name} is {value}");
    }
    let source = include_str!("../../src/limits.rs");
    assert_eq!(source.matches("\npub const MAX_").count(), limits.len(), "every limit of the code is on the page");
}

#[test]
fn nesting_ends_at_its_limit() {
    let nested = |levels: u32| [vec![0x91; levels as usize], vec![0xc0]].concat();
    assert!(Reader::new(&nested(limits::MAX_DEPTH)).value().is_ok());
    assert_eq!(Reader::new(&nested(limits::MAX_DEPTH + 1)).value(), Err(Malformed::TooDeep));
}
