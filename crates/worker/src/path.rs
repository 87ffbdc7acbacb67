//! Where in a value something stands: `return value["rows"][2]`.

use std::fmt::{self, Write};

/// Characters of a key that a path shows.
const SHOWN_KEY_CHARACTERS: usize = 40;

/// What the value is to the call.
#[derive(Debug, Clone)]
pub(crate) enum Root {
    /// What a call gave back.
    ReturnValue,
    /// What an iterator gave.
    Items,
    /// What an object holds.
    Elements,
    /// What `__enter__` gave back.
    EnteredValue,
    /// What an attribute held.
    Attribute(String),
    /// What an attribute is to hold.
    NewValue(String),
    /// An argument by its place, from 0.
    Argument(usize),
    /// An argument by its name.
    NamedArgument(String),
    /// What Python calls it.
    Called(String),
}

/// One step into a value.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The place in a list.
    Index(usize),
    /// An integer key.
    Number(i64),
    /// A text key, shortened.
    Key(String),
}

/// The steps from a bad element outwards. It stays empty, and so costs nothing, as long as nothing is wrong.
#[derive(Debug, Default)]
pub(crate) struct Path {
    outwards: Vec<Step>,
}

impl Step {
    /// The step of a text key.
    pub(crate) fn key(key: &str) -> Self {
        match key.char_indices().nth(SHOWN_KEY_CHARACTERS) {
            None => Self::Key(key.to_owned()),
            Some((end, _)) => Self::Key(format!("{}…", &key[..end])),
        }
    }
}

impl Path {
    /// The element stood here in its container.
    pub(crate) fn push(&mut self, step: Step) {
        self.outwards.push(step);
    }

    /// The whole path.
    pub(crate) fn from(&self, root: &Root) -> String {
        /// A value that is nested too deep has a path nobody can read: its two ends say enough.
        const SHOWN_STEPS: usize = 16;

        let mut out = root.to_string();
        let inwards = || self.outwards.iter().rev();
        let hidden = self.outwards.len().saturating_sub(SHOWN_STEPS);
        for step in inwards().take(SHOWN_STEPS) {
            let _ = write!(out, "{step}");
        }
        if hidden > 0 {
            let _ = write!(out, "… and {hidden} levels below");
        }
        out
    }
}

impl fmt::Display for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReturnValue => formatter.write_str("return value"),
            Self::Items => formatter.write_str("items"),
            Self::Elements => formatter.write_str("elements"),
            Self::EnteredValue => formatter.write_str("return value of __enter__"),
            Self::Attribute(name) => write!(formatter, "attribute {name}"),
            Self::NewValue(name) => write!(formatter, "new value of {name}"),
            Self::Argument(index) => write!(formatter, "args[{index}]"),
            Self::NamedArgument(name) => write!(formatter, "kwargs[{name:?}]"),
            Self::Called(words) => formatter.write_str(words),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(formatter, "[{index}]"),
            Self::Number(key) => write!(formatter, "[{key}]"),
            Self::Key(key) => write!(formatter, "[{key:?}]"),
        }
    }
}
