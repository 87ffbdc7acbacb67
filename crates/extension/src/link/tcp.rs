//! Connects to a port within a bounded time.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::connect::Unreached;
use crate::error::BridgeError;

/// Addresses that are tried of those that a name stands for.
const MAX_ADDRESSES: usize = 16;

/// What an address gets of the time, at least.
const LEAST_SHARE: Duration = Duration::from_millis(100);

/// Connects to the first address of `host` that answers before `end`. Each gets its share of the time, so that one that
/// swallows everything keeps none of the others from being tried.
///
/// # Errors
/// Names each address with what was wrong there. Nobody is said to listen where one of them refuses.
pub(super) fn connect(server: &str, host: &str, port: u16, end: Instant) -> Result<TcpStream, Unreached> {
    let addresses: Vec<SocketAddr> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.take(MAX_ADDRESSES).collect(),
        Err(error) => {
            return Err(Unreached::Failed(BridgeError::Connection(format!(
                "tortoise.server is {server}, and the name {host} cannot be resolved: {error}"
            ))));
        }
    };
    let mut refusals = Vec::new();
    let mut is_absent = false;
    for (at, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - at).unwrap_or(1);
        let share = (left / others).max(LEAST_SHARE);
        let connected = TcpStream::connect_timeout(address, share).and_then(|stream| {
            // A small request is not held back until the answer to the last one is acknowledged.
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                is_absent |= error.kind() == ErrorKind::ConnectionRefused;
                refusals.push(format!("{address}: {error}"));
            }
        }
    }
    let why = format!(
        "no sidecar answers at {server} ({}); start it with `tortoise serve --listen tcp://127.0.0.1:{port} --token-file \
         FILE` (and a tunnel to it, if it runs on another machine), or set tortoise.server=auto; `tortoise doctor` looks \
         for what is wrong",
        refusals.join("; ")
    );
    Err(if is_absent { Unreached::Absent(why) } else { Unreached::Failed(BridgeError::Connection(why)) })
}
