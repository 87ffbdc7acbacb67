//! A client that says what a test tells it to say.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::ask::{Ask, Told};
use tortoise_protocol::frame::{HEADER_BYTES, Header, Kind, begin, finish};
use tortoise_protocol::handshake::{AccessToken, Hello, Refusal, Welcome};

/// No answer takes this long, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client hears after its hello.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may call.
    Welcome(Welcome),
    /// It may not.
    Refusal(Refusal),
    /// What it asked.
    Told(Told),
    /// The connection ended without a word.
    Closed,
}

/// A hello of this build that names `roots`.
#[must_use]
pub fn hello(roots: &[&str]) -> Hello {
    Hello {
        product: PRODUCT_VERSION.to_owned(),
        process: u64::from(std::process::id()),
        roots: roots.iter().map(|root| (*root).to_owned()).collect(),
        modules: Vec::new(),
        shared_memory: false,
        token: None,
    }
}

/// The payload as a frame.
///
/// # Panics
/// If it is over the limit of a frame.
#[must_use]
pub fn frame(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    begin(&mut buffer);
    buffer.extend_from_slice(payload);
    finish(&mut buffer, Header::new(kind, 0)).expect("a frame within the limit");
    buffer
}

/// The hello as a frame.
#[must_use]
pub fn hello_frame(hello: &Hello) -> Vec<u8> {
    let mut payload = Vec::new();
    hello.write(&mut payload);
    frame(Kind::Hello, &payload)
}

/// A question of this build as a frame.
#[must_use]
pub fn ask_frame(command: &str, token: Option<AccessToken>) -> Vec<u8> {
    let mut payload = Vec::new();
    Ask::new(command, token).write(&mut payload);
    frame(Kind::Ask, &payload)
}

/// Connects, with a bound on how long an answer may take.
///
/// # Errors
/// Those of the system.
pub fn connect(socket: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Waits for the answer to a hello and reads not a byte more.
///
/// # Panics
/// If something else comes, or nothing within a minute.
pub fn answer(stream: &mut impl Read) -> Answer {
    let mut head = [0; HEADER_BYTES];
    match stream.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            return Answer::Closed;
        }
        Err(error) => panic!("no answer: {error}"),
    }
    let header = Header::decode(&head, 1 << 20).expect("a header");
    let mut payload = vec![0; header.payload_bytes as usize];
    stream.read_exact(&mut payload).expect("the payload");
    match header.kind {
        Kind::Welcome => Answer::Welcome(Welcome::read(&payload).expect("a welcome")),
        Kind::Told => Answer::Told(Told::read(&payload).expect("an answer")),
        Kind::Refusal => Answer::Refusal(Refusal::read(&payload).expect("a refusal")),
        other => panic!("a {other:?} where an answer to a hello was due"),
    }
}
