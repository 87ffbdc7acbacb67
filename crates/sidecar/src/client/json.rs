//! Values of the wire as JSON, and JSON as values of the wire.
//!
//! What JSON has no word for becomes a text: dates, integers of more than 64 bits, NaN. Bytes that are no text, and
//! objects, become `{"bytes": "00ff"}` and `{"object": "Foo_Bar"}`.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::codec::{
    Depth, Duration, ELEMENT_BYTES, Malformed, Moment, Reader, Segment, SegmentKind, Token, Writer, Zone, is_integer,
};

/// The key of the id of an object's class, until that is asked for its name.
pub(super) const CLASS_KEY: &str = "\0class";

/// An object of this class.
pub(super) fn object(class: &str) -> Value {
    json!({"object": class})
}

/// Writes a value.
///
/// # Errors
/// [`Malformed::TooDeep`].
pub(super) fn write(writer: &mut Writer<'_>, value: &Value) -> Result<(), Malformed> {
    write_at(writer, value, Depth::ROOT)
}

fn write_at(writer: &mut Writer<'_>, value: &Value, depth: Depth) -> Result<(), Malformed> {
    match value {
        Value::Null => writer.nil(),
        Value::Bool(value) => writer.boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => writer.integer(integer),
            (None, Some(integer)) => writer.unsigned(integer),
            (None, None) => writer.float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => writer.text(text),
        Value::Array(items) => {
            let depth = depth.enter()?;
            writer.array(items.len());
            for item in items {
                write_at(writer, item, depth)?;
            }
        }
        Value::Object(map) => {
            let depth = depth.enter()?;
            writer.map(map.len());
            for (key, item) in map {
                writer.text(key);
                write_at(writer, item, depth)?;
            }
        }
    }
    Ok(())
}

/// Reads the one value of a payload, and what follows it in the channel.
///
/// # Errors
/// [`ChannelError`].
pub(super) fn read(payload: &[u8], channel: &mut Channel) -> Result<Value, ChannelError> {
    let mut reading = Reading { reader: Reader::new(payload), channel };
    let value = reading.value(Depth::ROOT, &mut Vec::new())?;
    reading.reader.end()?;
    Ok(value)
}

struct Reading<'a, 'c> {
    reader: Reader<'a>,
    channel: &'c mut Channel,
}

impl Reading<'_, '_> {
    /// `keys`: those of the map before it in the same array.
    fn value(&mut self, depth: Depth, keys: &mut Vec<String>) -> Result<Value, ChannelError> {
        Ok(match self.reader.token()? {
            Token::Nil => Value::Null,
            Token::Boolean(value) => json!(value),
            Token::Integer(value) => json!(value),
            Token::Unsigned(value) => json!(value),
            Token::Float(value) => float(value),
            Token::Text(bytes) | Token::Binary(bytes) => text(bytes),
            Token::Array(count) => {
                let (depth, mut keys) = (depth.enter()?, Vec::new());
                let items = (0..count).map(|_| self.value(depth, &mut keys)).collect::<Result<_, _>>()?;
                Value::Array(items)
            }
            Token::Map(count) => {
                let depth = depth.enter()?;
                let mut own = Vec::new();
                let mut map = Map::new();
                for _ in 0..count {
                    let key = match self.value(depth, &mut Vec::new())? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    own.push(key.clone());
                    map.insert(key, self.value(depth, &mut Vec::new())?);
                }
                *keys = own;
                Value::Object(map)
            }
            Token::SameKeys(count) if count == keys.len() => {
                let depth = depth.enter()?;
                let mut map = Map::new();
                for key in keys.iter() {
                    map.insert(key.clone(), self.value(depth, &mut Vec::new())?);
                }
                Value::Object(map)
            }
            Token::Object(object) => json!({CLASS_KEY: object.class}),
            Token::Segment(segment) => self.segment(segment)?,
            Token::Floats(bytes) => elements(bytes, |_, bits| float(f64::from_bits(bits))),
            Token::Integers(bytes) => elements(bytes, |_, bits| json!(bits.cast_signed())),
            Token::Numbers { values, integers } => elements(values, |place, bits| match is_integer(integers, place) {
                true => json!(bits.cast_signed()),
                false => float(f64::from_bits(bits)),
            }),
            Token::BigInteger(integer) => {
                let sign = if integer.is_negative { "-" } else { "" };
                json!(format!("{sign}0x{}", hexadecimal(integer.magnitude).trim_start_matches('0')))
            }
            Token::Moment(moment) => json!(date(&moment)),
            Token::Duration(Duration { seconds, microseconds }) => json!(format!("{seconds}.{microseconds:06} s")),
            Token::Handle(_) | Token::PhpObject(_) | Token::PhpHandle(_) => json!({"object": "of PHP"}),
            other => return Err(Malformed::Unexpected { expected: "a value", found: other.describe() }.into()),
        })
    }

    fn segment(&mut self, segment: Segment) -> Result<Value, ChannelError> {
        let bytes = self.channel.receive_segment_bytes(segment.bytes as usize)?;
        Ok(match segment.kind {
            SegmentKind::Text | SegmentKind::Binary => text(&bytes),
            SegmentKind::Floats => elements(&bytes, |_, bits| float(f64::from_bits(bits))),
            SegmentKind::Integers => elements(&bytes, |_, bits| json!(bits.cast_signed())),
        })
    }
}

fn elements(bytes: &[u8], read: impl Fn(usize, u64) -> Value) -> Value {
    let (elements, _) = bytes.as_chunks::<ELEMENT_BYTES>();
    elements.iter().enumerate().map(|(place, bytes)| read(place, u64::from_le_bytes(*bytes))).collect()
}

fn float(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { json!(value.to_string()) }
}

fn text(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"bytes": hexadecimal(bytes)}),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// As in ISO 8601, with the zone's name in brackets where it has one.
fn date(moment: &Moment<'_>) -> String {
    let Moment { year, month, day, hour, minute, second, microsecond, zone } = *moment;
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if microsecond > 0 {
        let _ = write!(text, ".{microsecond:06}");
    }
    let (Zone::Offset(offset) | Zone::Named(offset, _)) = zone else { return text };
    let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let _ = write!(text, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60);
    if let Zone::Named(_, name) = zone {
        let _ = write!(text, "[{name}]");
    }
    text
}
