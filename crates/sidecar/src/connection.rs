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
