//! A Python class as PHP needs to know it, in order to declare a class of its own.
//!
//! ```text
//! Described payload   class id · fingerprint · ids of the bases · nil, or the description
//!
//! description   name · module · qualified name · file or nil · line · documentation or nil · traits
//!               · bases · constants · methods · properties                           (array of 11)
//! base          name · fingerprint, or nil for a PHP class, whose id is 0            (array of 2)
//! property      as constant; the value may be a map with keys that are integers or texts
//! constant      name · value                                                         (array of 2)
//! method        name · kind · parameters or nil · documentation or nil · line        (array of 5)
//! parameter     name · kind                            it must be given              (array of 2)
//!               name · kind · []                       it has a default that PHP cannot write
//!               name · kind · [value]                  it has this default           (array of 3)
//! ```
//!
//! The fingerprint is a hash of the description. It holds the bases' fingerprints, so it changes when any file
//! does that has a say in the class. It holds no ids: those are the session's own. Nil in the description's
//! place says that the client already has the description of this fingerprint.
//!
//! The description comes from user code, so PHP treats it as hostile: names are checked here, and nothing
//! of it is ever pasted into source unescaped.

use crate::codec::{Malformed, Reader, Token};
use crate::limits::{
    MAX_BASES, MAX_CONSTANTS, MAX_DOCUMENTATION_BYTES, MAX_METHODS, MAX_NAME_BYTES, MAX_PARAMETERS, MAX_PATH_BYTES,
};
use crate::request::{FINGERPRINT_BYTES, Fingerprint};

/// The class is an exception.
pub const TRAIT_EXCEPTION: u64 = 0b01;
/// The class cannot be constructed: it has abstract methods.
pub const TRAIT_ABSTRACT: u64 = 0b10;
/// One of the spellings of the class's name means another class of the same file.
pub const TRAIT_SHARED_NAME: u64 = 0b100;
/// Its objects have a length.
pub const TRAIT_COUNTABLE: u64 = 0b1000;
/// Its objects have items: `o[k]`.
pub const TRAIT_SUBSCRIPTABLE: u64 = 0b1_0000;
/// Its objects can be iterated.
pub const TRAIT_ITERABLE: u64 = 0b10_0000;
/// Its objects have a text of their own: `str(o)` is not the one of `object`.
pub const TRAIT_TEXTUAL: u64 = 0b100_0000;
/// Its objects have a form in JSON.
pub const TRAIT_JSON: u64 = 0b1000_0000;

/// The answer to a `Describe`.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The class, as an object of this session.
    pub class: u64,
    /// The description's fingerprint.
    pub fingerprint: Fingerprint,
    /// The bases, in the description's order, as objects of this session.
    pub bases: Vec<u64>,
    /// None if the client holds the description of this fingerprint.
    pub description: Option<ClassDescription>,
}

/// A Python class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassDescription {
    /// The PHP name that the class asks for, without a leading backslash.
    pub name: String,
    /// Python's `__module__`.
    pub module: String,
    /// Python's `__qualname__`.
    pub qualified_name: String,
    /// The source file, if there is one.
    pub file: Option<String>,
    /// The line of the class in it, from 1; 0 if unknown.
    pub line: u64,
    /// The docstring, with its indentation removed.
    pub documentation: Option<String>,
    /// `TRAIT_*` bits.
    pub traits: u64,
    /// The PHP parent first, then those bases whose methods stand among [`Self::methods`]. Empty for a class
    /// whose only base is `object`.
    pub bases: Vec<Base>,
    /// Public upper-case attributes with a value that a PHP constant can have.
    pub constants: Vec<Constant>,
    /// Public methods of the class itself and of the bases after the first, in the order of definition.
    pub methods: Vec<Method>,
    /// Attributes of a class with a PHP ancestor, which may be a property of that with another default.
    pub properties: Vec<Constant>,
}

/// A base of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The PHP name that it asks for.
    pub name: String,
    /// Its description's fingerprint; None of a PHP class.
    pub fingerprint: Option<Fingerprint>,
}

/// A class attribute that becomes a PHP constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Literal,
}

/// How a method is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodKind {
    /// Called on an object.
    Instance,
    /// A `staticmethod`.
    Static,
    /// A `classmethod`.
    Class,
    /// What `Foo_Bar(…)` takes: the signature of `__init__` or `__new__`. Its name is `__construct`.
    Constructor,
}

/// A method.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Python's name.
    pub name: String,
    /// How it is bound.
    pub kind: MethodKind,
    /// The parameters without `self` or `cls`; None where Python cannot tell, so that anything is passed on.
    pub parameters: Option<Vec<Parameter>>,
    /// The docstring.
    pub documentation: Option<String>,
    /// The line of the definition; 0 if unknown.
    pub line: u64,
}

/// How a parameter takes its argument, in the order of Python's `inspect.Parameter.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParameterKind {
    /// `def f(a, /)`
    PositionalOnly,
    /// `def f(a)`
    PositionalOrKeyword,
    /// `def f(*args)`
    VariadicPositional,
    /// `def f(*, a)`
    KeywordOnly,
    /// `def f(**kwargs)`
    VariadicKeyword,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// How it takes its argument.
    pub kind: ParameterKind,
    /// What it is when left out.
    pub default: DefaultValue,
}

/// What a parameter is when it is left out.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// It must be given.
    Required,
    /// Python's own default, which PHP cannot write: an object, or something mutable.
    Opaque,
    /// A value that PHP can write.
    Literal(Literal),
}

/// A value that stands in PHP source: constants and defaults.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// None.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A text, or bytes.
    Text(Vec<u8>),
    /// A list or tuple.
    List(Vec<Literal>),
    /// A dict, with keys that are integers or texts.
    Map(Vec<(Literal, Literal)>),
}

impl Described {
    /// Reads the payload of a `Described`.
    ///
    /// # Errors
    /// [`Malformed`] names the first thing that is wrong or over a limit.
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        exactly(&mut reader, "a described class", 4)?;
        let class = reader.unsigned("a class id")?;
        let fingerprint = read_fingerprint(&mut reader)?;
        let count = reader.array("ids of bases", MAX_BASES)?;
        let bases = (0..count).map(|_| reader.unsigned("a class id")).collect::<Result<Vec<_>, _>>()?;
        let description = match reader.clone().token()? {
            Token::Nil => {
                reader.token()?;
                None
            }
            _ => Some(ClassDescription::read(&mut reader)?),
        };
        reader.end()?;
        match &description {
            Some(description) if description.bases.len() != bases.len() => {
                Err(Malformed::Unexpected { expected: "as many ids as bases", found: "another number" })
            }
            _ => Ok(Self { class, fingerprint, bases, description }),
        }
    }
}

impl ClassDescription {
    /// Whether the class is an exception.
    #[must_use]
    pub const fn is_exception(&self) -> bool {
        self.traits & TRAIT_EXCEPTION != 0
    }

    /// Whether the class has abstract methods.
    #[must_use]
    pub const fn is_abstract(&self) -> bool {
        self.traits & TRAIT_ABSTRACT != 0
    }

    /// Whether one of the spellings of the class's name means another class of the same file.
    #[must_use]
    pub const fn shares_its_name(&self) -> bool {
        self.traits & TRAIT_SHARED_NAME != 0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        exactly(reader, "a class description", 11)?;
        let name = reader.name("a PHP class name")?.to_owned();
        if !name.split('\\').all(is_identifier) {
            return Err(Malformed::NotAnIdentifier("a PHP class name"));
        }
        Ok(Self {
            name,
            module: reader.text("a module name", MAX_NAME_BYTES)?.to_owned(),
            qualified_name: reader.text("a qualified name", MAX_NAME_BYTES)?.to_owned(),
            file: reader.optional_text("a source file", MAX_PATH_BYTES)?.map(str::to_owned),
            line: reader.unsigned("a line number")?,
            documentation: read_documentation(reader)?,
            traits: reader.unsigned("the traits of a class")?,
            bases: list(reader, "bases", MAX_BASES, Base::read)?,
            constants: list(reader, "constants", MAX_CONSTANTS, Constant::read)?,
            methods: list(reader, "methods", MAX_METHODS, Method::read)?,
            properties: list(reader, "properties", MAX_METHODS, Constant::read)?,
        })
    }
}

impl Base {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        exactly(reader, "a base", 2)?;
        Ok(Self {
            name: reader.name("a base's name")?.to_owned(),
            fingerprint: match reader.clone().token()? {
                Token::Nil => {
                    reader.token()?;
                    None
                }
                _ => Some(read_fingerprint(reader)?),
            },
        })
    }
}

impl Constant {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        exactly(reader, "a constant", 2)?;
        Ok(Self { name: identifier(reader, "a constant's name")?, value: Literal::read(reader, MAX_LITERAL_DEPTH)? })
    }
}

impl Method {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        exactly(reader, "a method", 5)?;
        let name = identifier(reader, "a method's name")?;
        let kind = match reader.unsigned("a method's kind")? {
            0 => MethodKind::Instance,
            1 => MethodKind::Static,
            2 => MethodKind::Class,
            3 => MethodKind::Constructor,
            _ => {
                return Err(Malformed::Unexpected { expected: "a method's kind from 0 to 3", found: "another number" });
            }
        };
        let parameters = match reader.clone().token()? {
            Token::Nil => {
                reader.token()?;
                None
            }
            _ => Some(list(reader, "parameters", MAX_PARAMETERS, Parameter::read)?),
        };
        let documentation = read_documentation(reader)?;
        Ok(Self { name, kind, parameters, documentation, line: reader.unsigned("a line number")? })
    }
}

impl Parameter {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let fields = reader.array("a parameter", 3)?;
        let name = identifier(reader, "a parameter's name")?;
        let kind = match reader.unsigned("a parameter's kind")? {
            0 => ParameterKind::PositionalOnly,
            1 => ParameterKind::PositionalOrKeyword,
            2 => ParameterKind::VariadicPositional,
            3 => ParameterKind::KeywordOnly,
            4 => ParameterKind::VariadicKeyword,
            _ => {
                return Err(Malformed::Unexpected {
                    expected: "a parameter's kind from 0 to 4",
                    found: "another number",
                });
            }
        };
        let default = match fields {
            2 => DefaultValue::Required,
            3 => match reader.array("a default", 1)? {
                0 => DefaultValue::Opaque,
                _ => DefaultValue::Literal(Literal::read(reader, MAX_LITERAL_DEPTH)?),
            },
            _ => return Err(Malformed::Unexpected { expected: "2 or 3 fields of a parameter", found: "fewer" }),
        };
        Ok(Self { name, kind, default })
    }
}

/// Nesting of a constant: a table is about as much as anyone writes.
const MAX_LITERAL_DEPTH: u32 = 8;

impl Literal {
    fn read(reader: &mut Reader<'_>, depth: u32) -> Result<Self, Malformed> {
        Ok(match reader.token()? {
            Token::Nil => Self::Null,
            Token::Boolean(value) => Self::Boolean(value),
            Token::Integer(value) => Self::Integer(value),
            Token::Float(value) => Self::Float(value),
            Token::Text(bytes) | Token::Binary(bytes) => Self::Text(bytes.to_vec()),
            Token::Array(_) if depth == 0 => return Err(Malformed::TooDeep),
            Token::Array(count) => {
                Self::List((0..count).map(|_| Self::read(reader, depth - 1)).collect::<Result<_, _>>()?)
            }
            Token::Map(_) if depth == 0 => return Err(Malformed::TooDeep),
            Token::Map(count) => Self::Map(
                (0..count)
                    .map(|_| match Self::read(reader, 0)? {
                        key @ (Self::Integer(_) | Self::Text(_)) => Ok((key, Self::read(reader, depth - 1)?)),
                        _ => Err(Malformed::Unexpected {
                            expected: "an integer or a text as a key",
                            found: "another value",
                        }),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            other => return Err(Malformed::Unexpected { expected: "a literal", found: other.describe() }),
        })
    }
}

/// Whether PHP and Python both take `name` for an identifier: letters, digits, `_` and anything beyond ASCII.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && !name.as_bytes()[0].is_ascii_digit()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80)
}

fn identifier(reader: &mut Reader<'_>, what: &'static str) -> Result<String, Malformed> {
    let name = reader.name(what)?;
    if is_identifier(name) { Ok(name.to_owned()) } else { Err(Malformed::NotAnIdentifier(what)) }
}

fn read_fingerprint(reader: &mut Reader<'_>) -> Result<Fingerprint, Malformed> {
    reader
        .optional_binary("a fingerprint", FINGERPRINT_BYTES)?
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Malformed::Unexpected { expected: "a fingerprint of 16 bytes", found: "fewer" })
}

fn read_documentation(reader: &mut Reader<'_>) -> Result<Option<String>, Malformed> {
    Ok(reader.optional_text("a docstring", MAX_DOCUMENTATION_BYTES)?.map(str::to_owned))
}

fn exactly(reader: &mut Reader<'_>, what: &'static str, fields: usize) -> Result<(), Malformed> {
    match reader.array(what, fields)? {
        count if count == fields => Ok(()),
        _ => Err(Malformed::Unexpected { expected: what, found: "an array of fewer fields" }),
    }
}

fn list<T>(
    reader: &mut Reader<'_>,
    what: &'static str,
    limit: usize,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = reader.array(what, limit)?;
    (0..count).map(|_| read(reader)).collect()
}
