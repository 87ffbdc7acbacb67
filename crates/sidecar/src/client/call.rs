//! What is asked of a session: to call a method once, and to be timed.

use std::time::{Duration, Instant};

use serde_json::Value;
use tortoise_protocol::codec::{Malformed, Writer};
use tortoise_protocol::description::{Described, MethodKind};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::{MethodName, Selector};

use super::{Client, ClientError, json};
use crate::target::Target;

/// How often a session may retire before it has done anything; at the second time something is wrong.
const ATTEMPTS: usize = 8;

/// The id of the object that the client makes. A client chooses odd ones.
const OBJECT: u64 = 1;

/// What to call.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    /// The PHP name of the class.
    pub(crate) class: &'a str,
    /// The method.
    pub(crate) method: &'a str,
    /// What the constructor gets, if the method is one of objects.
    pub(crate) constructor: &'a [Value],
    /// What the method gets by position.
    pub(crate) arguments: &'a [Value],
    /// What it gets by name.
    pub(crate) named: &'a serde_json::Map<String, Value>,
}

impl Client {
    /// Calls a method: of the class, or of an object that is made for it. Gives what it returns, as JSON.
    ///
    /// # Errors
    /// [`ClientError::Failure`] with what Python raised.
    fn call(&mut self, request: &Request<'_>) -> Result<Value, ClientError> {
        let class = self.describe(Selector::Name(request.class))?;
        let target = match self.kind_of(&class, request.method)? {
            Some(MethodKind::Static | MethodKind::Class) => class.class,
            _ => {
                self.request(Kind::Construct, Kind::Value, |writer| {
                    writer.unsigned(class.class);
                    writer.unsigned(OBJECT);
                    write_arguments(writer, request.constructor, &serde_json::Map::new())
                })?;
                OBJECT
            }
        };
        self.request(Kind::Call, Kind::Value, |writer| {
            writer.unsigned(target);
            MethodName::Text(request.method).write(writer);
            write_arguments(writer, request.arguments, request.named)
        })?;
        let value = json::read(&self.payload, &mut self.channel).map_err(|error| self.lost(error))?;
        self.named(value)
    }

    /// How a method is bound, in the class or the nearest of its parents that has it.
    fn kind_of(&mut self, class: &Described, method: &str) -> Result<Option<MethodKind>, ClientError> {
        let mut class = class.clone();
        loop {
            let methods = class.description.iter().flat_map(|description| &description.methods);
            if let Some(found) = methods.into_iter().find(|each| each.name == method) {
                return Ok(Some(found.kind));
            }
            match class.bases.first() {
                // A class of PHP's has no id.
                None | Some(0) => return Ok(None),
                Some(base) => class = self.describe(Selector::Class(*base))?,
            }
        }
    }

    /// Says of objects which class they are of.
    fn named(&mut self, value: Value) -> Result<Value, ClientError> {
        Ok(match value {
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.named(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => match map.get(json::CLASS_KEY).and_then(Value::as_u64) {
                Some(0) => json::object("PyObject"),
                Some(class) => {
                    let class = self.describe(Selector::Class(class))?;
                    json::object(class.description.as_ref().map_or("PyObject", |class| class.name.as_str()))
                }
                None => {
                    let items = map.into_iter().map(|(key, item)| Ok((key, self.named(item)?)));
                    Value::Object(items.collect::<Result<_, ClientError>>()?)
                }
            },
            other => other,
        })
    }
}

/// Makes one call in a session of its own.
///
/// # Errors
/// [`ClientError`].
pub(crate) fn call(target: &Target, request: &Request<'_>) -> Result<Value, ClientError> {
    for _ in 0..ATTEMPTS {
        match Client::connect(target, false)?.call(request) {
            Err(ClientError::Retired) => {}
            result => return result,
        }
    }
    Err(ClientError::Retired)
}

/// The time of a call: reads an attribute of an object so often, and gives the median.
///
/// # Errors
/// [`ClientError`].
pub(crate) fn time_calls(client: &mut Client, count: usize) -> Result<Duration, ClientError> {
    let class = client.describe(Selector::Name("Tortoise\\Python\\KeyError"))?;
    client.request(Kind::Construct, Kind::Value, |writer| {
        writer.unsigned(class.class);
        writer.unsigned(OBJECT);
        write_arguments(writer, &[], &serde_json::Map::new())
    })?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        client.request(Kind::Get, Kind::Value, |writer| {
            writer.unsigned(OBJECT);
            writer.text("args");
            Ok(())
        })?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(count / 2).copied().unwrap_or_default())
}

fn write_arguments(
    writer: &mut Writer<'_>,
    arguments: &[Value],
    named: &serde_json::Map<String, Value>,
) -> Result<(), Malformed> {
    writer.array(arguments.len());
    arguments.iter().try_for_each(|argument| json::write(writer, argument))?;
    writer.map(named.len());
    named.iter().try_for_each(|(name, argument)| {
        writer.text(name);
        json::write(writer, argument)
    })
}
