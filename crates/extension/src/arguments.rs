//! The arguments of a call on their way to the wire: which are positional, which travel by name, which are missing.

use ext_php_rs::types::Zval;
use tortoise_protocol::description::Literal;
use tortoise_protocol::limits::MAX_ARGUMENTS;

use crate::engine::{Arguments, Frame, Key, class_name, elements};
use crate::error::BridgeError;
use crate::link::Outgoing;
use crate::synthesis::DeclaredMethod;
use crate::values::{write_name, write_value};

/// The constant `Tortoise\LEFT_OUT`: a parameter's default that only Python can write. Passing it passes nothing.
pub(crate) const LEFT_OUT: &str = "\u{1}tortoise: left out, Python's default\u{1}";

/// Writes the positional and the named arguments of a call.
pub(crate) trait WriteArguments {
    /// Writes an array and a map.
    ///
    /// # Errors
    /// [`BridgeError`] names the argument that cannot cross.
    fn write(&self, writer: &mut Outgoing<'_>) -> Result<(), BridgeError>;
}

/// What a generated method was called with.
pub(crate) struct PassedArguments<'a> {
    pub(crate) method: &'a DeclaredMethod,
    pub(crate) arguments: Arguments<'a>,
}

/// What a native function with one variadic parameter was called with.
pub(crate) struct NativeArguments<'a>(pub(crate) Arguments<'a>);

impl WriteArguments for NativeArguments<'_> {
    fn write(&self, writer: &mut Outgoing<'_>) -> Result<(), BridgeError> {
        let count = self.0.list_length()?;
        let named = self.0.names().count();
        check_number(count.max(named))?;
        writer.array(count);
        for (at, value) in self.0.list().take(count).enumerate() {
            write_value(writer, value).map_err(|error| error.within(&format!("args[{at}]")))?;
        }
        writer.map(named);
        self.0.write_names(writer)
    }
}

impl<'a> Arguments<'a> {
    /// What the variadic parameter collected, without and with names.
    fn collected(&self) -> impl Iterator<Item = (Key<'a>, &'a Zval)> {
        // SAFETY: the frame keeps the table, and nothing changes it while the arguments are written.
        self.collected.into_iter().flat_map(|table| unsafe { elements(table) })
    }

    /// What was given, if it is exactly `count` arguments without names, of at most two.
    pub(crate) fn exactly(&self, count: usize) -> Option<[Option<&'a Zval>; 2]> {
        if self.names().next().is_some() {
            return None;
        }
        let mut given = self.positional.iter().chain(self.list()).filter(|value| !is_left_out(value));
        let arguments = [0, 1].map(|at| if at < count { given.next() } else { None });
        let is_exact = given.next().is_none() && arguments.iter().flatten().count() == count;
        is_exact.then_some(arguments)
    }

    fn names(&self) -> impl Iterator<Item = (&'a [u8], &'a Zval)> {
        self.collected()
            .filter_map(|(key, value)| match key {
                Key::Name(name) => Some((name, value)),
                Key::Index(_) => None,
            })
            .filter(|(_, value)| !is_left_out(value))
    }

    /// The arguments that the callee declares no parameters for.
    fn list(&self) -> impl Iterator<Item = &'a Zval> {
        let collected = self.collected().filter_map(|(key, value)| matches!(key, Key::Index(_)).then_some(value));
        self.surplus.iter().chain(collected)
    }

    /// How long the list is without those at its end that were left out.
    fn list_length(&self) -> Result<usize, BridgeError> {
        let mut length = 0;
        for (at, _) in self.list().enumerate().filter(|(_, value)| !is_left_out(value)) {
            if at > length {
                return Err(BridgeError::ArgumentCount(
                    "an argument without a name cannot be left out before another one without a name".to_owned(),
                ));
            }
            length = at + 1;
        }
        Ok(length)
    }

    fn write_names(&self, writer: &mut Outgoing<'_>) -> Result<(), BridgeError> {
        self.names().try_for_each(|(name, value)| {
            let Ok(name) = std::str::from_utf8(name) else {
                let shown = String::from_utf8_lossy(name).into_owned();
                return Err(BridgeError::Conversion(format!("the argument name \"{shown}\" is not UTF-8")));
            };
            write_name(writer, name)?;
            write_value(writer, value).map_err(|error| error.within(&format!("args[\"{name}\"]")))
        })
    }
}

impl PassedArguments<'_> {
    /// Checks that Python will get what it must be given.
    ///
    /// # Errors
    /// [`BridgeError::ArgumentCount`] names what is missing.
    pub(crate) fn check(&self, frame: Frame<'_>, method: &DeclaredMethod) -> Result<(), BridgeError> {
        let given = self.arguments.positional;
        let missing = method.missing(
            |position| given.get(position).is_some_and(|value| !is_left_out(value)),
            |name| self.arguments.names().any(|(given, _)| given == name.as_bytes()),
        );
        if missing.is_empty() {
            return Ok(());
        }
        // SAFETY: the class of a running method is live.
        let class = unsafe { class_name(frame.called_class()) };
        let names: Vec<_> = missing.iter().map(|name| format!("${name}")).collect();
        let verb = if names.len() == 1 { "argument is" } else { "arguments are" };
        let names = names.join(", ");
        Err(BridgeError::ArgumentCount(format!("{class}::{}(): the {verb} missing: {names}", method.php_name)))
    }

    /// The position of the first argument that was left out, or the number of arguments.
    fn gap(&self) -> usize {
        let mut given = self.arguments.positional.iter().enumerate();
        given.position(|(at, value)| self.is_absent(at, value)).unwrap_or(self.arguments.positional.len())
    }

    /// The arguments behind a gap, which must travel by name.
    fn behind(&self, gap: usize) -> impl Iterator<Item = (usize, &Zval)> {
        let given = self.arguments.positional.iter().enumerate().skip(gap);
        given.filter(|(at, value)| !self.is_absent(*at, value))
    }

    /// Whether the caller left the argument out.
    ///
    /// The engine does not tell a default that it filled in before a named argument from the same value passed. Python
    /// fills in the same, and its own: where PHP shows a text the default may be bytes.
    fn is_absent(&self, position: usize, value: &Zval) -> bool {
        if is_left_out(value) {
            return true;
        }
        let parameters = &self.method.parameters;
        let must_stand = || parameters.get(position + 1).is_some_and(|next| next.is_positional_only);
        self.arguments.has_filled_in
            && parameters[position].shown_value().is_some_and(|default| is_same(default, value))
            && !must_stand()
    }

    fn shown_name(&self, position: usize) -> &str {
        self.method.parameters.get(position).map_or("", |parameter| &parameter.php_name)
    }
}

impl WriteArguments for PassedArguments<'_> {
    fn write(&self, writer: &mut Outgoing<'_>) -> Result<(), BridgeError> {
        let gap = self.gap();
        let behind = self.behind(gap).count();
        let more = self.arguments.list_length()?;
        let is_gap = gap < self.arguments.positional.len();
        let needs_position = |(at, _): (usize, &Zval)| {
            self.method.parameters.get(at).is_none_or(|parameter| parameter.is_positional_only)
        };
        if is_gap && (more > 0 || self.behind(gap).any(needs_position)) {
            return Err(BridgeError::ArgumentCount(format!(
                "{}(): ${} cannot be left out, because an argument behind it has no name",
                self.method.php_name,
                self.shown_name(gap)
            )));
        }
        let named = behind + self.arguments.names().count();
        check_number((gap + more).max(named))?;
        writer.array(gap + more);
        let positional = self.arguments.positional[..gap].iter();
        for (at, value) in positional.chain(self.arguments.list().take(more)).enumerate() {
            write_value(writer, value).map_err(|error| error.within(&format!("args[{at}]")))?;
        }
        writer.map(named);
        for (at, value) in self.behind(gap) {
            let parameter = &self.method.parameters[at];
            // PHP cannot see this where a parameter is renamed, because Python's name is one that PHP refuses.
            if self.arguments.names().any(|(name, _)| name == parameter.python_name.as_bytes()) {
                return Err(BridgeError::ArgumentCount(format!(
                    "{}(): ${} is given twice, once as {}",
                    self.method.php_name, parameter.php_name, parameter.python_name
                )));
            }
            writer.text(&parameter.python_name);
            write_value(writer, value).map_err(|error| error.within(&format!("args[\"{}\"]", self.shown_name(at))))?;
        }
        self.arguments.write_names(writer)
    }
}

/// # Errors
/// [`BridgeError::ArgumentCount`] if there are more arguments than a call can have.
fn check_number(count: usize) -> Result<(), BridgeError> {
    if count > MAX_ARGUMENTS {
        return Err(BridgeError::ArgumentCount(format!(
            "a call has at most {MAX_ARGUMENTS} arguments, this one {count}; pass an array instead"
        )));
    }
    Ok(())
}

/// Whether a value is what PHP shows as a default.
fn is_same(default: &Literal, value: &Zval) -> bool {
    match default {
        Literal::Null => value.is_null(),
        Literal::Boolean(boolean) => value.bool() == Some(*boolean),
        Literal::Integer(integer) => value.long() == Some(*integer),
        Literal::Float(float) => value.double().is_some_and(|value| value.to_bits() == float.to_bits()),
        Literal::Text(text) => value.zend_str().is_some_and(|value| value.as_bytes() == text),
        Literal::List(_) | Literal::Map(_) => false,
    }
}

/// Whether the argument is the constant that stands for a default that only Python can write, or was never set.
fn is_left_out(value: &Zval) -> bool {
    // SAFETY: every zval has a type; that of an argument that was never set is 0.
    if unsafe { value.u1.type_info } == 0 {
        return true;
    }
    value.zend_str().is_some_and(|text| text.as_bytes() == LEFT_OUT.as_bytes())
}
