//! One client's connection: who is it, what may it have, and its hand-over to a worker.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;

use socket2::Socket;
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tortoise_protocol::handshake::{Hello, Refusal};

use crate::asks;
use crate::control::{MAX_PACKET_BYTES, Order, Session};
use crate::handshake::{HandshakeError, Opening, linger, read_opening, refuse};
use crate::keeper::Presence;
use crate::reception::Reception;
use crate::sessions::{NoPlace, Visitor, WorkerId};
use crate::stream::{Peer, Stream};

/// The user who may do everything anyway.
const ROOT: u32 = 0;

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
    #[error(transparent)]
    Full(#[from] NoPlace),
    #[error("no Python worker is ready; {0} says why")]
    NoWorker(String),
    #[error("Python workers do not start, {log} says more: {reason}")]
    Broken { reason: Arc<str>, log: String },
    #[error("the sidecar is leaving; try again")]
    Leaving,
}

impl Rejection {
    fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Handshake(error) => error.refusal(),
            Self::Refused(refusal) => Some(refusal.clone()),
            Self::User { .. } | Self::NoToken | Self::WrongToken | Self::Broken { .. } => {
                Some(Refusal { message: self.to_string(), retry: false })
            }
            Self::Full(_) | Self::NoWorker(_) | Self::Leaving => {
                Some(Refusal { message: self.to_string(), retry: true })
            }
        }
    }
}

/// Serves a connection until it has been handed over, answered or refused. `place` is for its opening alone: who waits
/// for a session keeps nobody from being heard.
pub(crate) async fn receive(
    mut stream: Stream,
    visitor: Visitor,
    place: OwnedSemaphorePermit,
    reception: Arc<Reception>,
) {
    let peer = stream.peer();
    let opening = greet(&mut stream, &reception).await;
    drop(place);
    let result = match opening {
        Ok(Opening::Ask(ask)) => return asks::answer(stream, &ask, &reception).await,
        Ok(Opening::Hello(hello)) => serve(stream, hello, visitor, &reception).await,
        Err(rejection) => kept(stream, rejection),
    };
    if let Err((rejection, socket)) = result {
        reject(socket, &rejection, &peer, &reception).await;
    }
}

/// The connection that is to hear a rejection.
fn kept(stream: Stream, rejection: Rejection) -> Result<(), (Rejection, Socket)> {
    stream.into_socket().map_or_else(|_| Ok(()), |socket| Err((rejection, socket)))
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

/// Reads what somebody says first who may come.
async fn greet(stream: &mut Stream, reception: &Reception) -> Result<Opening, Rejection> {
    let user = match stream {
        Stream::Unix(stream) => Some(stream.peer_cred().map_err(HandshakeError::Io)?.uid()),
        Stream::Tcp(_) => None,
    };
    let stranger = user.filter(|user| *user != reception.user);
    if let Some(user) = stranger.filter(|user| *user != ROOT) {
        return Err(Rejection::User { user, ours: reception.user });
    }
    let mut opening = read_opening(stream, reception.limits.hello).await?;
    let token = match &mut opening {
        Opening::Hello(hello) => {
            // Root may ask what a sidecar does, and end it; to have code run as another is something else.
            if let Some(user) = stranger {
                return Err(Rejection::User { user, ours: reception.user });
            }
            // No descriptor crosses TCP.
            hello.shared_memory &= user.is_some();
            hello.token.take()
        }
        Opening::Ask(ask) => ask.token.take(),
    };
    if user.is_none() {
        match token {
            None => return Err(Rejection::NoToken),
            // The comparison takes as long for any token of that length.
            token if token != reception.policy().token => return Err(Rejection::WrongToken),
            Some(_) => {}
        }
    }
    Ok(opening)
}

async fn serve(
    stream: Stream,
    hello: Hello,
    mut visitor: Visitor,
    reception: &Reception,
) -> Result<(), (Rejection, Socket)> {
    match admit(hello, &mut visitor, reception).await {
        Ok(session) => hand_over(stream, session, visitor, reception).await,
        Err(rejection) => kept(stream, rejection),
    }
}

async fn admit(hello: Hello, visitor: &mut Visitor, reception: &Reception) -> Result<Session, Rejection> {
    let session = reception.policy().admission.decide(hello).map_err(Rejection::Refused)?;
    // A place does not help where no worker starts.
    if let Presence::Broken(reason) = &*reception.workers.borrow() {
        return Err(Rejection::Broken { reason: Arc::clone(reason), log: reception.log_name() });
    }
    let mut workers = reception.workers.clone();
    tokio::select! {
        admitted = visitor.admit(reception.limits.queue, || reception.keeper.make_room()) => admitted?,
        // Its place is with the next sidecar.
        _ = workers.wait_for(|presence| matches!(presence, Presence::Leaving)) => return Err(Rejection::Leaving),
    }
    Ok(session)
}

async fn hand_over(
    stream: Stream,
    session: Session,
    visitor: Visitor,
    reception: &Reception,
) -> Result<(), (Rejection, Socket)> {
    let Ok(socket) = stream.into_socket() else { return Ok(()) };
    let given = async {
        // The session reads and writes as an ordinary thread.
        socket.set_nonblocking(false).map_err(HandshakeError::Io)?;
        timeout(reception.limits.worker, give(&socket, session, reception))
            .await
            .map_err(|_| Rejection::NoWorker(reception.log_name()))?
    };
    match given.await {
        Ok(worker) => {
            visitor.handed_over(worker);
            Ok(())
        }
        Err(rejection) => Err((rejection, socket)),
    }
}

/// Gives a client to the worker, or to its successor if it dies at that moment.
async fn give(socket: &Socket, session: Session, reception: &Reception) -> Result<WorkerId, Rejection> {
    let mut session = session;
    let mut workers = reception.workers.clone();
    loop {
        let presence = workers.borrow_and_update().clone();
        match presence {
            Presence::Ready(worker) => {
                session.stale = worker.is_stale;
                match worker.control.send(&packet(&session)?, Some(socket.as_fd())).await {
                    Ok(()) => return Ok(worker.id),
                    Err(error) => tracing::debug!("the worker did not take a client: {error}"),
                }
            }
            Presence::Absent => {}
            Presence::Broken(reason) => return Err(Rejection::Broken { reason, log: reception.log_name() }),
            Presence::Leaving => return Err(Rejection::Leaving),
        }
        workers.changed().await.map_err(|_| Rejection::Leaving)?;
    }
}

fn packet(session: &Session) -> Result<Vec<u8>, Rejection> {
    let packet = serde_json::to_vec(&Order::Session(session)).unwrap_or_default();
    if packet.len() <= MAX_PACKET_BYTES {
        return Ok(packet);
    }
    Err(Rejection::Refused(Refusal {
        message: format!(
            "the class roots and modules take {} bytes, over the limit of {MAX_PACKET_BYTES}",
            packet.len()
        ),
        retry: false,
    }))
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
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;
    use tokio::sync::{Semaphore, watch};
    use tokio::time::Instant;
    use tortoise_protocol::handshake::AccessToken;
    use tortoise_testkit::client::{self, Answer};

    use super::*;
    use crate::admission::Admission;
    use crate::control::Control;
    use crate::keeper::{Present, Taker};
    use crate::limits::Limits;
    use crate::reception::Policy;
    use crate::sessions::Sessions;

    fn reception(workers: Present, user: u32) -> Arc<Reception> {
        Arc::new(Reception::for_tests(workers, user, Limits::default()))
    }

    /// A watch on nobody, or on this worker.
    fn present(control: Option<Control>) -> (watch::Sender<Presence>, Present) {
        watch::channel(control.map_or(Presence::Absent, ready))
    }

    fn ready(control: Control) -> Presence {
        Presence::Ready(Arc::new(Taker { id: 1, control: Arc::new(control), is_stale: false }))
    }

    fn sessions(limit: u32) -> Arc<Sessions> {
        let sessions = Sessions::new(limit);
        sessions.open(1);
        sessions
    }

    fn place() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a place")
    }

    /// A client that has sent `bytes` is received; gives what it hears.
    async fn answer(bytes: &[u8], visitor: Visitor, reception: Arc<Reception>) -> Answer {
        let (mut near, far) = UnixStream::pair().expect("a pair");
        near.write_all(bytes).await.expect("written");
        near.shutdown().await.expect("nothing more to say");
        receive(Stream::Unix(far), visitor, place(), reception).await;
        let mut near = near.into_std().expect("a stream");
        near.set_nonblocking(false).expect("set");
        client::answer(&mut near)
    }

    fn me() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    #[tokio::test]
    async fn another_user_is_refused_before_its_hello_counts() {
        let (_sender, workers) = present(None);
        let hello = client::hello_frame(&client::hello(&["/a"]));
        let visitor = sessions(1).visit();
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
        let (_sender, workers) = present(None);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let mut near =
            tokio::net::TcpStream::connect(listener.local_addr().expect("an address")).await.expect("connected");
        let (far, _) = listener.accept().await.expect("a client");
        // Roots that a private sidecar refuses: who may not come does not even hear that.
        let hello = Hello { token, ..client::hello(&["relative"]) };
        near.write_all(&client::hello_frame(&hello)).await.expect("written");
        // Nobody of another user is kept out of a port, so it makes no difference which one this is.
        let reception = Reception::for_tests(workers, me() + 1, Limits::default());
        reception.set_policy(Policy { admission: Admission::Believe, token: expected });
        let sessions = sessions(1);
        receive(Stream::Tcp(far), sessions.visit(), place(), Arc::new(reception)).await;
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
        let (_sender, workers) = present(None);
        let hello = client::hello_frame(&client::hello(&["/a"]));
        let begin = Instant::now();
        let Answer::Refusal(refusal) = answer(&hello, sessions(1).visit(), reception(workers, me())).await else {
            panic!("no refusal");
        };
        assert!(refusal.message.contains("no Python worker is ready") && refusal.retry, "{}", refusal.message);
        assert_eq!(begin.elapsed(), Limits::default().worker);
    }

    #[tokio::test]
    async fn where_no_worker_starts_clients_are_told_at_once_and_not_to_try_again() {
        let (sender, workers) = present(None);
        sender.send_replace(Presence::Broken("no module named shop".into()));
        let reception =
            Reception { log: Some("/var/log/t.log".into()), ..Reception::for_tests(workers, me(), Limits::default()) };
        let hello = client::hello_frame(&client::hello(&["/a"]));
        let Answer::Refusal(refusal) = answer(&hello, sessions(1).visit(), Arc::new(reception)).await else {
            panic!("no refusal");
        };
        assert!(!refusal.retry, "{}", refusal.message);
        for part in ["no module named shop", "/var/log/t.log"] {
            assert!(refusal.message.contains(part), "{}", refusal.message);
        }
    }

    #[tokio::test]
    async fn who_waits_for_a_place_is_told_when_the_sidecar_leaves() {
        let (sender, workers) = present(None);
        let sessions = sessions(1);
        let mut taken = sessions.visit();
        taken.admit(Duration::from_secs(1), || {}).await.expect("the only place");
        let visitor = sessions.visit();
        let leave = async {
            while sessions.waiting() == 0 {
                tokio::task::yield_now().await;
            }
            sender.send_replace(Presence::Leaving);
        };
        let reception =
            Reception { sessions: Arc::clone(&sessions), ..Reception::for_tests(workers, me(), Limits::default()) };
        let hello = client::hello_frame(&client::hello(&["/a"]));
        let (answer, ()) = tokio::join!(answer(&hello, visitor, Arc::new(reception)), leave);
        let Answer::Refusal(refusal) = answer else { panic!("no refusal") };
        assert!(refusal.message.contains("leaving") && refusal.retry, "{}", refusal.message);
    }

    #[tokio::test]
    async fn a_worker_that_dies_at_the_hand_over_is_replaced_by_the_next() {
        let (dying, far) = Control::pair().expect("a pair");
        drop(far);
        let (next, far) = Control::pair().expect("a pair");
        let (sender, workers) = present(Some(dying));
        let (mut near, stream) = UnixStream::pair().expect("a pair");
        near.write_all(&client::hello_frame(&client::hello(&["/a"]))).await.expect("written");
        let sessions = sessions(1);
        let received = tokio::spawn(receive(Stream::Unix(stream), sessions.visit(), place(), reception(workers, me())));
        // The first worker has refused the client when nothing else is left to do.
        tokio::task::yield_now().await;
        sender.send_replace(Presence::Absent);
        sender.send_replace(ready(next));
        received.await.expect("received");
        let mut packet = [0; 1024];
        let length = nix::sys::socket::recv(far.as_raw_fd(), &mut packet, nix::sys::socket::MsgFlags::empty());
        let packet = std::str::from_utf8(&packet[..length.expect("an order")]).expect("UTF-8");
        assert!(packet.starts_with(r#"{"session":{"roots":["/a"]"#), "{packet}");
        assert_eq!(sessions.count(), 1);
    }

    #[tokio::test]
    async fn a_late_client_is_told_to_try_again() {
        let (_sender, workers) = present(None);
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
        let (_sender, workers) = present(Some(control));
        // Each control character is six bytes of JSON.
        let root = format!("/{}", "\u{1}".repeat(4000));
        let hello = client::hello_frame(&client::hello(&[root.as_str(); 15]));
        let Answer::Refusal(refusal) = answer(&hello, sessions(1).visit(), reception(workers, me())).await else {
            panic!("no refusal");
        };
        assert!(refusal.message.contains("over the limit of 131072"), "{}", refusal.message);
    }
}
