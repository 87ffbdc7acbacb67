//! Values as `docs/protocol.md` writes them: read from text, written as MessagePack and read back.

use tortoise_protocol::codec::{
    BigInteger, Duration, ELEMENT_BYTES, Moment, PhpReference, PhpTraits, Zone, is_integer,
};
use tortoise_protocol::handshake::MAGIC;
use tortoise_protocol::{Malformed, ObjectReference, Reader, Segment, SegmentKind, Token, Writer};

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Nil,
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    Binary(Vec<u8>),
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Object(ObjectReference),
    Handle(u64),
    Segment(Segment),
    Floats(Vec<f64>),
    Integers(Vec<i64>),
    /// Floats and integers.
    Numbers(Vec<Value>),
    SameKeys(Vec<Value>),
    BigInteger(bool, Vec<u8>),
    /// The clock, and perhaps the offset and the name of the zone.
    Moment([u64; 7], Option<(i32, String)>),
    Duration(Duration),
    /// Id, class, traits and the description of the class.
    PhpObject(u64, u32, u8, Vec<u8>),
    PhpHandle(u64),
}

/// The only value of a text.
pub(crate) fn one(text: &str) -> Value {
    let mut parser = Parser { rest: text };
    let value = parser.value();
    assert_eq!(parser.rest, "", "behind the value in {text}");
    value
}

/// Appends all values of a text, which blanks separate.
pub(crate) fn write_all(text: &str, buffer: &mut Vec<u8>) {
    let mut parser = Parser { rest: text.trim() };
    while !parser.rest.is_empty() {
        if let Some(rest) = parser.rest.strip_prefix("TORTOISE/") {
            parser.rest = rest;
            buffer.extend_from_slice(&MAGIC);
            let version = u16::try_from(parser.unsigned()).expect("two bytes");
            buffer.extend_from_slice(&version.to_be_bytes());
        } else {
            parser.value().write(&mut Writer::new(buffer));
        }
        parser.skip_blanks();
    }
}

impl Value {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Nil => writer.nil(),
            Self::Boolean(value) => writer.boolean(*value),
            Self::Integer(value) => writer.integer(*value),
            Self::Unsigned(value) => writer.unsigned(*value),
            Self::Float(value) => writer.float(*value),
            Self::Text(value) => writer.text(value),
            Self::Binary(value) => writer.binary(value),
            Self::Array(values) => {
                writer.array(values.len());
                values.iter().for_each(|value| value.write(writer));
            }
            Self::Map(pairs) => {
                writer.map(pairs.len());
                pairs.iter().for_each(|(key, value)| {
                    key.write(writer);
                    value.write(writer);
                });
            }
            Self::Object(object) => writer.object(*object),
            Self::Handle(id) => writer.handle(*id),
            Self::Segment(segment) => writer.segment(*segment),
            Self::Floats(values) => fill(writer.floats(values.len()), values.iter().map(|value| value.to_le_bytes())),
            Self::Integers(values) => {
                fill(writer.integers(values.len()), values.iter().map(|value| value.to_le_bytes()));
            }
            Self::Numbers(values) => {
                let (places, integers) = writer.numbers(values.len());
                for (index, value) in values.iter().enumerate() {
                    if let Self::Integer(_) = value {
                        integers[index / 8] |= 1 << (index % 8);
                    }
                }
                fill(
                    places,
                    values.iter().map(|value| match value {
                        Self::Integer(value) => value.to_le_bytes(),
                        Self::Float(value) => value.to_le_bytes(),
                        other => panic!("{other:?} is no number"),
                    }),
                );
            }
            Self::BigInteger(is_negative, magnitude) => {
                writer.big_integer(BigInteger { is_negative: *is_negative, magnitude });
            }
            Self::Moment(clock, zone) => writer.moment(&moment(*clock, zone.as_ref())),
            Self::Duration(duration) => writer.duration(*duration),
            Self::PhpObject(id, class, traits, description) => {
                let traits = PhpTraits(*traits);
                writer.php_object(PhpReference { id: *id, class: *class, traits, description });
            }
            Self::PhpHandle(id) => writer.php_handle(*id),
            Self::SameKeys(values) => {
                writer.same_keys(u8::try_from(values.len()).expect("few"));
                values.iter().for_each(|value| value.write(writer));
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.token()? {
            Token::Nil => Self::Nil,
            Token::Boolean(value) => Self::Boolean(value),
            Token::Integer(value) => Self::Integer(value),
            Token::Unsigned(value) => Self::Unsigned(value),
            Token::Float(value) => Self::Float(value),
            Token::Text(bytes) => Self::Text(String::from_utf8(bytes.to_vec()).expect("UTF-8")),
            Token::Binary(bytes) => Self::Binary(bytes.to_vec()),
            Token::Array(count) => Self::Array((0..count).map(|_| Self::read(reader)).collect::<Result<_, _>>()?),
            Token::Map(count) => Self::Map(
                (0..count).map(|_| Ok((Self::read(reader)?, Self::read(reader)?))).collect::<Result<_, Malformed>>()?,
            ),
            Token::Object(object) => Self::Object(object),
            Token::Handle(id) => Self::Handle(id),
            Token::Segment(segment) => Self::Segment(segment),
            Token::Floats(bytes) => Self::Floats(elements(bytes).map(f64::from_le_bytes).collect()),
            Token::Integers(bytes) => Self::Integers(elements(bytes).map(i64::from_le_bytes).collect()),
            Token::Numbers { values, integers } => {
                let number = |(index, element)| match is_integer(integers, index) {
                    true => Self::Integer(i64::from_le_bytes(element)),
                    false => Self::Float(f64::from_le_bytes(element)),
                };
                Self::Numbers(elements(values).enumerate().map(number).collect())
            }
            Token::BigInteger(integer) => Self::BigInteger(integer.is_negative, integer.magnitude.to_vec()),
            Token::Duration(duration) => Self::Duration(duration),
            Token::PhpObject(PhpReference { id, class, traits, description }) => {
                Self::PhpObject(id, class, traits.0, description.to_vec())
            }
            Token::PhpHandle(id) => Self::PhpHandle(id),
            Token::Moment(Moment { year, month, day, hour, minute, second, microsecond, zone }) => Self::Moment(
                [year.into(), month.into(), day.into(), hour.into(), minute.into(), second.into(), microsecond.into()],
                match zone {
                    Zone::Unknown => None,
                    Zone::Offset(offset) => Some((offset, String::new())),
                    Zone::Named(offset, name) => Some((offset, name.to_owned())),
                },
            ),
            Token::SameKeys(count) => {
                Self::SameKeys((0..count).map(|_| Self::read(reader)).collect::<Result<_, Malformed>>()?)
            }
        })
    }
}

impl PartialEq for Value {
    /// Floats are equal if their bits are: NaN is NaN, and -0.0 is not 0.0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Handle(a), Self::Handle(b)) => a == b,
            (Self::Segment(a), Self::Segment(b)) => a == b,
            (Self::Floats(a), Self::Floats(b)) => a == b,
            (Self::Integers(a), Self::Integers(b)) => a == b,
            (Self::Numbers(a), Self::Numbers(b)) => a == b,
            (Self::SameKeys(a), Self::SameKeys(b)) => a == b,
            (Self::BigInteger(a, b), Self::BigInteger(c, d)) => (a, b) == (c, d),
            (Self::Moment(a, b), Self::Moment(c, d)) => (a, b) == (c, d),
            (Self::PhpObject(a, b, c, d), Self::PhpObject(e, f, g, h)) => (a, b, c, d) == (e, f, g, h),
            (Self::PhpHandle(a), Self::PhpHandle(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            _ => false,
        }
    }
}

fn moment(clock: [u64; 7], zone: Option<&(i32, String)>) -> Moment<'_> {
    let small = |place: usize| u8::try_from(clock[place]).expect("a byte");
    Moment {
        year: u16::try_from(clock[0]).expect("a year"),
        month: small(1),
        day: small(2),
        hour: small(3),
        minute: small(4),
        second: small(5),
        microsecond: u32::try_from(clock[6]).expect("four bytes"),
        zone: match zone {
            None => Zone::Unknown,
            Some((offset, name)) if name.is_empty() => Zone::Offset(*offset),
            Some((offset, name)) => Zone::Named(*offset, name),
        },
    }
}

fn fill(place: &mut [u8], elements: impl Iterator<Item = [u8; ELEMENT_BYTES]>) {
    for (place, element) in place.chunks_exact_mut(ELEMENT_BYTES).zip(elements) {
        place.copy_from_slice(&element);
    }
}

fn elements(bytes: &[u8]) -> impl Iterator<Item = [u8; ELEMENT_BYTES]> {
    bytes.chunks_exact(ELEMENT_BYTES).map(|element| element.try_into().expect("a whole element"))
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Value {
        if self.takes("[") {
            return Value::Array(self.until("]", Self::value));
        }
        if self.takes("{") {
            return Value::Map(self.until("}", |parser| {
                let key = parser.value();
                assert!(parser.takes(":"), "a colon is due at {}", parser.rest);
                (key, parser.value())
            }));
        }
        if self.takes("object(") {
            let numbers = self.until(")", Self::unsigned);
            let [id, class, traits] = numbers[..] else { panic!("an object has three numbers") };
            return Value::Object(ObjectReference { id, class, traits: u8::try_from(traits).expect("a byte") });
        }
        if self.takes("php object(") {
            let parts = self.until(")", Self::value);
            let [Value::Integer(id), Value::Integer(class), Value::Integer(traits)] = parts[..3] else {
                panic!("a PHP object has three numbers")
            };
            let description = match parts.get(3) {
                Some(Value::Binary(description)) => description.clone(),
                _ => Vec::new(),
            };
            let (class, traits) = (u32::try_from(class).expect("four bytes"), u8::try_from(traits).expect("a byte"));
            return Value::PhpObject(id.unsigned_abs(), class, traits, description);
        }
        if self.takes("php handle(") {
            let numbers = self.until(")", Self::unsigned);
            let [id] = numbers[..] else { panic!("a handle has one number") };
            return Value::PhpHandle(id);
        }
        if self.takes("handle(") {
            let numbers = self.until(")", Self::unsigned);
            let [id] = numbers[..] else { panic!("a handle has one number") };
            return Value::Handle(id);
        }
        if self.takes("segment(") {
            let kind = match self.word() {
                "text" => SegmentKind::Text,
                "binary" => SegmentKind::Binary,
                "floats" => SegmentKind::Floats,
                "integers" => SegmentKind::Integers,
                other => panic!("no kind of segment is {other}"),
            };
            assert!(self.takes(","), "a comma is due at {}", self.rest);
            let [bytes] = self.until(")", Self::unsigned)[..] else { panic!("a segment has one length") };
            return Value::Segment(Segment { kind, bytes: u32::try_from(bytes).expect("four bytes") });
        }
        if self.takes("floats(") {
            return Value::Floats(self.until(")", |parser| parser.word().parse().expect("a float")));
        }
        if self.takes("integers(") {
            return Value::Integers(self.until(")", |parser| parser.word().parse().expect("an integer")));
        }
        if self.takes("numbers(") {
            return Value::Numbers(self.until(")", Self::value));
        }
        if self.takes("same keys(") {
            return Value::SameKeys(self.until(")", Self::value));
        }
        if self.takes("big integer(") {
            let [Value::Text(sign), Value::Binary(magnitude)] = &self.until(")", Self::value)[..] else {
                panic!("a big integer is a sign and bytes")
            };
            return Value::BigInteger(sign == "-", magnitude.clone());
        }
        if self.takes("moment(") {
            let parts = self.until(")", Self::value);
            let clock = std::array::from_fn(|place| match parts[place] {
                Value::Integer(number) => number.unsigned_abs(),
                _ => panic!("a clock shows numbers"),
            });
            let zone = match &parts[7..] {
                [] => None,
                [Value::Integer(offset)] => Some((*offset, "")),
                [Value::Integer(offset), Value::Text(name)] => Some((*offset, name.as_str())),
                _ => panic!("a zone is an offset and perhaps a name"),
            };
            let zone = zone.map(|(offset, name)| (i32::try_from(offset).expect("four bytes"), name.to_owned()));
            return Value::Moment(clock, zone);
        }
        if self.takes("duration(") {
            let [Value::Integer(seconds), Value::Integer(microseconds)] = self.until(")", Self::value)[..] else {
                panic!("a duration has two numbers")
            };
            return Value::Duration(Duration {
                seconds,
                microseconds: u32::try_from(microseconds).expect("four bytes"),
            });
        }
        if self.takes("h'") {
            let hex = self.up_to('\'');
            let pairs = hex.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).expect("hex"));
            return Value::Binary(pairs.collect());
        }
        if self.takes("\"") {
            return Value::Text(self.up_to('"').to_owned());
        }
        match self.word() {
            "nil" => Value::Nil,
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "inf" => Value::Float(f64::INFINITY),
            "nan" => Value::Float(f64::NAN),
            word if word.contains('.') => Value::Float(word.parse().expect("a float")),
            word => word.parse().map_or_else(|_| Value::Unsigned(word.parse().expect("a number")), Value::Integer),
        }
    }

    fn unsigned(&mut self) -> u64 {
        self.word().parse().expect("a number")
    }

    /// Elements with commas between them, and what closes them.
    fn until<T>(&mut self, close: &str, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut elements = Vec::new();
        while !self.takes(close) {
            if !elements.is_empty() {
                assert!(self.takes(","), "a comma is due at {}", self.rest);
            }
            elements.push(element(self));
        }
        elements
    }

    fn takes(&mut self, prefix: &str) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn up_to(&mut self, close: char) -> &'a str {
        let (text, rest) = self.rest.split_once(close).unwrap_or_else(|| panic!("no {close} in {}", self.rest));
        self.rest = rest;
        text
    }

    fn word(&mut self) -> &'a str {
        self.skip_blanks();
        let end = self.rest.find([' ', ',', ':', ']', '}', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }
}
