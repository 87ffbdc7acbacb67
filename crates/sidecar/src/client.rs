//! A client of a sidecar as PHP is one, for debugging: a session, and requests to it one after the other.

mod call;
mod json;

use std::time::Duration;

use tortoise_channel::{Channel, ChannelError, Kind as Carrier};
use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::codec::{Malformed, Writer};
use tortoise_protocol::description::Described;
use tortoise_protocol::failure::{Category, Failure};
use tortoise_protocol::frame::{self, FLAG_BIG_INTEGERS, Header, Kind};
use tortoise_protocol::handshake::{Hello, Refusal, Welcome};
use tortoise_protocol::limits::{MAX_FRAME_BYTES, MAX_HELLO_BYTES};
use tortoise_protocol::rebound::Rebound;
use tortoise_protocol::request::{Selector, write_describe};

pub(crate) use self::call::{Request, call, time_calls};
use crate::target::{Target, TargetError};

/// A sidecar refuses a client that it cannot serve for 5 seconds, and a new worker may take longer than that.
const WELCOME: Duration = Duration::from_secs(60);

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

    /// The description of a class.
    fn describe(&mut self, selector: Selector<'_>) -> Result<Described, ClientError> {
        self.request(Kind::Describe, Kind::Described, |writer| {
            write_describe(writer, selector, None);
            Ok(())
        })?;
        Described::read(&self.payload).map_err(|error| self.lost(error.into()))
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
