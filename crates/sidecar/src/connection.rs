//! One client's connection: who is it, what may it have, and its hand-over to a worker.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;

use socket2::Socket;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tortoise_protocol::handshake::{AccessToken, Hello, Refusal};

use crate::admission::Admission;
use crate::control::{MAX_PACKET_BYTES, Order, Session};
use crate::handshake::{HandshakeError, linger, read_hello, refuse};
use crate::keeper::Present;
use crate::limits::Limits;
use crate::refusals::Refusals;
use crate::sessions::Visitor;
use crate::stream::{Peer, Stream};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Reception {
    pub(crate) admission: Admission,
    pub(crate) limits: Limits,
    pub(crate) workers: Present,
    /// Clients of other users are refused, over Unix sockets.
    pub(crate) user: u32,
    /// What clients over TCP must know. Without it none may come.
    pub(crate) token: Option<AccessToken>,
    /// Bounds what is logged of those who are refused.
    pub(crate) refusals: Refusals,
}

/// Why a client was not handed over.
#[derive(Debug, thiserror::Error)]
enum Rejection {
    #[error("it runs as user {user} and this sidecar as user {ours}; a Unix socket serves its own user only")]
    User { user: u32, ours: u32 },
    #[error(
        "a client needs a token over TCP and this one sent none; set tortoise.token_file in PHP's configuration to a file \
         with the sidecar's token"
    )]
    NoToken,
    #[error(
        "the client's token is not the sidecar's; the file that tortoise.token_file names in PHP's configuration must \
         hold the same as the sidecar's token_file, which is read once, when the sidecar starts"
    )]
    WrongToken,
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("{}", .0.message)]
    Refused(Refusal),
    #[error("all {0} sessions are taken (max_sessions); try again later")]
    Full(usize),
    #[error("no Python worker is ready; the sidecar's log says why")]
    NoWorker,
    #[error("the sidecar is leaving; try again")]
    Leaving,
}

impl Rejection {
    fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Handshake(error) => error.refusal(),
            Self::Refused(refusal) => Some(refusal.clone()),
            Self::User { .. } | Self::NoToken | Self::WrongToken => {
                Some(Refusal { message: self.to_string(), retry: false })
            }
            Self::Full(_) | Self::NoWorker | Self::Leaving => Some(Refusal { message: self.to_string(), retry: true }),
        }
    }
}

/// Serves a connection until it has been handed over or refused.
pub(crate) async fn receive(mut stream: Stream, mut visitor: Visitor, reception: Arc<Reception>) {
    let peer = stream.peer();
    let result = match check(&mut stream, &mut visitor, &reception).await {
        Ok(session) => hand_over(stream, &session, visitor, &reception).await,
        Err(rejection) => stream.into_socket().map_or_else(|_| Ok(()), |socket| Err((rejection, socket))),
    };
    if let Err((rejection, socket)) = result {
        reject(socket, &rejection, &peer, &reception).await;
    }
}

/// Tells a client that came too late to try again.
pub(crate) async fn turn_away(mut stream: Stream, reception: Arc<Reception>) {
    let peer = stream.peer();
    // Also of a sidecar that leaves a client over TCP hears no more than that, without a token.
    let rejection = match greet(&mut stream, &reception).await {
        Ok(_) => Rejection::Leaving,
        Err(rejection) => rejection,
    };
    if let Ok(socket) = stream.into_socket() {
        reject(socket, &rejection, &peer, &reception).await;
    }
}

/// Reads the hello of a client that may come.
async fn greet(stream: &mut Stream, reception: &Reception) -> Result<Hello, Rejection> {
    if let Stream::Unix(stream) = stream {
        let user = stream.peer_cred().map_err(HandshakeError::Io)?.uid();
        if user != reception.user {
            return Err(Rejection::User { user, ours: reception.user });
        }
    }
    let mut hello = read_hello(stream, reception.limits.hello).await?;
    let token = hello.token.take();
    if let Stream::Tcp(_) = stream {
        match token {
            None => return Err(Rejection::NoToken),
            // The comparison takes as long for any token of that length.
            token if token != reception.token => return Err(Rejection::WrongToken),
            Some(_) => {}
        }
        // No descriptor crosses TCP.
        hello.shared_memory = false;
    }
    Ok(hello)
}

async fn check(stream: &mut Stream, visitor: &mut Visitor, reception: &Reception) -> Result<Session, Rejection> {
    let hello = greet(stream, reception).await?;
    let session = reception.admission.decide(hello).map_err(Rejection::Refused)?;
    visitor.admit().map_err(Rejection::Full)?;
    Ok(session)
}

async fn hand_over(
    stream: Stream,
    session: &Session,
    visitor: Visitor,
    reception: &Reception,
) -> Result<(), (Rejection, Socket)> {
    let Ok(socket) = stream.into_socket() else { return Ok(()) };
    let given = async {
        // The session reads and writes as an ordinary thread.
        socket.set_nonblocking(false).map_err(HandshakeError::Io)?;
        timeout(reception.limits.worker, give(&socket, session, reception.workers.clone()))
            .await
            .map_err(|_| Rejection::NoWorker)?
    };
    match given.await {
        Ok(()) => {
            visitor.handed_over();
            Ok(())
        }
        Err(rejection) => Err((rejection, socket)),
    }
}

/// Gives a client to the worker, or to its successor if it dies at that moment.
async fn give(socket: &Socket, session: &Session, mut workers: Present) -> Result<(), Rejection> {
    let packet = serde_json::to_vec(&Order::Session(session)).unwrap_or_default();
    if packet.len() > MAX_PACKET_BYTES {
        return Err(Rejection::Refused(Refusal {
            message: format!(
                "the class roots and modules take {} bytes, over the limit of {MAX_PACKET_BYTES}",
                packet.len()
            ),
            retry: false,
        }));
    }
    loop {
        let worker = match workers.wait_for(Option::is_some).await {
            Ok(worker) => worker.clone(),
            Err(_) => return Err(Rejection::Leaving),
        };
        let Some(worker) = worker else { continue };
        match worker.send(&packet, socket.as_fd()).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::debug!("the worker did not take a client: {error}"),
        }
        workers.changed().await.map_err(|_| Rejection::Leaving)?;
    }
}

async fn reject(socket: Socket, rejection: &Rejection, peer: &Peer, reception: &Reception) {
    reception.refusals.log(&format!("client {peer} is not served: {rejection}"));
    if let Some(refusal) = rejection.refusal() {
        refuse(&socket, &refusal);
        // Its hello may still be on the way.
        if let Rejection::User { .. } = rejection
            && let Ok(stream) = UnixStream::from_std(StdStream::from(OwnedFd::from(socket)))
        {
            linger(stream, reception.limits.hello).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use tokio::io::AsyncWriteExt;
    use tokio::sync::watch;
    use tortoise_testkit::client::{self, Answer};

    use super::*;
    use crate::control::Control;
    use crate::sessions::Sessions;

    fn reception(workers: Present, user: u32) -> Arc<Reception> {
        let (limits, refusals) = (Limits::default(), Refusals::new());
        Arc::new(Reception { admission: Admission::Believe, limits, workers, user, token: None, refusals })
    }

    /// A client that has sent `bytes` is received; gives what it hears.
    async fn answer(bytes: &[u8], visitor: Visitor, reception: Arc<Reception>) -> Answer {
        let (mut near, far) = UnixStream::pair().expect("a pair");
        near.write_all(bytes).await.expect("written");
        near.shutdown().await.expect("nothing more to say");
        receive(Stream::Unix(far), visitor, reception).await;
        let mut near = near.into_std().expect("a stream");
        near.set_nonblocking(false).expect("set");
        client::answer(&mut near)
    }

    fn me() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    #[tokio::test]
    async fn another_user_is_refused_before_its_hello_counts() {
        let (_sender, workers) = watch::channel(None);
        let hello = client::hello_frame(&client::hello(&["/a"]));
        let visitor = Sessions::new(1).visit();
        let Answer::Refusal(refusal) = answer(&hello, visitor, reception(workers, me() + 1)).await else {
            panic!("no refusal");
        };
        assert!(refusal.message.contains("its own user only") && !refusal.retry, "{}", refusal.message);
    }

    fn token(letter: u8) -> Option<AccessToken> {
        Some(AccessToken::from_file_content(&[letter; 32]).expect("a token"))
    }

    /// What a client over TCP hears that has sent a hello with `token`, of a sidecar that asks for `expected`.
    async fn answer_over_tcp(token: Option<AccessToken>, expected: Option<AccessToken>) -> (Answer, usize) {
        let (_sender, workers) = watch::channel(None);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let mut near =
            tokio::net::TcpStream::connect(listener.local_addr().expect("an address")).await.expect("connected");
        let (far, _) = listener.accept().await.expect("a client");
        // Roots that a private sidecar refuses: who may not come does not even hear that.
        let hello = Hello { token, ..client::hello(&["relative"]) };
        near.write_all(&client::hello_frame(&hello)).await.expect("written");
        // Nobody of another user is kept out of a port, so it makes no difference which one this is.
        let reception =
            Reception { token: expected, ..Arc::into_inner(reception(workers, me() + 1)).expect("nobody else has it") };
        let sessions = Sessions::new(1);
        receive(Stream::Tcp(far), sessions.visit(), Arc::new(reception)).await;
        let mut near = near.into_std().expect("a stream");
        near.set_nonblocking(false).expect("set");
        (client::answer(&mut near), sessions.count())
    }

    #[tokio::test]
    async fn over_tcp_nobody_passes_without_the_token() {
        for (token, expected, message) in [
            (None, token(b'a'), "this one sent none"),
            (None, None, "this one sent none"),
            (token(b'b'), token(b'a'), "not the sidecar's"),
            // Such a sidecar does not start; should one run all the same, nobody passes.
            (token(b'a'), None, "not the sidecar's"),
        ] {
            let (Answer::Refusal(refusal), 0) = answer_over_tcp(token, expected).await else { panic!("no refusal") };
            assert!(refusal.message.contains(message) && !refusal.retry, "{}", refusal.message);
            assert!(refusal.message.contains("tortoise.token_file") && !refusal.message.contains("aaa"));
        }
        let (Answer::Refusal(refusal), _) = answer_over_tcp(token(b'a'), token(b'a')).await else {
            panic!("no refusal")
        };
        assert!(refusal.message.contains("not an absolute path"), "past the token: {}", refusal.message);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_waits_for_a_worker_but_not_for_ever() {
        let (_sender, workers) = watch::channel(None);
        let hello = client::hello_frame(&client::hello(&["/a"]));
        let begin = tokio::time::Instant::now();
        let Answer::Refusal(refusal) = answer(&hello, Sessions::new(1).visit(), reception(workers, me())).await else {
            panic!("no refusal");
        };
        assert!(refusal.message.contains("no Python worker is ready") && refusal.retry, "{}", refusal.message);
        assert_eq!(begin.elapsed(), Limits::default().worker);
    }

    #[tokio::test]
    async fn a_worker_that_dies_at_the_hand_over_is_replaced_by_the_next() {
        let (dying, far) = Control::pair().expect("a pair");
        drop(far);
        let (next, far) = Control::pair().expect("a pair");
        let (sender, workers) = watch::channel(Some(Arc::new(dying)));
        let (mut near, stream) = UnixStream::pair().expect("a pair");
        near.write_all(&client::hello_frame(&client::hello(&["/a"]))).await.expect("written");
        let sessions = Sessions::new(1);
        let received = tokio::spawn(receive(Stream::Unix(stream), sessions.visit(), reception(workers, me())));
        // The first worker has refused the client when nothing else is left to do.
        tokio::task::yield_now().await;
        sender.send_replace(None);
        sender.send_replace(Some(Arc::new(next)));
        received.await.expect("received");
        let mut packet = [0; 1024];
        let length = nix::sys::socket::recv(far.as_raw_fd(), &mut packet, nix::sys::socket::MsgFlags::empty());
        let packet = std::str::from_utf8(&packet[..length.expect("an order")]).expect("UTF-8");
        assert!(packet.starts_with(r#"{"session":{"roots":["/a"]"#), "{packet}");
        assert_eq!(sessions.count(), 1);
    }

    #[tokio::test]
    async fn a_late_client_is_told_to_try_again() {
        let (_sender, workers) = watch::channel(None);
        let (mut near, far) = UnixStream::pair().expect("a pair");
        near.write_all(&client::hello_frame(&client::hello(&[]))).await.expect("written");
        turn_away(Stream::Unix(far), reception(workers, me())).await;
        let mut near = near.into_std().expect("a stream");
        near.set_nonblocking(false).expect("set");
        let Answer::Refusal(refusal) = client::answer(&mut near) else { panic!("no refusal") };
        assert!(refusal.message.contains("leaving") && refusal.retry, "{}", refusal.message);
    }

    #[tokio::test]
    async fn what_does_not_fit_a_packet_is_refused() {
        let (control, _far) = Control::pair().expect("a pair");
        let (_sender, workers) = watch::channel(Some(Arc::new(control)));
        // Each control character is six bytes of JSON.
        let root = format!("/{}", "\u{1}".repeat(4000));
        let hello = client::hello_frame(&client::hello(&[root.as_str(); 15]));
        let Answer::Refusal(refusal) = answer(&hello, Sessions::new(1).visit(), reception(workers, me())).await else {
            panic!("no refusal");
        };
        assert!(refusal.message.contains("over the limit of 131072"), "{}", refusal.message);
    }
}
