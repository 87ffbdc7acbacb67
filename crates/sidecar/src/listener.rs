//! What the sidecar listens on: Unix sockets and ports.

mod inherited;
mod tcp;
mod unix;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::task::{Context, Poll};

pub use self::inherited::Inherited;
pub(crate) use self::inherited::{Opened, Owner, open_all};
use crate::address::Address;
use crate::stream::Stream;

/// Clients that may wait to be accepted; the system has its own limit beside it.
const BACKLOG: i32 = 1024;

/// Why we cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A live process listens there.
    #[error("another process already listens on {0}; stop it first, or choose another address")]
    InUse(Address),
    /// Something else has the name.
    #[error("cannot listen on {0}: the path exists and is not a socket")]
    NotASocket(Address),
    /// The folder of the socket cannot be used.
    #[error("cannot listen on {address}: its folder {}: {error}", .folder.display())]
    Folder {
        /// The address.
        address: Address,
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Nobody said where.
    #[error(
        "no address to listen on: none is set ([[listen]] in the settings file, or --listen), and the service manager has \
         passed no socket"
    )]
    Nowhere,
    /// A port needs a token.
    #[error(
        "the service manager has passed {0}, which must stand under [[listen]] in the settings too: it needs a token_file"
    )]
    NotListed(Address),
    /// Somebody gave us what we cannot listen on.
    #[error("cannot listen on the inherited descriptor {number}: {error}")]
    Inherited {
        /// The descriptor.
        number: i32,
        /// Why.
        error: io::Error,
    },
    /// The system refused.
    #[error("cannot listen on {address}: {error}")]
    Io {
        /// The address.
        address: Address,
        /// The system's reason.
        error: io::Error,
    },
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) enum Listener {
    /// On a path.
    Unix(unix::Listener),
    /// On a port.
    Tcp(tcp::Listener),
}

impl Listener {
    /// Listens on `address`.
    pub(crate) fn bind(address: &Address) -> Result<Self, ListenError> {
        match address {
            Address::Unix(path) => unix::Listener::bind(path).map(Self::Unix),
            Address::Tcp(address) => tcp::Listener::bind(*address).map(Self::Tcp),
        }
    }

    /// Where it listens, with its real port.
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Unix(listener) => listener.address(),
            Self::Tcp(listener) => listener.address(),
        }
    }

    /// The next client.
    pub(crate) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            Self::Unix(listener) => listener.poll_accept(context).map_ok(Stream::Unix),
            Self::Tcp(listener) => listener.poll_accept(context).map_ok(Stream::Tcp),
        }
    }

    /// Clients that wait at this moment.
    pub(crate) fn waiting(&self) -> Vec<Stream> {
        match self {
            Self::Unix(listener) => listener.waiting().into_iter().map(Stream::Unix).collect(),
            Self::Tcp(listener) => listener.waiting().into_iter().map(Stream::Tcp).collect(),
        }
    }

    /// Who listens there beside us.
    pub(crate) fn owner(&self) -> Owner {
        match self {
            Self::Unix(listener) => listener.owner,
            Self::Tcp(listener) => listener.owner,
        }
    }

    /// The sidecar whose successor we are leaves it to us.
    pub(crate) fn take_over(&mut self) {
        let owner = match self {
            Self::Unix(listener) => &mut listener.owner,
            Self::Tcp(listener) => &mut listener.owner,
        };
        if *owner == Owner::Predecessor {
            *owner = Owner::Ours;
        }
    }

    /// Leaves the address to others, stops listening, and gives those who came too late. Where others listen on, nobody
    /// does.
    pub(crate) fn close(self) -> Vec<Stream> {
        if self.owner() != Owner::Ours {
            return Vec::new();
        }
        match self {
            Self::Unix(listener) => listener.close().into_iter().map(Stream::Unix).collect(),
            Self::Tcp(listener) => listener.close().into_iter().map(Stream::Tcp).collect(),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(listener) => listener.as_fd(),
            Self::Tcp(listener) => listener.as_fd(),
        }
    }
}
