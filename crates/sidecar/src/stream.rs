//! A client's connection, whatever it came through, until it is handed over.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::Socket;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connection in the runtime.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Over a Unix socket: the system knows whose process the client is.
    Unix(UnixStream),
    /// Over TCP: anybody on this machine.
    Tcp(TcpStream),
}

impl Stream {
    /// The socket alone, out of the runtime.
    pub(crate) fn into_socket(self) -> io::Result<Socket> {
        let descriptor: OwnedFd = match self {
            Self::Unix(stream) => stream.into_std()?.into(),
            Self::Tcp(stream) => stream.into_std()?.into(),
        };
        Ok(descriptor.into())
    }

    /// Writes all of it.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes).await,
            Self::Tcp(stream) => stream.write_all(bytes).await,
        }
    }

    /// Who the client is, as far as the system tells.
    pub(crate) fn peer(&self) -> Peer {
        match self {
            Self::Unix(stream) => match stream.peer_cred() {
                Ok(peer) => Peer(format!("of process {}, user {}", peer.pid().unwrap_or(0), peer.uid())),
                Err(_) => Peer("of an unknown process".to_owned()),
            },
            Self::Tcp(stream) => match stream.peer_addr() {
                Ok(address) => Peer(format!("at tcp://{address}")),
                Err(_) => Peer("at an unknown address".to_owned()),
            },
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

/// A client, in the words of the log: `of process 7, user 1000` or `at tcp://127.0.0.1:40123`.
#[derive(Debug)]
pub(crate) struct Peer(String);

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
