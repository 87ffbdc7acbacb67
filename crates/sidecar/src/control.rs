//! The control socket between the supervisor and a worker: one JSON object a packet, descriptors beside some.
//!
//! The worker is started as `python -m tortoise_worker --control FD --board FD --settings JSON`.
//!
//! ```text
//! zygote → supervisor    {"ready": {"pid": 7, "python": "3.11.2", "product": "0.1.0", "warnings": ["…"]}}
//!                        {"started": 8, "client": 9, "process": 8}   session 8, a thread of process 8, serves PHP process 9
//!                        {"failed": "why", "client": 9}       there will be no session; the client has been told
//!                        {"ended": 8, "status": 0}            with the raw status of waitpid: process 8 and every session of it;
//!                        "requests": 3, "calls": 5            what it had done,
//!                        "recycled": true                     if it left because of its own bounds
//! session → supervisor   {"ended": 8, "status": 0, …}         under thread isolation: session 8 alone
//!                        {"overdue": 8, "process": 8, "client": 9}   its client left in mid-call, and it was interrupted
//!                        {"changed": "/roots/shop.py"}        a preloaded module's file has changed
//!                        {"share": {…}}                       with one descriptor: it wants the shared objects
//! supervisor → zygote    {"session": {"roots": […], "modules": […], "client": 9}}   with one descriptor, and
//!                        "served": [["/canonical", "/as/set"], …] unless the client may search any root,
//!                        "shared_memory": true if the client takes it,
//!                        "asked_modules": […] if the client narrows "modules",
//!                        "stale": true if a changed file was reported and no worker with it would start
//!                        {"retire": {}}                       take no more sessions, let those leave that are between
//!                                                             requests, end when the last has left
//!                        {"recall": 8}                        let session 8 leave: others wait for its place
//!                        {"kill": 8}                          kill process 8 and its group, if it is still a child
//!                        {"shared": {…}}                      with one descriptor: what came with "share"
//! ```
//!
//! All of them hold the worker's end: a session is a child of the zygote and sends to it directly. One packet is sent
//! whole or not at all.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, recvmsg, sendmsg,
    setsockopt, socketpair, sockopt,
};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use crate::process;

/// Bytes of one packet. A hello of [`tortoise_protocol::limits::MAX_HELLO_BYTES`] with ordinary paths fits twice.
pub const MAX_PACKET_BYTES: usize = 128 << 10;

/// Descriptors that Linux passes at once (`SCM_MAX_FD`). One is right; the room for more is there to close what should
/// not have come.
const MAX_DESCRIPTORS: usize = 253;

/// What a worker says.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(PartialEq))]
#[serde(untagged, expecting = "not a message of a worker")]
pub(crate) enum Report {
    /// It can take sessions.
    Ready { ready: Ready },
    /// A session has begun.
    Started {
        started: i32,
        client: u64,
        /// Its process; left out: its number is the session's.
        process: Option<i32>,
    },
    /// A session could not begin.
    Failed { failed: String, client: u64 },
    /// A session has ended.
    Ended {
        ended: i32,
        status: i32,
        #[serde(flatten)]
        done: Done,
    },
    /// A session's client left in mid-call, and the call has been interrupted.
    Overdue { overdue: i32, process: i32, client: u64 },
    /// The file of a preloaded module has changed.
    Changed { changed: String },
    /// A session asks for the shared objects, with a descriptor beside it.
    Share { share: Share },
}

/// What a session has done in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    pub(crate) calls: u64,
    /// It left because of its own bounds, such as max_requests.
    pub(crate) recycled: bool,
}

/// What a session says to the holder of the shared objects: passed on as it is.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Share(pub(crate) serde_json::Value);

#[cfg(test)]
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// A packet.
#[derive(Debug)]
pub(crate) struct Received {
    /// What it says.
    pub(crate) report: Report,
    /// What came beside it.
    pub(crate) descriptor: Option<OwnedFd>,
}

/// A worker that can take sessions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Ready {
    pub(crate) pid: i32,
    pub(crate) python: String,
    pub(crate) product: String,
    /// What the user should know, such as a module that could not be preloaded as it should.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
}

/// What a worker is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order<'a> {
    /// Serve the client at the other end of the descriptor beside this.
    Session(&'a Session),
    /// Take no more sessions, and end with the last.
    Retire {},
    /// Let this session leave as soon as it is between two requests.
    Recall(i32),
    /// Kill this process and its group.
    Kill(i32),
    /// Give the descriptor beside this to the holder of the shared objects.
    Shared(&'a Share),
}

/// What a session may do, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Class roots, in the order in which they are searched.
    pub roots: Vec<String>,
    /// Patterns of modules that may be opened.
    pub modules: Vec<String>,
    /// Patterns by which the client narrows them: a module must be let in by both. Empty: it does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked_modules: Vec<String>,
    /// The PHP process, for logs.
    pub client: u64,
    /// Whether the client takes shared memory.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shared_memory: bool,
    /// Whether its code is known to be older than its files, and newer code does not start: it serves all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// Among which roots the client can choose later, each in both spellings; None: among all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub served: Option<Vec<[String; 2]>>,
}

/// Our end of a control socket.
#[derive(Debug)]
pub(crate) struct Control {
    /// In truth of the kind SOCK_SEQPACKET, which keeps packets apart and, unlike a datagram socket, has an end. The
    /// runtime only tells when it is ready; what is sent and received is our own system call.
    socket: UnixDatagram,
}

impl Control {
    /// A control socket, and the end that the worker inherits.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (near, far) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        fcntl(&near, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        setsockopt(&near, sockopt::SndBuf, &(2 * MAX_PACKET_BYTES))?;
        Ok((Self { socket: UnixDatagram::from_std(near.into())? }, far))
    }

    /// Sends a packet and what goes beside it: both or, if the future is dropped, neither.
    pub(crate) async fn send(&self, packet: &[u8], beside: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let descriptors: Vec<_> = beside.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&descriptors)];
        let rights = if descriptors.is_empty() { &[] } else { &rights[..] };
        let send = || {
            let parts = [IoSlice::new(packet)];
            Ok(sendmsg::<UnixAddr>(self.as_raw_fd(), &parts, rights, MsgFlags::MSG_NOSIGNAL, None)?)
        };
        self.socket.async_io(Interest::WRITABLE, send).await.map(drop)
    }

    /// Gives an order, and what goes beside it, without waiting for a worker that is busy or stopped. One that is gone
    /// will not miss it: its end is noticed elsewhere.
    pub(crate) fn order(self: &Arc<Self>, order: &Order<'_>, beside: Option<OwnedFd>) {
        let packet = serde_json::to_vec(order).unwrap_or_default();
        let control = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = control.send(&packet, beside.as_ref().map(AsFd::as_fd)).await {
                let order = String::from_utf8_lossy(&packet);
                tracing::debug!("a worker did not take the order {order}: {error}");
            }
        });
    }

    /// The next packet; None when the worker has closed its end.
    pub(crate) async fn receive(&self) -> io::Result<Option<Received>> {
        let mut buffer = vec![0; MAX_PACKET_BYTES];
        let receive = || receive_packet(self.as_raw_fd(), &mut buffer);
        let (length, descriptors) = match self.socket.async_io(Interest::READABLE, receive).await {
            Err(error) if error.raw_os_error() == Some(Errno::ECONNRESET as i32) => return Ok(None),
            result => result?,
        };
        match buffer.get(..length) {
            Some([]) => Ok(None),
            Some(packet) => Ok(Some(Received {
                report: serde_json::from_slice(packet)?,
                descriptor: descriptors.into_iter().next(),
            })),
            None => {
                Err(io::Error::other(format!("a packet of {length} bytes is over the limit of {MAX_PACKET_BYTES}")))
            }
        }
    }
}

/// Receives one packet; gives its true length, even if the buffer is shorter, and the descriptors beside it.
fn receive_packet(socket: RawFd, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut parts = [IoSliceMut::new(buffer)];
    let mut space = nix::cmsg_space!([RawFd; MAX_DESCRIPTORS]);
    // MSG_TRUNC makes the result the packet's true length, so that a cut one is not taken for whole.
    let flags = MsgFlags::MSG_TRUNC | MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<UnixAddr>(socket, &mut parts, Some(&mut space), flags)?;
    let mut descriptors = Vec::new();
    // Never cut short: there is room for as many as can come.
    if let Ok(received) = message.cmsgs() {
        for message in received {
            if let ControlMessageOwned::ScmRights(numbers) = message {
                descriptors.extend(process::received(numbers));
            }
        }
    }
    Ok((message.bytes, descriptors))
}

impl AsRawFd for Control {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use nix::sys::socket::{ControlMessageOwned, recvmsg, send};

    use super::*;

    #[tokio::test]
    async fn what_a_worker_says_is_understood() {
        let (near, far) = Control::pair().expect("a pair");
        for (packet, expected) in [
            (
                r#"{"ready": {"pid": 7, "python": "3.11.2", "product": "0.1.0"}}"#,
                Report::Ready { ready: Ready { warnings: Vec::new(), ..ready() } },
            ),
            (
                r#"{"ready": {"pid": 7, "python": "3.11.2", "product": "0.1.0", "warnings": ["slow"]}}"#,
                Report::Ready { ready: ready() },
            ),
            (r#"{"started": 8, "client": 9}"#, STARTED),
            (
                r#"{"started": 8, "client": 9, "process": 7}"#,
                Report::Started { started: 8, client: 9, process: Some(7) },
            ),
            (r#"{"failed": "no memory", "client": 9}"#, Report::Failed { failed: "no memory".into(), client: 9 }),
            (r#"{"ended": 8, "status": 11}"#, Report::Ended { ended: 8, status: 11, done: Done::default() }),
            (
                r#"{"ended": 8, "status": 0, "requests": 3, "calls": 5, "recycled": true}"#,
                Report::Ended { ended: 8, status: 0, done: Done { requests: 3, calls: 5, recycled: true } },
            ),
            (r#"{"overdue": 8, "process": 7, "client": 9}"#, Report::Overdue { overdue: 8, process: 7, client: 9 }),
            (r#"{"changed": "/a/b.py"}"#, Report::Changed { changed: "/a/b.py".into() }),
            (r#"{"share": {"roots": []}}"#, Report::Share { share: Share(serde_json::json!({"roots": []})) }),
        ] {
            send(far.as_raw_fd(), packet.as_bytes(), MsgFlags::empty()).expect("sent");
            let received = near.receive().await.expect("a packet").expect("not the end");
            assert_eq!(received.report, expected);
            assert!(received.descriptor.is_none());
        }
        drop(far);
        assert!(near.receive().await.expect("the end").is_none());
    }

    const STARTED: Report = Report::Started { started: 8, client: 9, process: None };

    fn ready() -> Ready {
        Ready { pid: 7, python: "3.11.2".into(), product: "0.1.0".into(), warnings: vec!["slow".into()] }
    }

    #[tokio::test]
    async fn a_descriptor_comes_with_its_packet_and_more_than_one_are_closed() {
        let (near, far) = Control::pair().expect("a pair");
        let (mut holder, session) = UnixStream::pair().expect("a pair");
        let packet = [IoSlice::new(br#"{"share": 1}"#)];
        for count in [1, 3, 100] {
            let numbers = vec![session.as_raw_fd(); count];
            let rights = [ControlMessage::ScmRights(&numbers)];
            sendmsg::<UnixAddr>(far.as_raw_fd(), &packet, &rights, MsgFlags::empty(), None).expect("sent");
            let received = near.receive().await.expect("a packet").expect("not the end");
            assert_eq!(received.report, Report::Share { share: Share(1.into()) });
            let mut stream = UnixStream::from(received.descriptor.expect("a descriptor"));
            io::Write::write_all(&mut stream, b"x").expect("written");
        }
        drop(session);
        let mut text = String::new();
        // Nobody holds a copy.
        holder.read_to_string(&mut text).expect("read to the end");
        assert_eq!(text, "xxx");
    }

    #[tokio::test]
    async fn an_order_does_not_wait_for_a_worker_that_does_not_read() {
        let (near, far) = Control::pair().expect("a pair");
        let near = Arc::new(near);
        let large = vec![b' '; MAX_PACKET_BYTES];
        while near
            .socket
            .try_io(Interest::WRITABLE, || Ok(send(near.as_raw_fd(), &large, MsgFlags::MSG_DONTWAIT)?))
            .is_ok()
        {}
        near.order(&Order::Recall(8), None);
        let mut buffer = vec![0; MAX_PACKET_BYTES];
        let mut last = 0;
        while last != br#"{"recall":8}"#.len() {
            // The order is sent as soon as there is room.
            tokio::task::yield_now().await;
            last = nix::sys::socket::recv(far.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT).unwrap_or(0);
        }
        assert_eq!(&buffer[..last], br#"{"recall":8}"#);
    }

    #[tokio::test]
    async fn what_no_worker_says_is_an_error() {
        let (near, far) = Control::pair().expect("a pair");
        let deep = "[".repeat(MAX_PACKET_BYTES);
        for packet in ["{", "[]", r#"{"begun": 8}"#, r#"{"started": "8", "client": 9}"#, "\0", &deep] {
            send(far.as_raw_fd(), packet.as_bytes(), MsgFlags::empty()).expect("sent");
            near.receive().await.expect_err(packet);
        }
    }

    #[tokio::test]
    async fn a_packet_over_the_limit_is_an_error_and_the_next_one_is_whole() {
        let (near, far) = Control::pair().expect("a pair");
        send(far.as_raw_fd(), &vec![b' '; MAX_PACKET_BYTES + 1], MsgFlags::empty()).expect("sent");
        send(far.as_raw_fd(), br#"{"started": 8, "client": 9}"#, MsgFlags::empty()).expect("sent");
        let error = near.receive().await.expect_err("too long").to_string();
        assert!(error.contains("131073 bytes"), "{error}");
        let received = near.receive().await.expect("a packet").expect("not the end");
        assert_eq!(received.report, STARTED);
    }

    #[tokio::test]
    async fn a_socket_crosses_with_the_largest_packet() {
        let (near, far) = Control::pair().expect("a pair");
        let (client, session) = UnixStream::pair().expect("a pair");
        let packet = vec![b'x'; MAX_PACKET_BYTES];
        near.send(&packet, Some(session.as_fd())).await.expect("sent");
        drop(session);

        let mut buffer = vec![0; MAX_PACKET_BYTES + 1];
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let mut space = nix::cmsg_space!([i32; 1]);
        let message =
            recvmsg::<UnixAddr>(far.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty()).expect("received");
        assert_eq!(message.bytes, MAX_PACKET_BYTES);
        let received = message.cmsgs().expect("control messages").find_map(|message| match message {
            ControlMessageOwned::ScmRights(numbers) => numbers.first().copied(),
            _ => None,
        });
        let number = received.expect("a descriptor");
        std::fs::write(format!("/proc/self/fd/{number}"), "").expect_err("a socket is no file to open");
        send(number, b"welcome", MsgFlags::empty()).expect("sent");
        nix::unistd::close(number).expect("closed");
        let mut text = String::new();
        (&client).read_to_string(&mut text).expect("read to the end");
        assert_eq!(text, "welcome");
    }

    #[test]
    fn an_order_is_this_json() {
        let session = Session {
            roots: vec!["/a \"b\"".into()],
            modules: vec!["json".into()],
            asked_modules: Vec::new(),
            client: 9,
            shared_memory: false,
            stale: false,
            served: None,
        };
        assert_eq!(
            serde_json::to_string(&Order::Session(&session)).expect("JSON"),
            r#"{"session":{"roots":["/a \"b\""],"modules":["json"],"client":9}}"#
        );
        let share = Share(serde_json::json!({"roots": ["/a"]}));
        for (order, expected) in [
            (Order::Retire {}, r#"{"retire":{}}"#),
            (Order::Recall(8), r#"{"recall":8}"#),
            (Order::Kill(8), r#"{"kill":8}"#),
            (Order::Shared(&share), r#"{"shared":{"roots":["/a"]}}"#),
        ] {
            assert_eq!(serde_json::to_string(&order).expect("JSON"), expected);
        }
        let served = Some(vec![["/b".into(), "/a".into()]]);
        let asked_modules = vec!["re".into()];
        let (roots, modules) = (vec!["/b".into()], Vec::new());
        let session = Session { roots, modules, asked_modules, shared_memory: true, stale: true, served, ..session };
        assert_eq!(
            serde_json::to_string(&Order::Session(&session)).expect("JSON"),
            concat!(
                r#"{"session":{"roots":["/b"],"modules":[],"asked_modules":["re"],"client":9,"#,
                r#""shared_memory":true,"stale":true,"served":[["/b","/a"]]}}"#
            )
        );
    }
}
