//! A port of this machine to listen on.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use super::{BACKLOG, ListenError, Owner};
use crate::address::Address;

/// A client that is silent for this long is asked whether it is still there, then every [`KEEPALIVE_INTERVAL`]. The
/// sessions of clients that left without a word (a tunnel that broke, a machine that fell) end that way.
const KEEPALIVE_TIME: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// So many questions without an answer, and the client is gone.
const KEEPALIVE_RETRIES: u32 = 4;

/// A port that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    /// With the port that the system chose, if it was to choose one.
    address: SocketAddr,
    listener: TcpListener,
    /// Who listens there beside us.
    pub(super) owner: Owner,
}

impl Listener {
    /// Listens on `address`.
    pub(super) fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        listen(address).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(Address::Tcp(address)),
            _ => ListenError::Io { address: Address::Tcp(address), error },
        })
    }

    /// Goes on with a socket that listens already.
    pub(super) fn adopt(descriptor: OwnedFd, owner: Owner) -> io::Result<Self> {
        let listener = TcpListener::from_std(descriptor.into())?;
        Ok(Self { address: listener.local_addr()?, listener, owner })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Address {
        Address::Tcp(self.address)
    }

    /// The next client.
    pub(super) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        self.listener.poll_accept(context).map_ok(|(stream, _)| prepared(stream))
    }

    /// Clients that wait at this moment, without asking the runtime, which may not have heard of them yet.
    pub(super) fn waiting(&self) -> Vec<TcpStream> {
        match self.listener.as_fd().try_clone_to_owned() {
            Ok(listener) => drain(&listener.into()),
            Err(_) => Vec::new(),
        }
    }

    /// Stops listening, and gives those who came too late.
    pub(super) fn close(self) -> Vec<TcpStream> {
        self.listener.into_std().map_or_else(|_| Vec::new(), |listener| drain(&listener))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

fn listen(address: SocketAddr) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
    // After a restart connections of the former process may still linger. Two that listen are refused all the same.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    Ok(Listener { address: listener.local_addr()?, listener, owner: Owner::Ours })
}

fn drain(listener: &std::net::TcpListener) -> Vec<TcpStream> {
    let accept = || {
        let (stream, _) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        TcpStream::from_std(stream).ok().map(prepared)
    };
    std::iter::from_fn(accept).collect()
}

/// An answer is sent at once, and a client that has gone is noticed.
fn prepared(stream: TcpStream) -> TcpStream {
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_RETRIES);
    let set = stream.set_nodelay(true).and_then(|()| SockRef::from(&stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = set {
        // It works without, only worse.
        tracing::warn!("cannot set TCP_NODELAY and keepalive for a client: {error}");
    }
    stream
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::TcpStream as StdStream;

    use super::*;

    fn any_port() -> SocketAddr {
        "127.0.0.1:0".parse().expect("an address")
    }

    #[tokio::test]
    async fn the_port_is_the_real_one_and_clients_are_prepared() {
        let listener = Listener::bind(any_port()).expect("bound");
        let Address::Tcp(address) = listener.address() else { panic!("not TCP") };
        assert_ne!(address.port(), 0);
        let _client = StdStream::connect(address).expect("connected");
        let stream = poll_fn(|context| listener.poll_accept(context)).await.expect("a client");
        assert!(stream.nodelay().expect("an option"));
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().expect("an option"));
        assert_eq!(socket.tcp_keepalive_time().expect("an option"), KEEPALIVE_TIME);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_refused() {
        let first = Listener::bind(any_port()).expect("bound");
        let error = Listener::bind(first.address).expect_err("in use").to_string();
        assert!(error.contains(&format!("another process already listens on {}", first.address())), "{error}");
    }

    #[tokio::test]
    async fn closing_finds_those_who_wait() {
        let listener = Listener::bind(any_port()).expect("bound");
        let _clients = [(); 2].map(|()| StdStream::connect(listener.address).expect("connected"));
        assert_eq!(listener.close().len(), 2);
    }
}
