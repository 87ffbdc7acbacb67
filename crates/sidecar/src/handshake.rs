//! Reads one hello or question, to the byte, from a peer that nobody knows yet; writes answers.

use std::io::{self, Write};
use std::time::Duration;

use socket2::Socket;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tortoise_protocol::ask::{Ask, Told};
use tortoise_protocol::frame::{self, HEADER_BYTES, Header, Kind};
use tortoise_protocol::handshake::{Hello, HelloError, Refusal};
use tortoise_protocol::limits::MAX_HELLO_BYTES;

/// Why there is no hello.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// The peer went before its hello was whole.
    #[error("the peer left before its hello was whole")]
    Left,
    /// The peer took too long.
    #[error("no hello within {} s", .0.as_secs_f64())]
    TooSlow(Duration),
    /// The peer speaks something else.
    #[error("the peer does not speak Tortoise's protocol (its first bytes are {:?})", String::from_utf8_lossy(.0))]
    NotTortoise(Vec<u8>),
    /// The peer speaks Tortoise's protocol and is told what is wrong.
    #[error("{0}")]
    Hello(HelloError),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl HandshakeError {
    /// What to answer; nothing to a peer that would not understand it.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Hello(HelloError::UnknownVersion(version)) => {
                Some(Refusal::of_version(&format!("wire version {version}")))
            }
            Self::Hello(error @ HelloError::Malformed(_)) => {
                Some(Refusal { message: format!("{error}; this is an error in Tortoise's extension"), retry: false })
            }
            Self::TooSlow(_) => Some(Refusal { message: self.to_string(), retry: true }),
            _ => None,
        }
    }
}

/// What a peer says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// A client wants a session.
    Hello(Hello),
    /// An operator asks something.
    Ask(Ask),
}

/// Reads what a peer says first and not a byte more: what follows belongs to the session.
pub(crate) async fn read_opening(
    stream: &mut (impl AsyncRead + Unpin),
    deadline: Duration,
) -> Result<Opening, HandshakeError> {
    timeout(deadline, read(stream)).await.map_err(|_| HandshakeError::TooSlow(deadline))?
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Opening, HandshakeError> {
    let mut head = [0; HEADER_BYTES];
    fill(stream, &mut head).await?;
    let header = match Header::decode(&head, MAX_HELLO_BYTES) {
        Ok(header) if matches!(header.kind, Kind::Hello | Kind::Ask) && header.segment_bytes == 0 => header,
        _ => return Err(HandshakeError::NotTortoise(head[..16].to_vec())),
    };
    let mut payload = vec![0; header.payload_bytes as usize];
    fill(stream, &mut payload).await?;
    let opening = match header.kind {
        Kind::Ask => Ask::read(&payload).map(Opening::Ask),
        _ => Hello::read(&payload).map(Opening::Hello),
    };
    opening.map_err(|error| match error {
        HelloError::NotTortoise => HandshakeError::NotTortoise(payload[..payload.len().min(16)].to_vec()),
        error => HandshakeError::Hello(error),
    })
}

async fn fill(stream: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> Result<(), HandshakeError> {
    match stream.read_exact(buffer).await {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Err(HandshakeError::Left),
            _ => Err(error.into()),
        },
    }
}

/// Bytes of a refusal's message: it fits into the empty buffer of the client's socket, so that nobody waits.
const MAX_REFUSAL_BYTES: usize = 16 << 10;

/// Tells a client why not, if it still listens.
pub(crate) fn refuse(mut socket: &Socket, refusal: &Refusal) {
    let mut message = refusal.message.clone();
    if message.len() > MAX_REFUSAL_BYTES {
        let end = (0..=MAX_REFUSAL_BYTES).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    let mut buffer = Vec::new();
    frame::begin(&mut buffer);
    Refusal { message, retry: refusal.retry }.write(&mut buffer);
    if frame::finish(&mut buffer, Header::new(Kind::Refusal, 0)).is_ok() {
        // A client that has left does not need an answer.
        let _ = socket.set_nonblocking(true).and_then(|()| socket.write_all(&buffer));
    }
}

/// The answer to a question, as a frame.
pub(crate) fn told(json: &serde_json::Value) -> Vec<u8> {
    let mut buffer = Vec::new();
    frame::begin(&mut buffer);
    Told { json: json.to_string() }.write(&mut buffer);
    // The text is bounded by those who make it, far below what a frame may hold.
    let _ = frame::finish(&mut buffer, Header::new(Kind::Told, 0));
    buffer
}

/// Takes in what the peer still sends, so that its own write does not fail before it reads the answer.
pub(crate) async fn linger(mut stream: UnixStream, deadline: Duration) {
    let mut left = [0; 1024];
    let drain = async {
        let mut total = 0;
        while total <= HEADER_BYTES + MAX_HELLO_BYTES {
            match stream.read(&mut left).await {
                Ok(0) | Err(_) => return,
                Ok(count) => total += count,
            }
        }
    };
    // A peer that holds on is let go of.
    let _ = timeout(deadline, drain).await;
}

#[cfg(test)]
mod tests {
    use tortoise_protocol::{PRODUCT_VERSION, PROTOCOL_VERSION};

    use super::*;

    fn framed(payload: &[u8], kind: Kind) -> Vec<u8> {
        let mut buffer = Vec::new();
        frame::begin(&mut buffer);
        buffer.extend_from_slice(payload);
        frame::finish(&mut buffer, Header::new(kind, 0)).expect("small");
        buffer
    }

    fn hello() -> (Hello, Vec<u8>) {
        let hello = Hello {
            product: PRODUCT_VERSION.into(),
            process: 9,
            roots: vec!["/a".into()],
            modules: Vec::new(),
            shared_memory: true,
            token: None,
        };
        let mut payload = Vec::new();
        hello.write(&mut payload);
        (hello, payload)
    }

    async fn read_bytes(mut bytes: &[u8]) -> Result<Opening, HandshakeError> {
        read_opening(&mut bytes, Duration::from_secs(60)).await
    }

    #[tokio::test]
    async fn a_hello_is_read_to_the_byte() {
        let (hello, payload) = hello();
        let mut bytes = framed(&payload, Kind::Hello);
        bytes.extend_from_slice(b"the session's");
        let mut rest = &bytes[..];
        let opening = read_opening(&mut rest, Duration::from_secs(60)).await;
        assert_eq!(opening.expect("a hello"), Opening::Hello(hello));
        assert_eq!(rest, b"the session's");
    }

    #[tokio::test]
    async fn a_question_is_read_like_a_hello() {
        let ask = Ask::new("status", None);
        let mut payload = Vec::new();
        ask.write(&mut payload);
        assert_eq!(read_bytes(&framed(&payload, Kind::Ask)).await.expect("a question"), Opening::Ask(ask));
        let error = read_bytes(&framed(&payload[..12], Kind::Ask)).await.expect_err("cut");
        assert!(matches!(error, HandshakeError::Hello(HelloError::Malformed(_))), "{error}");
    }

    #[tokio::test]
    async fn a_hello_cut_at_every_byte_is_a_peer_that_left() {
        let whole = framed(&hello().1, Kind::Hello);
        for cut in 0..whole.len() {
            let error = read_bytes(&whole[..cut]).await.expect_err("not a whole hello");
            assert!(matches!(error, HandshakeError::Left), "{cut}: {error}");
            assert_eq!(error.refusal(), None);
        }
    }

    #[tokio::test]
    async fn what_is_not_tortoise_gets_no_answer() {
        let mut too_long = framed(&hello().1, Kind::Hello);
        too_long[..4].fill(0xff);
        // Known from the header alone: nothing is allocated, or waited for.
        let just_too_long = Header { payload_bytes: MAX_HELLO_BYTES as u32 + 1, ..Header::new(Kind::Hello, 0) };
        let mut no_magic = hello().1;
        no_magic[0] = b'X';
        for bytes in [
            b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            too_long,
            just_too_long.encode().to_vec(),
            framed(&hello().1, Kind::Call),
            framed(&no_magic, Kind::Hello),
            framed(b"", Kind::Hello),
        ] {
            let error = read_bytes(&bytes).await.expect_err("not a hello");
            assert!(matches!(error, HandshakeError::NotTortoise(_)), "{error}");
            assert_eq!(error.refusal(), None);
        }
    }

    #[tokio::test]
    async fn an_unknown_version_is_told_the_known_one() {
        let mut payload = hello().1;
        payload[8..10].copy_from_slice(&7_u16.to_be_bytes());
        let refusal =
            read_bytes(&framed(&payload, Kind::Hello)).await.expect_err("refused").refusal().expect("an answer");
        for part in ["wire version 7", &format!("wire version {PROTOCOL_VERSION}")] {
            assert!(refusal.message.contains(part), "{}", refusal.message);
        }
        assert!(!refusal.retry);
    }

    #[tokio::test]
    async fn a_malformed_hello_is_told_so() {
        let mut payload = hello().1;
        payload.push(0);
        let refusal =
            read_bytes(&framed(&payload, Kind::Hello)).await.expect_err("refused").refusal().expect("an answer");
        assert!(refusal.message.contains("1 bytes stand behind the last value"), "{}", refusal.message);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_hello_is_given_up_on() {
        let (near, mut far) = tokio::io::duplex(1024);
        let error = read_opening(&mut far, Duration::from_secs(5)).await.expect_err("nothing comes");
        assert!(matches!(error, HandshakeError::TooSlow(_)), "{error}");
        drop(near);
    }
}
