//! The loop of a session: receive a request, do it, send the answer.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;

use nix::sys::socket::{Shutdown, shutdown};
use pyo3::prelude::*;
use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::frame::{FLAG_BIG_INTEGERS, FLAG_RELEASES, HEADER_BYTES, Header, Kind, begin, finish};
use tortoise_protocol::handshake::Welcome;
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::request::read_releases;
use tortoise_protocol::{Malformed, PRODUCT_VERSION, Reader};

use crate::dispatch::State;
use crate::failure::{Fault, of_exception};
use crate::fork;
use crate::from_wire::Request;
use crate::hooks::Hooks;
use crate::spinning;

/// Bytes that a buffer keeps from one call to the next.
const KEPT_BUFFER_BYTES: usize = 1 << 20;

/// Serves a client until it leaves. What comes back is why the connection had to be closed, if it had to.
/// User code's exceptions go to the client.
pub(crate) fn serve(py: Python<'_>, client: OwnedFd, hooks: Hooks<'_>, shared_memory: bool) -> Option<String> {
    let mut channel = Channel::over_socket(client);
    channel.set_spin_policy(spinning::policy());
    let result = serve_channel(py, &mut channel, hooks, shared_memory);
    // The watcher holds the socket too: without this a client that broke the rules would wait for us to exit.
    let _ = shutdown(channel.as_fd().as_raw_fd(), Shutdown::Both);
    result
}

fn serve_channel(py: Python<'_>, channel: &mut Channel, hooks: Hooks<'_>, shared_memory: bool) -> Option<String> {
    let welcome = welcome(&hooks.version);
    let greeted =
        py.detach(|| if shared_memory { channel.send_first(&welcome).map(drop) } else { channel.send(&welcome) });
    match greeted {
        Ok(()) => {}
        Err(ChannelError::Closed) => return None,
        Err(error) => return Some(error.to_string()),
    }
    let (mut request, mut reply) = (Vec::new(), Vec::new());
    let state = State::new(hooks);
    let mut session = Session { state, last_call: 0, closing: None, lost: None };
    loop {
        // The one window without the interpreter's lock: other threads of the user's code run while we wait.
        let segments = session.state.segments.places(py);
        let received = py.detach(|| {
            if !reply.is_empty() {
                channel.send_with(&reply, &segments)?;
            }
            channel.receive(&mut request, MAX_FRAME_BYTES)
        });
        session.state.segments.clear();
        reply.clear();
        reply.shrink_to(KEPT_BUFFER_BYTES);
        match received {
            Ok(header) => {
                let request = Request { reader: Reader::new(&request), channel };
                session.answer(py, header, request, &mut reply);
            }
            Err(ChannelError::Closed) => return None,
            Err(ChannelError::Malformed(malformed)) => session.give_up(malformed.to_string(), 0, &mut reply),
            Err(error) => return Some(error.to_string()),
        }
        fork::end_if_forked();
        if let Some(error) = session.lost.take() {
            return match error {
                ChannelError::Closed => None,
                error => Some(error.to_string()),
            };
        }
        if let Some(reason) = session.closing.take() {
            // The client may have gone already; there is nobody else to tell.
            let _ = py.detach(|| channel.send(&reply));
            return Some(reason);
        }
        request.clear();
        request.shrink_to(KEPT_BUFFER_BYTES);
    }
}

struct Session<'py> {
    state: State<'py>,
    /// Ids of calls only grow, so one that comes again is a client that lost count.
    last_call: u64,
    /// Why the connection is to be closed behind the answer.
    closing: Option<String>,
    /// What became of the client in the middle of a request, if it is not there any more.
    lost: Option<ChannelError>,
}

impl<'py> Session<'py> {
    /// Leaves in `reply` the frame that answers, or nothing where nothing is to be answered.
    fn answer(&mut self, py: Python<'py>, header: Header, mut request: Request<'_>, reply: &mut Vec<u8>) {
        let handled = catch_unwind(AssertUnwindSafe(|| self.try_answer(py, header, &mut request, reply)));
        match handled {
            Ok(()) => {}
            Err(_) => self.give_up(format!("the session failed at a {:?} request", header.kind), header.call, reply),
        }
        drop(self.state.table.doomed());
    }

    fn try_answer(&mut self, py: Python<'py>, header: Header, request: &mut Request<'_>, reply: &mut Vec<u8>) {
        let fault = match self.request(py, header, request, reply) {
            Ok(None) => return reply.clear(),
            Ok(Some(kind)) => match finish(reply, self.state.header(kind, header.call)) {
                Ok(()) => return self.state.table.commit(),
                Err(too_large) => {
                    Fault::Told(Box::new(Failure::new(Category::Conversion, Ran::Yes, too_large.to_string())))
                }
            },
            Err(fault) => fault,
        };
        self.state.take_back();
        let failure = match fault {
            Fault::Malformed(malformed) => return self.give_up(malformed.to_string(), header.call, reply),
            Fault::Lost(error @ ChannelError::SegmentsTooShort { .. }) => {
                return self.give_up(error.to_string(), header.call, reply);
            }
            Fault::Lost(error) => {
                self.lost = Some(error);
                return reply.clear();
            }
            Fault::Told(failure) => *failure,
            Fault::Raised(error) => {
                let failure = of_exception(py, error, &self.state.hooks.explain, &mut self.state.table);
                self.state.table.commit();
                failure
            }
        };
        if let Err(error) = write_failure(reply, &failure, header.call) {
            self.give_up(error.to_string(), header.call, reply);
        }
    }

    /// None for a request that is not answered.
    fn request(
        &mut self,
        py: Python<'py>,
        header: Header,
        request: &mut Request<'_>,
        reply: &mut Vec<u8>,
    ) -> Result<Option<Kind>, Fault> {
        if header.flags & FLAG_RELEASES != 0 {
            read_releases(&mut request.reader, |id, count| self.state.table.release(id, count))?;
            drop(self.state.table.doomed());
        }
        self.state.takes_big_integers = header.flags & FLAG_BIG_INTEGERS != 0;
        match header.kind {
            Kind::Release => {}
            Kind::EndRequest => self.state.end_request(),
            kind => {
                self.count(header.call)?;
                begin(reply);
                return self.state.handle(py, kind, request, reply).map(Some);
            }
        }
        request.reader.end()?;
        Ok(None)
    }

    fn count(&mut self, call: u64) -> Result<(), Malformed> {
        if call <= self.last_call {
            let found = "one that is 0 or not over the last";
            return Err(Malformed::Unexpected { expected: "a new call id", found });
        }
        self.last_call = call;
        Ok(())
    }

    /// Tells the client that the connection is of no use any more.
    fn give_up(&mut self, reason: String, call: u64, reply: &mut Vec<u8>) {
        let failure = Failure::new(Category::Protocol, Ran::No, reason.as_str());
        // A short text always fits a frame.
        if write_failure(reply, &failure, call).is_err() {
            reply.clear();
        }
        self.closing = Some(reason);
    }
}

fn write_failure(reply: &mut Vec<u8>, failure: &Failure, call: u64) -> Result<(), Malformed> {
    begin(reply);
    failure.write(reply);
    finish(reply, Header::new(Kind::Failure, call))
}

fn welcome(python: &str) -> Vec<u8> {
    let mut frame = vec![0; HEADER_BYTES];
    let welcome =
        Welcome { product: PRODUCT_VERSION.to_owned(), process: u64::from(process::id()), python: python.to_owned() };
    welcome.write(&mut frame);
    // Three short texts always fit a frame.
    if finish(&mut frame, Header::new(Kind::Welcome, 0)).is_err() {
        frame.clear();
    }
    frame
}
