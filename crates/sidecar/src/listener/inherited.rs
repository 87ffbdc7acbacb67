//! Listeners that others have made: the service manager, or the sidecar whose successor we are.

use std::os::fd::{AsRawFd, OwnedFd};

use socket2::{SockAddr, SockRef, Type};

use super::{ListenError, Listener, tcp, unix};
use crate::address::Address;

/// A descriptor that somebody gave us to listen on.
#[derive(Debug)]
pub struct Inherited {
    /// The socket.
    pub(crate) descriptor: OwnedFd,
    /// Who listens there beside us.
    pub(crate) owner: Owner,
}

/// Who listens at an address beside us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody.
    Ours,
    /// The service manager, when we do not.
    Manager,
    /// The sidecar whose successor we are, until we are ready.
    Predecessor,
}

/// Listeners, and those that nobody asks for any more.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) listeners: Vec<Listener>,
    /// Inherited from a sidecar that listened on an address that is not set any more.
    pub(crate) surplus: Vec<Listener>,
}

/// Listens on every address and on what the service manager gives, or on nothing.
pub(crate) fn open_all(addresses: &[Address], inherited: Vec<Inherited>) -> Result<Opened, ListenError> {
    let mut given = inherited.into_iter().map(adopt).collect::<Result<Vec<_>, _>>()?;
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let opened = match given.iter().position(|listener| serves(address, &listener.address())) {
            Some(place) => Ok(given.remove(place)),
            None => Listener::bind(address),
        };
        match opened {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                listeners.into_iter().for_each(|listener| drop(listener.close()));
                return Err(error);
            }
        }
    }
    let (more, surplus): (Vec<_>, Vec<_>) = given.into_iter().partition(|listener| listener.owner() == Owner::Manager);
    if let Some(listener) = more.iter().find(|listener| matches!(listener, Listener::Tcp(_))) {
        let error = ListenError::NotListed(listener.address());
        listeners.into_iter().for_each(|listener| drop(listener.close()));
        return Err(error);
    }
    listeners.extend(more);
    if listeners.is_empty() { Err(ListenError::Nowhere) } else { Ok(Opened { listeners, surplus }) }
}

fn adopt(Inherited { descriptor, owner }: Inherited) -> Result<Listener, ListenError> {
    let number = descriptor.as_raw_fd();
    let no_listener = |error| ListenError::Inherited { number, error };
    let socket = SockRef::from(&descriptor);
    let is_listener = socket.r#type().is_ok_and(|kind| kind == Type::STREAM) && socket.is_listener().unwrap_or(false);
    let address = socket.local_addr().ok();
    socket.set_nonblocking(true).map_err(no_listener)?;
    let path = address.as_ref().and_then(SockAddr::as_pathname);
    match (is_listener, path, address.as_ref().and_then(SockAddr::as_socket)) {
        (true, Some(path), _) => {
            unix::Listener::adopt(descriptor, path, owner).map(Listener::Unix).map_err(no_listener)
        }
        (true, None, Some(_)) => tcp::Listener::adopt(descriptor, owner).map(Listener::Tcp).map_err(no_listener),
        _ => Err(no_listener(std::io::Error::other("it is no stream socket that listens on a path or a port"))),
    }
}

/// Whether what listens at `real` is what `wanted` asks for.
fn serves(wanted: &Address, real: &Address) -> bool {
    match (wanted, real) {
        (Address::Tcp(wanted), Address::Tcp(real)) => {
            wanted.ip() == real.ip() && [0, real.port()].contains(&wanted.port())
        }
        (wanted, real) => wanted == real,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    use super::*;

    fn inherited(socket: impl Into<OwnedFd>, owner: Owner) -> Inherited {
        Inherited { descriptor: socket.into(), owner }
    }

    fn bound(path: &Path) -> UnixListener {
        UnixListener::bind(path).expect("bound")
    }

    #[tokio::test]
    async fn what_is_given_is_used_and_the_rest_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let [given, made, managed, old] = ["given", "made", "managed", "old"].map(|name| folder.path().join(name));
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let port_address = Address::Tcp(port.local_addr().expect("an address"));
        let addresses = [
            Address::Unix(given.clone()),
            Address::Unix(made.clone()),
            Address::Tcp("127.0.0.1:0".parse().expect("an address")),
        ];
        let all = vec![
            inherited(bound(&managed), Owner::Manager),
            inherited(bound(&given), Owner::Predecessor),
            inherited(port, Owner::Manager),
            inherited(bound(&old), Owner::Predecessor),
        ];
        let Opened { listeners, surplus } = open_all(&addresses, all).expect("opened");
        let names: Vec<_> = listeners.iter().map(Listener::address).collect();
        let unix = |path: &Path| Address::Unix(path.to_owned());
        assert_eq!(names, [unix(&given), unix(&made), port_address, unix(&managed)]);
        assert_eq!(surplus.iter().map(Listener::address).collect::<Vec<_>>(), [unix(&old)]);
        // Where others listen on, those who wait are theirs, and so is the file.
        let _waiting = [&managed, &given].map(|path| UnixStream::connect(path).expect("connected"));
        let late: Vec<_> = listeners.into_iter().map(|listener| listener.close().len()).collect();
        assert_eq!(late, [0; 4]);
        assert!(managed.exists() && given.exists() && !made.exists());
    }

    #[tokio::test]
    async fn what_is_taken_over_is_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.sock");
        let all = vec![inherited(bound(&path), Owner::Predecessor)];
        let mut opened = open_all(&[Address::Unix(path.clone())], all).expect("opened");
        let _waiting = UnixStream::connect(&path).expect("connected");
        let mut listener = opened.listeners.remove(0);
        listener.take_over();
        assert_eq!(listener.close().len(), 1);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_listener_is_named() {
        let (socket, _far) = UnixStream::pair().expect("a pair");
        let number = socket.as_raw_fd();
        let error = open_all(&[], vec![inherited(socket, Owner::Manager)]).expect_err("no listener").to_string();
        assert!(error.contains(&format!("descriptor {number}")) && error.contains("no stream socket"), "{error}");
        assert!(matches!(open_all(&[], Vec::new()), Err(ListenError::Nowhere)));
    }

    #[tokio::test]
    async fn a_port_of_the_manager_must_be_set_too_because_of_its_token() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let error = open_all(&[], vec![inherited(port, Owner::Manager)]).expect_err("no token").to_string();
        assert!(error.contains("[[listen]]"), "{error}");
    }
}
