//! A client of a sidecar as PHP is one, for debugging: a session, and requests to it one after the other.

mod json;

use std::time::{Duration, Instant};

use serde_json::Value;
use tortoise_channel::{Channel, ChannelError, Kind as Carrier};
use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::codec::{Malformed, Writer};
use tortoise_protocol::description::{Described, MethodKind};
use tortoise_protocol::failure::{Category, Failure};
use tortoise_protocol::frame::{self, FLAG_BIG_INTEGERS, Header, Kind};
use tortoise_protocol::handshake::{Hello, Refusal, Welcome};
use tortoise_protocol::limits::{MAX_FRAME_BYTES, MAX_HELLO_BYTES};
use tortoise_protocol::rebound::Rebound;
use tortoise_protocol::request::{MethodName, Selector, write_describe};

use crate::target::{Target, TargetError};

/// A sidecar refuses a client that it cannot serve for 5 seconds, and a new worker may take longer than that.
const WELCOME: Duration = Duration::from_secs(60);

/// How often a session may retire before it has done anything; at the second time something is wrong.
const ATTEMPTS: usize = 8;

/// The id of the object that [`Client::call`] makes. A client chooses odd ones.
const OBJECT: u64 = 1;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is nobody to ask.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The sidecar does not take us.
    #[error("the sidecar at {address} refuses: {message}; {log}")]
    Refused {
        /// Where it listens.
        address: String,
        /// Its words.
        message: String,
        /// Where its log may be.
        log: String,
    },
    /// The session is gone, or nonsense came from it.
    #[error("the connection to the sidecar at {address} was lost: {error}; {log}")]
    Lost {
        /// Where it listens.
        address: String,
        /// What happened.
        error: ChannelError,
        /// Where its log may be.
        log: String,
    },
    /// What was asked for went wrong in Python, or is not for clients.
    #[error("{}", .0.message)]
    Failure(Box<Failure>),
    /// The session has retired before it did anything.
    #[error("each session retires at once; look at max_requests, max_age, max_memory and at the sidecar's log")]
    Retired,
}

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

/// A connection to a session.
pub(crate) struct Client {
    target: Target,
    channel: Channel,
    welcome: Welcome,
    calls: u64,
    frame: Vec<u8>,
    payload: Vec<u8>,
}

impl Client {
    /// Connects, and waits for the welcome.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(crate) fn connect(target: &Target, shared_memory: bool) -> Result<Self, ClientError> {
        let channel = target.connect()?;
        let welcome = Welcome { product: String::new(), process: 0, python: String::new() };
        let (frame, payload) = (Vec::new(), Vec::new());
        let mut client = Self { target: target.clone(), channel, welcome, calls: 0, frame, payload };
        client.greet(shared_memory)?;
        Ok(client)
    }

    /// What the frames go through.
    pub(crate) fn carrier(&self) -> Carrier {
        self.channel.kind()
    }

    /// What the session said of itself.
    pub(crate) fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// Bounds how long each answer may take.
    ///
    /// # Errors
    /// [`ClientError::Lost`], if the system refuses.
    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), ClientError> {
        self.channel.set_timeout(timeout).map_err(|error| self.lost(error))
    }

    fn greet(&mut self, shared_memory: bool) -> Result<(), ClientError> {
        let hello = Hello {
            product: PRODUCT_VERSION.to_owned(),
            process: u64::from(std::process::id()),
            // All that the sidecar serves.
            roots: Vec::new(),
            modules: Vec::new(),
            shared_memory,
            token: self.target.token.clone(),
        };
        frame::begin(&mut self.frame);
        hello.write(&mut self.frame);
        self.set_timeout(Some(WELCOME))?;
        // One that refuses before it reads has still said why.
        let sent = self.send(Header::new(Kind::Hello, 0));
        let header = match (self.channel.receive_first(&mut self.payload, MAX_HELLO_BYTES), sent) {
            (Ok(header), _) => header,
            (Err(_), Err(error)) => return Err(error),
            (Err(error), Ok(())) => return Err(self.lost(error)),
        };
        match header.kind {
            Kind::Welcome => self.welcome = Welcome::read(&self.payload).map_err(|error| self.lost(error.into()))?,
            Kind::Refusal => {
                let refusal = Refusal::read(&self.payload).map_err(|error| self.lost(error.into()))?;
                return Err(ClientError::Refused {
                    address: self.target.address.to_string(),
                    message: refusal.message,
                    log: self.target.log.to_string(),
                });
            }
            _ => return Err(self.unexpected("a welcome")),
        }
        self.set_timeout(None)
    }

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

    fn describe(&mut self, selector: Selector<'_>) -> Result<Described, ClientError> {
        self.request(Kind::Describe, Kind::Described, |writer| {
            write_describe(writer, selector, None);
            Ok(())
        })?;
        Described::read(&self.payload).map_err(|error| self.lost(error.into()))
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

    /// Sends a request and waits for its answer, which is in `payload` then.
    fn request(
        &mut self,
        kind: Kind,
        answer: Kind,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Malformed>,
    ) -> Result<(), ClientError> {
        frame::begin(&mut self.frame);
        write(&mut Writer::new(&mut self.frame)).map_err(|error| self.lost(error.into()))?;
        self.calls += 1;
        let call = self.calls;
        self.send(Header { flags: FLAG_BIG_INTEGERS, ..Header::new(kind, call) })?;
        loop {
            let header = self.channel.receive(&mut self.payload, MAX_FRAME_BYTES).map_err(|error| self.lost(error))?;
            match header.kind {
                Kind::Retired => return Err(ClientError::Retired),
                Kind::PhpRelease => {}
                kind if kind.is_callback() => self.refuse(&header)?,
                Kind::Failure => {
                    let failure = Failure::read(&self.payload).map_err(|error| self.lost(error.into()))?;
                    return Err(ClientError::Failure(Box::new(failure)));
                }
                kind if kind == answer && header.call == call => return Ok(()),
                _ => return Err(self.unexpected("an answer")),
            }
        }
    }

    /// Tells Python that there is no PHP behind us.
    fn refuse(&mut self, callback: &Header) -> Result<(), ClientError> {
        frame::begin(&mut self.frame);
        let message = "there is no PHP here: the call was made by `tortoise call`";
        Rebound::Refused(Category::Access, message).write(&mut Writer::new(&mut self.frame));
        self.send(Header { thread: callback.thread, ..Header::new(Kind::Threw, callback.call) })
    }

    fn send(&mut self, header: Header) -> Result<(), ClientError> {
        frame::finish(&mut self.frame, header).map_err(|error| self.lost(error.into()))?;
        self.channel.send(&self.frame).map_err(|error| self.lost(error))
    }

    fn lost(&self, error: ChannelError) -> ClientError {
        ClientError::Lost { address: self.target.address.to_string(), error, log: self.target.log.to_string() }
    }

    fn unexpected(&self, expected: &'static str) -> ClientError {
        self.lost(Malformed::Unexpected { expected, found: "something else" }.into())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        frame::begin(&mut self.frame);
        // If it is gone, it knows that too.
        let _ = self.send(Header::new(Kind::EndRequest, 0));
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
