//! The watcher of a session: a thread without the interpreter's lock, which sees what happens while user code runs.
//!
//! It ends the session when the supervisor or the zygote has gone, tells it to retire when the zygote says so, and when the client
//! has gone in the middle of a call: it has it written down where the call is, interrupts it, and after the grace ends it by
//! force.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::socket::{MsgFlags, recv};
use pyo3::FromPyObject;

use crate::signs::Signs;
use crate::thread::OwnThread;

/// The watcher does next to nothing, and a session may have a thousand siblings.
const STACK_BYTES: usize = 64 << 10;

/// Bytes of a word of the zygote.
const WORD_BYTES: usize = 64;

/// How long the main thread gets to write down where it is, before the end by force.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A signal that comes in the moment before a thread goes to sleep does not wake it. So it is sent again, first after this time.
const FIRST_REPEAT: Duration = Duration::from_millis(10);

/// What ends calls that nobody waits for.
pub(crate) struct Deadline {
    /// How long a call has after it was interrupted, and the exit handlers after the last call.
    pub(crate) grace: Duration,
    /// What is written there about overdue calls; None: to standard error.
    pub(crate) slow_log: Option<PathBuf>,
    /// How to reach the main thread.
    pub(crate) alarm: Alarm,
}

/// How to reach the main thread of a process: `tortoise_worker.interrupts.Alarm`.
#[derive(FromPyObject, Debug, Clone, Copy)]
pub(crate) struct Alarm {
    /// The signal by which it writes down where all threads are, whoever has the interpreter's lock.
    dump_signal: i32,
    /// The number of the file into which it does that: in the beginning it is standard error.
    dump_file: RawFd,
    /// The signal by which Python interrupts what it does.
    interrupt_signal: i32,
}

/// What is done at the end of a session that shares its process, such as to wait for cancelled coroutines, gets so much more.
const FAREWELL: Duration = Duration::from_secs(5);

/// What is watched.
pub(crate) struct Watcher {
    /// The client's socket.
    pub(crate) client: OwnedFd,
    /// The process id of PHP.
    pub(crate) php: u64,
    /// What the own thread is told, and where the zygote and the supervisor are.
    pub(crate) signs: Arc<Signs>,
    /// What happens when the client has gone.
    pub(crate) deadline: Deadline,
    /// The session's own thread, where that is not the main thread of a process that is for it alone.
    pub(crate) thread: Option<OwnThread>,
}

/// What a wait has come to.
#[derive(PartialEq, Eq)]
enum Seen {
    /// The client has gone.
    ClientGone,
    /// The session has ended, and its process goes on.
    Over,
    /// Nothing, within the time.
    Nothing,
}

impl Watcher {
    /// Watches from a thread of its own, which never holds the interpreter's lock and never reads what the client sends.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(self) -> std::io::Result<()> {
        spawn("tortoise-watch", STACK_BYTES, move || self.watch())
    }

    fn watch(&self) {
        if self.wait(true, None) == Seen::Over {
            return;
        }
        let end = Instant::now() + self.deadline.grace;
        let mut is_overdue = self.interrupt(false);
        if !is_overdue {
            // What it had sent before it went may only now be begun, and what it did not wait for gets its time.
            if self.wait(false, Some(Instant::now() + self.deadline.grace / 2)) == Seen::Over {
                return;
            }
            is_overdue = self.interrupt(true);
        }
        let mut pause = FIRST_REPEAT;
        while self.thread.is_none() && self.signs.is_interrupt_pending() && Instant::now() + pause < end {
            self.wait(false, Some(Instant::now() + pause));
            if self.signs.is_interrupt_pending() {
                signal_main_thread(self.deadline.alarm.interrupt_signal);
            }
            pause *= 2;
        }
        if self.wait(false, Some(end)) == Seen::Over {
            return;
        }
        if self.thread.is_some()
            && !self.signs.is_at_work()
            && self.wait(false, Some(Instant::now() + FAREWELL)) == Seen::Over
        {
            return;
        }
        let what = if is_overdue { "a call goes on although it was interrupted" } else { "the session has not ended" };
        self.dump(&format!("{what} {} s after its client left, and is ended", self.deadline.grace.as_secs_f64()));
        if self.wait(false, Some(Instant::now() + LAST_WORDS)) == Seen::Over {
            return;
        }
        if self.thread.is_some() {
            let (id, pid, php) = (self.session(), process::id(), self.php);
            eprintln!(
                "tortoise: session {id} of PHP process {php} still goes on although its client has left; its process {pid} is \
                 ended, and all sessions in it"
            );
            end_group();
        }
        if is_overdue { end_group() } else { end_process() }
    }

    /// Interrupts what the session does for PHP, if PHP waited for it, or `whatever` it is. False: it does nothing of that.
    fn interrupt(&self, whatever: bool) -> bool {
        if !self.signs.interrupt(whatever) {
            return false;
        }
        self.dump("its client left in the middle of a call, which is interrupted");
        let (id, pid) = (self.session(), process::id());
        let report = format!(r#"{{"overdue": {id}, "process": {pid}, "client": {}}}"#, self.php);
        self.signs.tell_supervisor(&report);
        match &self.thread {
            None => signal_main_thread(self.deadline.alarm.interrupt_signal),
            Some(thread) => {
                if let Err(error) = thread.interrupt(&self.signs) {
                    eprintln!("tortoise: session {id} cannot be interrupted: {error}");
                }
            }
        }
        true
    }

    /// The number by which the supervisor knows the session.
    fn session(&self) -> u32 {
        self.thread.as_ref().map_or_else(process::id, |thread| thread.id.cast_unsigned())
    }

    /// Waits until the client has gone, if it is `watched`, or until `end`. The supervisor's end, and the zygote's, is that of
    /// the process.
    fn wait(&self, is_client_watched: bool, end: Option<Instant>) -> Seen {
        // A peer that shut down one direction is gone too: it never sends again.
        let hang_up = PollFlags::from_bits_retain(libc::POLLRDHUP);
        loop {
            let timeout = match end.map(|end| end.saturating_duration_since(Instant::now())) {
                None => PollTimeout::NONE,
                Some(left) if left.is_zero() => return Seen::Nothing,
                Some(left) => PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
            };
            // The line of a thread ends in its own process.
            let zygote = self.thread.as_ref().map_or(&self.signs.control, |thread| &thread.zygote);
            let mut polled = [
                PollFd::new(self.signs.control.as_fd(), PollFlags::empty()),
                PollFd::new(zygote.as_fd(), PollFlags::empty()),
                PollFd::new(self.signs.line.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.client.as_fd(), hang_up),
            ];
            let watched = if is_client_watched { &mut polled[..] } else { &mut polled[..3] };
            match poll(watched, timeout) {
                Err(Errno::EINTR | Errno::EAGAIN) => continue,
                Err(_) => end_group(),
                Ok(_) => {}
            }
            let [supervisor, zygote, line, client] = polled.map(|each| each.any().unwrap_or(true));
            if supervisor || zygote {
                end_group();
            }
            if line && !self.hear_zygote() {
                return Seen::Over;
            }
            if is_client_watched && client {
                return Seen::ClientGone;
            }
        }
    }

    /// False: the session has ended.
    fn hear_zygote(&self) -> bool {
        let mut word = [0; WORD_BYTES];
        match recv(self.signs.line.as_raw_fd(), &mut word, MsgFlags::MSG_DONTWAIT) {
            Ok(0) if self.thread.is_some() => return false,
            Ok(0) => end_group(),
            Ok(length) if &word[..length] == b"retire" => self.signs.retire(),
            Ok(_) | Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(_) => end_group(),
        }
        true
    }

    /// Writes into the slow log what has happened, and has the main thread write there where all threads are.
    fn dump(&self, what: &str) {
        let Deadline { slow_log, alarm: Alarm { dump_file, dump_signal, .. }, .. } = &self.deadline;
        let mut trouble = String::new();
        if let Some(path) = slow_log {
            // Opened each time: the file may have been put aside since.
            match OpenOptions::new().append(true).create(true).mode(0o640).open(path) {
                // SAFETY: a system call on numbers only; the second one was made for this.
                Ok(opened) => drop(unsafe { libc::dup3(opened.as_raw_fd(), *dump_file, libc::O_CLOEXEC) }),
                Err(error) => trouble = format!("(The slow log {} cannot be opened: {error}) ", path.display()),
            }
        }
        // SAFETY: the number is that of an open file, which this does not close.
        let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(*dump_file) });
        // A pipe that nobody reads must not keep us from what comes next; nor is there anybody to tell that it cannot be told.
        if matches!(poll(&mut [PollFd::new(file.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO), Ok(1)) {
            let (time, id, php) = (now(), self.session(), self.php);
            let line = format!("{time} tortoise: session {id} of PHP process {php}: {what}. {trouble}Where it is:\n");
            let _ = file.write_all(line.as_bytes());
            signal_main_thread(*dump_signal);
        }
    }
}

/// Starts a thread that no signal interrupts: they are for the main thread, where Python handles them and where they end a
/// system call.
///
/// # Errors
/// If the system gives none.
pub(crate) fn spawn(name: &str, stack: usize, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    let started = thread::Builder::new().name(name.to_owned()).stack_size(stack).spawn(work);
    before.thread_set_mask()?;
    started.map(drop)
}

/// The time, as 2026-11-21T19:00:00Z.
fn now() -> String {
    let mut time = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: `time` gives a number, and `gmtime_r` fills the place it is given unless it gives null.
    let time = unsafe {
        let seconds = libc::time(std::ptr::null_mut());
        if libc::gmtime_r(&raw const seconds, time.as_mut_ptr()).is_null() {
            return String::new();
        }
        time.assume_init()
    };
    let (year, month) = (time.tm_year + 1900, time.tm_mon + 1);
    let (day, hour, minute, second) = (time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Sends a signal to the session's own thread: the first one of the process, whose number is that of the process.
fn signal_main_thread(signal: i32) {
    // SAFETY: a system call on numbers only.
    unsafe {
        let pid = libc::getpid();
        libc::syscall(libc::SYS_tgkill, pid, pid, signal);
    }
}

/// Ends the session. The zygote sees it, and ends the processes that the user's code started.
fn end_process() -> ! {
    // SAFETY: `_exit` takes no lock, runs no handler and does not return.
    unsafe { libc::_exit(1) }
}

/// Ends the session and the processes that the user's code started with it. The zygote may not be there any more to do it.
fn end_group() -> ! {
    crate::process::end_descendants();
    // SAFETY: these take no lock and run no handler. Group 0 is our own, and as its leader we know that the zygote made
    // it for this session alone.
    unsafe {
        if libc::getpgrp() == libc::getpid() {
            libc::kill(0, libc::SIGKILL);
        }
    }
    end_process()
}
