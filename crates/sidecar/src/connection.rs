//! One client's connection: who is it, what may it have, and its hand-over to a worker.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::time::timeout;
use tortoise_protocol::handshake::Refusal;

use crate::admission::Admission;
use crate::control::{MAX_PACKET_BYTES, Order, Session};
use crate::handshake::{HandshakeError, linger, read_hello, refuse};
use crate::keeper::Present;
use crate::limits::Limits;
use crate::sessions::Visitor;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Reception {
    pub(crate) admission: Admission,
    pub(crate) limits: Limits,
    pub(crate) workers: Present,
    /// Clients of other users are refused.
    pub(crate) user: u32,
}

/// Why a client was not handed over.
#[derive(Debug, thiserror::Error)]
enum Rejection {
    #[error("it runs as user {user} and this sidecar as user {ours}; a Unix socket serves its own user only")]
    User { user: u32, ours: u32 },
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
            Self::User { .. } => Some(Refusal { message: self.to_string(), retry: false }),
            Self::Full(_) | Self::NoWorker | Self::Leaving => Some(Refusal { message: self.to_string(), retry: true }),
        }
    }
}

/// Serves a connection until it has been handed over or refused.
pub(crate) async fn receive(mut stream: UnixStream, mut visitor: Visitor, reception: Arc<Reception>) {
    let peer = peer(&stream);
    let result = match check(&mut stream, &mut visitor, &reception).await {
        Ok(session) => hand_over(stream, &session, visitor, &reception).await,
        Err(rejection) => stream.into_std().map_or_else(|_| Ok(()), |stream| Err((rejection, stream))),
    };
    if let Err((rejection, stream)) = result {
        reject(stream, &rejection, &peer, &reception).await;
    }
}

/// Tells a client that came too late to try again.
pub(crate) async fn turn_away(mut stream: UnixStream, reception: Arc<Reception>) {
    let peer = peer(&stream);
    let rejection = match read_hello(&mut stream, reception.limits.hello).await {
        Ok(_) => Rejection::Leaving,
        Err(error) => error.into(),
    };
    if let Ok(stream) = stream.into_std() {
        reject(stream, &rejection, &peer, &reception).await;
    }
}

async fn check(stream: &mut UnixStream, visitor: &mut Visitor, reception: &Reception) -> Result<Session, Rejection> {
    let user = stream.peer_cred().map_err(HandshakeError::Io)?.uid();
    if user != reception.user {
        return Err(Rejection::User { user, ours: reception.user });
    }
    let hello = read_hello(stream, reception.limits.hello).await?;
    let session = reception.admission.decide(hello).map_err(Rejection::Refused)?;
    visitor.admit().map_err(Rejection::Full)?;
    Ok(session)
}

async fn hand_over(
    stream: UnixStream,
    session: &Session,
    visitor: Visitor,
    reception: &Reception,
) -> Result<(), (Rejection, StdStream)> {
    let Ok(stream) = stream.into_std() else { return Ok(()) };
    let given = async {
        // The session reads and writes as an ordinary thread.
        stream.set_nonblocking(false).map_err(HandshakeError::Io)?;
        timeout(reception.limits.worker, give(&stream, session, reception.workers.clone()))
            .await
            .map_err(|_| Rejection::NoWorker)?
    };
    match given.await {
        Ok(()) => {
            visitor.handed_over();
            Ok(())
        }
        Err(rejection) => Err((rejection, stream)),
    }
}

/// Gives a client to the worker, or to its successor if it dies at that moment.
async fn give(stream: &StdStream, session: &Session, mut workers: Present) -> Result<(), Rejection> {
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
        match worker.send(&packet, stream.as_fd()).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::debug!("the worker did not take a client: {error}"),
        }
        workers.changed().await.map_err(|_| Rejection::Leaving)?;
    }
}

async fn reject(stream: StdStream, rejection: &Rejection, peer: &str, reception: &Reception) {
    tracing::warn!("client {peer} is not served: {rejection}");
    if let Some(refusal) = rejection.refusal() {
        refuse(&stream, &refusal);
        // Its hello may still be on the way.
        if let (Rejection::User { .. }, Ok(stream)) = (rejection, UnixStream::from_std(stream)) {
            linger(stream, reception.limits.hello).await;
        }
    }
}

fn peer(stream: &UnixStream) -> String {
    match stream.peer_cred() {
        Ok(peer) => format!("of process {}, user {}", peer.pid().unwrap_or(0), peer.uid()),
        Err(_) => "of an unknown process".to_owned(),
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
        Arc::new(Reception { admission: Admission::Believe, limits: Limits::default(), workers, user })
    }

    /// A client that has sent `bytes` is received; gives what it hears.
    async fn answer(bytes: &[u8], visitor: Visitor, reception: Arc<Reception>) -> Answer {
        let (mut near, far) = UnixStream::pair().expect("a pair");
        near.write_all(bytes).await.expect("written");
        near.shutdown().await.expect("nothing more to say");
        receive(far, visitor, reception).await;
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
        let received = tokio::spawn(receive(stream, sessions.visit(), reception(workers, me())));
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
        turn_away(far, reception(workers, me())).await;
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
