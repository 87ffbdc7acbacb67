//! Where in a value something could not be converted: `args[2]["when"]`.

use std::fmt::Write;

use ext_php_rs::types::Zval;

use crate::engine::Key;
use crate::error::BridgeError;

/// A value that is nested too deep has a path nobody can read: its beginning says enough.
const SHOWN_STEPS: usize = 16;

/// Bytes of a key that a path shows.
const SHOWN_KEY_BYTES: usize = 60;

/// A value that cannot cross, and the way to it, innermost step first: it is put together only on the way out.
#[derive(Debug)]
pub(crate) struct Unconvertible {
    steps: Vec<String>,
    kind: Kind,
    message: String,
}

#[derive(Debug)]
enum Kind {
    Conversion,
    Stale,
    Pending,
    Unmade(Zval),
}

impl Unconvertible {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { steps: Vec::new(), kind: Kind::Conversion, message: message.into() }
    }

    /// The value is a proxy whose session is gone.
    pub(super) fn stale() -> Self {
        Self {
            steps: Vec::new(),
            kind: Kind::Stale,
            message: "this object's Python session is gone; make the object anew".to_owned(),
        }
    }

    /// A PHP exception is pending, which says more.
    pub(super) const fn pending() -> Self {
        Self { steps: Vec::new(), kind: Kind::Pending, message: String::new() }
    }

    /// The value is an object without its Python half.
    pub(super) const fn unmade(half: Zval) -> Self {
        Self { steps: Vec::new(), kind: Kind::Unmade(half), message: String::new() }
    }

    /// Within the element of this key.
    pub(super) fn at(mut self, key: Key<'_>) -> Self {
        self.steps.push(match key {
            Key::Index(index) => format!("[{index}]"),
            Key::Name(name) => {
                let shown = &name[..name.len().min(SHOWN_KEY_BYTES)];
                let rest = if shown.len() < name.len() { "…" } else { "" };
                format!("[\"{}{rest}\"]", String::from_utf8_lossy(shown).escape_debug())
            }
        });
        self
    }

    /// The error to throw; `root` says what the path begins with.
    pub(crate) fn within(self, root: &str) -> BridgeError {
        let mut text = root.to_owned();
        for step in self.steps.iter().rev().take(SHOWN_STEPS) {
            text.push_str(step);
        }
        let hidden = self.steps.len().saturating_sub(SHOWN_STEPS);
        if hidden > 0 {
            let _ = write!(text, "… and {hidden} levels below");
        }
        let _ = write!(text, ": {}", self.message);
        match self.kind {
            Kind::Conversion => BridgeError::Conversion(text),
            Kind::Stale => BridgeError::Stale(text),
            Kind::Pending => BridgeError::Pending,
            Kind::Unmade(half) => BridgeError::Unmade(half),
        }
    }
}
