//! Whether a sidecar answers where the settings say that one listens, and how fast.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, timeout};
use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::frame::{self, HEADER_BYTES, Header, Kind};
use tortoise_protocol::handshake::{AccessToken, Hello, Refusal, Welcome};
use tortoise_protocol::limits::MAX_HELLO_BYTES;

use super::{Check, call, socket};
use crate::address::Address;
use crate::settings::Given;
use crate::stream::Stream;
use crate::target::{self, LogPlace, Target};

/// A sidecar refuses a client that it cannot serve for 5 seconds; one that takes longer than twice that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a sidecar answers to a hello.
enum Answer {
    Welcome(Welcome, Duration),
    Refusal(Refusal),
    /// It closed the connection.
    Nothing,
    /// It does not speak our protocol, or another version of it.
    Nonsense(String),
}

/// Looks at each address of the settings.
pub(super) async fn check(given: &Given) -> Vec<Check> {
    if given.listen.is_empty() {
        return vec![Check::ok(
            "addresses",
            "none is set; PHP starts a private sidecar by itself (tortoise.server=auto)",
        )];
    }
    let mut checks = Vec::new();
    let token = match given.token() {
        Ok(token) => token,
        Err(error) => {
            checks.push(Check::failure(
                "token file",
                error.to_string(),
                "correct it: `tortoise serve` does not start with it",
            ));
            None
        }
    };
    for address in &given.listen {
        match (address, &token) {
            (Address::Tcp(_), None) => checks.push(Check::warning(
                address.to_string(),
                "not tried, since there is no token for it",
                "correct the token file first",
            )),
            (Address::Tcp(place), _) if place.port() == 0 => checks.push(Check::warning(
                address.to_string(),
                "not tried: the system chooses the port when the sidecar starts, and its log says which",
                "name a port if PHP's configuration is to name the sidecar",
            )),
            (Address::Tcp(_), Some(token)) => checks.extend(try_whole(given, address, Some(token.clone())).await),
            (Address::Unix(path), _) => {
                checks.push(socket::check(path));
                checks.extend(try_whole(given, address, None).await);
            }
        }
    }
    checks
}

/// The handshake, then calls; and where the log is.
async fn try_whole(given: &Given, address: &Address, token: Option<AccessToken>) -> Vec<Check> {
    let log = LogPlace::of(given);
    let mut checks = try_address(address, token.clone()).await;
    if let Some(check) = checks.iter_mut().find(|check| check.is_failure()) {
        check.advice = format!("{}; {log}", check.advice);
        return checks;
    }
    if checks.iter().all(Check::is_ok) {
        checks.extend(call::through(Target { address: address.clone(), token, log }).await);
    }
    checks
}

async fn try_address(address: &Address, token: Option<AccessToken>) -> Vec<Check> {
    let name = address.to_string();
    let spoken = timeout(PATIENCE, async {
        let mut stream = connect(address).await?;
        Ok(speak(&mut stream, token).await.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Answer::Nothing
            }
            _ => Answer::Nonsense(error.to_string()),
        }))
    });
    match spoken.await {
        Err(_) => vec![Check::failure(
            name,
            format!("it does not answer within {} s", PATIENCE.as_secs()),
            "look at the sidecar's log, and restart it if it hangs",
        )],
        Ok(Err(error)) => vec![unreachable(name, &error)],
        Ok(Ok(answer)) => judge(name, answer),
    }
}

fn unreachable(name: String, error: &io::Error) -> Check {
    Check::failure(name, format!("no sidecar answers ({error})"), target::advice(error))
}

fn judge(name: String, answer: Answer) -> Vec<Check> {
    match answer {
        Answer::Welcome(welcome, time) if welcome.product == PRODUCT_VERSION => vec![Check::ok(
            name.as_str(),
            format!(
                "a sidecar of version {} answers: {:.1} ms from the hello to the welcome of session process {}",
                welcome.product,
                time.as_secs_f64() * 1000.0,
                welcome.process
            ),
        )],
        Answer::Welcome(welcome, _) => vec![Check::failure(
            name,
            format!("the sidecar is of version {}, this binary of version {PRODUCT_VERSION}", welcome.product),
            "install both from the same build and restart the sidecar",
        )],
        Answer::Refusal(refusal) if refusal.retry => vec![Check::warning(
            name,
            format!("the sidecar is busy: {}", refusal.message),
            "try again; if it stays so, look at the sidecar's log and at max_sessions",
        )],
        Answer::Refusal(refusal) => {
            vec![Check::failure(name, format!("the sidecar refuses: {}", refusal.message), "PHP is refused too")]
        }
        Answer::Nothing => vec![Check::failure(
            name,
            "something listens there, and closes the connection without a word",
            "look at its log; if it is no sidecar, choose another address",
        )],
        Answer::Nonsense(what) => vec![Check::failure(
            name,
            format!("something listens there that does not speak as a sidecar: {what}"),
            "choose another address, or stop what listens there",
        )],
    }
}

async fn connect(address: &Address) -> io::Result<Stream> {
    match address {
        Address::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
        Address::Tcp(place) => TcpStream::connect(place).await.map(Stream::Tcp),
    }
}

async fn speak(stream: &mut Stream, token: Option<AccessToken>) -> io::Result<Answer> {
    let hello = Hello {
        product: PRODUCT_VERSION.to_owned(),
        process: u64::from(std::process::id()),
        roots: Vec::new(),
        modules: Vec::new(),
        shared_memory: false,
        token,
    };
    let mut question = Vec::new();
    frame::begin(&mut question);
    hello.write(&mut question);
    frame::finish(&mut question, Header::new(Kind::Hello, 0)).map_err(io::Error::other)?;
    let begin = Instant::now();
    write(stream, &question).await?;
    let mut head = [0; HEADER_BYTES];
    stream.read_exact(&mut head).await?;
    let time = begin.elapsed();
    let header = Header::decode(&head, MAX_HELLO_BYTES).map_err(io::Error::other)?;
    let mut payload = vec![0; header.payload_bytes as usize];
    stream.read_exact(&mut payload).await?;
    Ok(match header.kind {
        Kind::Welcome => Answer::Welcome(Welcome::read(&payload).map_err(io::Error::other)?, time),
        Kind::Refusal => Answer::Refusal(Refusal::read(&payload).map_err(io::Error::other)?),
        other => Answer::Nonsense(format!("{other:?} where a welcome was due")),
    })
}

/// One that refuses before it reads has still said why.
async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    let stream: &mut (dyn AsyncWrite + Unpin) = match stream {
        Stream::Unix(stream) => stream,
        Stream::Tcp(stream) => stream,
    };
    match stream.write_all(bytes).await {
        Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tortoise_testkit::client;

    use super::*;

    /// A listener that answers with `answer`, once it has heard something.
    async fn judged(answer: Vec<u8>) -> Vec<Check> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = Address::Tcp(listener.local_addr().expect("an address"));
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            stream.readable().await.expect("a hello");
            stream.write_all(&answer).await.expect("written");
            let mut hello = vec![0; 1 << 16];
            let _ = stream.read(&mut hello).await;
        };
        tokio::join!(try_address(&address, None), serve).0
    }

    fn framed(kind: Kind, write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut payload = Vec::new();
        write(&mut payload);
        client::frame(kind, &payload)
    }

    #[tokio::test]
    async fn an_answer_is_judged() {
        let welcome = |product: &str| Welcome { product: product.to_owned(), process: 7, python: "3.11.2".to_owned() };
        let welcome = |product: &str| framed(Kind::Welcome, |buffer| welcome(product).write(buffer));
        let refusal =
            |retry| framed(Kind::Refusal, |buffer| Refusal { message: "not now".to_owned(), retry }.write(buffer));
        for (answer, failures, expected) in [
            (welcome(PRODUCT_VERSION), 0, " ms from the hello to the welcome of session process 7"),
            (welcome("0.0.9"), 1, "of version 0.0.9"),
            (refusal(true), 0, "busy: not now"),
            (refusal(false), 1, "refuses: not now"),
            (Vec::new(), 1, "without a word"),
            (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(), 1, "does not speak as a sidecar"),
        ] {
            let checks = judged(answer).await;
            assert!(checks[0].finding.contains(expected), "{expected}: {checks:?}");
            assert_eq!(checks.iter().filter(|check| check.is_failure()).count(), failures, "{checks:?}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_it_says_how_to_start_one() {
        let address = Address::Unix("/nowhere/t.sock".into());
        let checks = try_address(&address, None).await;
        assert!(checks[0].is_failure() && checks[0].advice.contains("tortoise start"), "{checks:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_says_nothing_is_given_up_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = Address::Tcp(listener.local_addr().expect("an address"));
        let checks = try_address(&address, None).await;
        assert!(checks[0].is_failure() && checks[0].finding.contains("within 10 s"), "{checks:?}");
    }
}
