//! Two processes send each other frames of every awkward size for as long as they are told, and check every byte; then
//! each is killed in turn, and the other must say so within [`SEEN_WITHIN`].
//!
//! `cargo run --release -p tortoise-channel --example soak -- [seconds]`; ends with 1 if anything was not as it must be.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, close, fork, getpid};
use tortoise_channel::{Channel, ChannelError, Kind as ChannelKind};
use tortoise_protocol::frame::{Header, Kind, begin, finish};

const KINDS: [ChannelKind; 2] = [ChannelKind::SharedMemory, ChannelKind::UnixSocket];

/// Where something changes: a word, a page, the least segment, a piece, a socket's read, the ring, what a buffer grows by.
const BOUNDARIES: [usize; 12] =
    [0, 8, 256, 4096, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 1 << 20, 2 << 20, 4 << 20];

/// The promise to whoever waits for a peer that is dead.
const SEEN_WITHIN: Duration = Duration::from_millis(100);

/// Each stage of waiting is met by a peer that was silent for so long when it is killed.
const SILENCES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(5), Duration::from_millis(200)];

/// How much more memory a side may have at the end than after its first rounds.
const GROWTH_KIB: u64 = 2048;

/// Rounds after which a side has touched all that it ever needs.
const FIRST_ROUNDS: u64 = 2000;

/// A frame that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRESS: Duration = Duration::from_secs(10);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(600.0);
    let time = Duration::from_secs_f64(seconds) / KINDS.len() as u32;
    let mut violations = 0;
    for kind in KINDS {
        for result in [soak(kind, time), kills(kind)] {
            violations += result.unwrap_or_else(|error| {
                eprintln!("soak: {kind}: {error}");
                1
            });
        }
    }
    println!("{}", if violations == 0 { "soak: all as it must be" } else { "soak: FAILED" });
    ExitCode::from(u8::from(violations > 0))
}

/// Numbers that look random, the same ones for the same seed (Marsaglia's xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 11) as usize % bound
    }

    /// A length near a boundary, the small ones more often, so that most rounds are quick.
    fn length(&mut self) -> usize {
        let most = if self.below(16) == 0 { BOUNDARIES.len() } else { BOUNDARIES.len() - 4 };
        let boundary = BOUNDARIES[self.below(most)];
        // Up to two headers around it, or anywhere below.
        if self.below(8) == 0 { self.below(boundary + 1) } else { (boundary + self.below(129)).saturating_sub(64) }
    }
}

/// Bytes of which every run tells where it was cut from.
struct Pattern(Vec<u8>);

impl Pattern {
    const PERIOD: usize = 65_521;

    fn new() -> Self {
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let longest = BOUNDARIES.iter().max().unwrap_or(&0) + 128;
        Self((0..Self::PERIOD).map(|_| noise.next() as u8).collect::<Vec<u8>>().repeat(longest / Self::PERIOD + 2))
    }

    fn cut(&self, seed: u64, length: usize) -> &[u8] {
        &self.0[(seed as usize) % Self::PERIOD..][..length]
    }
}

/// One message: what is sent is known from its number.
struct Message {
    call: u64,
    payload: usize,
    segments: Vec<usize>,
    /// How many segments the receiver asks for; it leaves the rest.
    asked: usize,
}

impl Message {
    fn new(call: u64) -> Self {
        let mut noise = Noise(call.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
        let payload = noise.length();
        let count = noise.below(4) * noise.below(2);
        let segments: Vec<usize> = (0..count).map(|_| noise.length()).collect();
        let asked = if noise.below(8) == 0 { noise.below(count + 1) } else { count };
        Self { call, payload, segments, asked }
    }

    fn bytes(&self) -> u64 {
        (self.payload + self.segments.iter().sum::<usize>()) as u64
    }

    fn send(&self, channel: &mut Channel, pattern: &Pattern, frame: &mut Vec<u8>) -> Result<()> {
        begin(frame);
        frame.extend_from_slice(pattern.cut(self.call, self.payload));
        let mut header = Header::new(Kind::Value, self.call);
        header.segment_bytes = u32::try_from(self.segments.iter().sum::<usize>())?;
        finish(frame, header)?;
        let parts = self.segments.iter().zip(1..).map(|(length, at)| pattern.cut(self.call + at, *length));
        Ok(channel.send_with(frame, &parts.collect::<Vec<_>>())?)
    }

    /// The number of parts that were not what they must be.
    fn receive(&self, channel: &mut Channel, pattern: &Pattern, place: &mut Vec<u8>) -> Result<u64> {
        let header = channel.receive(place, usize::MAX)?;
        let mut wrong = u64::from(header.call != self.call || place != pattern.cut(self.call, self.payload));
        for (length, at) in self.segments.iter().zip(1..).take(self.asked) {
            place.clear();
            place.reserve(*length);
            channel.receive_segment(&mut place.spare_capacity_mut()[..*length])?;
            // SAFETY: the channel has initialised these bytes.
            unsafe { place.set_len(*length) };
            wrong += u64::from(place != pattern.cut(self.call + at, *length));
        }
        wrong += u64::from(channel.segment_bytes_left() != self.segments[self.asked..].iter().sum::<usize>());
        Ok(wrong)
    }
}

/// The session's side of a new connection.
fn begin_as_session(stream: UnixStream, kind: ChannelKind) -> Result<Channel> {
    let mut channel = Channel::over_socket(stream);
    let mut welcome = Vec::new();
    begin(&mut welcome);
    finish(&mut welcome, Header::new(Kind::Welcome, 0))?;
    match kind {
        ChannelKind::SharedMemory => assert_eq!(channel.send_first(&welcome)?, kind),
        _ => channel.send(&welcome)?,
    }
    Ok(channel)
}

/// The client's.
fn begin_as_client(stream: UnixStream) -> Result<Channel> {
    let mut channel = Channel::over_socket(stream);
    channel.receive_first(&mut Vec::new(), 0)?;
    Ok(channel)
}

/// Starts a process that does this and ends.
fn child(act: impl FnOnce() -> Result<()>) -> Result<Pid> {
    // SAFETY: the process has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let result = act();
            if let Err(error) = &result {
                eprintln!("soak: process {}: {error}", getpid());
            }
            std::process::exit(i32::from(result.is_err()));
        }
        ForkResult::Parent { child } => Ok(child),
    }
}

/// Memory of its own that a process has, in KiB. The rings are shared, and of fixed size.
fn memory_of(process: Pid) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).ok_or("no RssAnon")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

fn soak(kind: ChannelKind, time: Duration) -> Result<u64> {
    let pattern = Pattern::new();
    let (near, far) = UnixStream::pair()?;
    let other = near.as_raw_fd();
    let session = child(move || {
        // Else the session keeps its client's end open itself.
        close(other)?;
        let mut channel = begin_as_session(far, kind)?;
        let (pattern, mut place, mut frame) = (Pattern::new(), Vec::new(), Vec::new());
        for call in (1..).step_by(2) {
            let wrong = Message::new(call).receive(&mut channel, &pattern, &mut place)?;
            if wrong > 0 {
                return Err(format!("{wrong} parts of message {call} are not what was sent").into());
            }
            Message::new(call + 1).send(&mut channel, &pattern, &mut frame)?;
        }
        Ok(())
    })?;
    let mut channel = begin_as_client(near)?;
    channel.set_timeout(Some(PATIENCE))?;
    let (mut place, mut frame) = (Vec::new(), Vec::new());
    let (mut rounds, mut bytes, mut mismatches) = (0_u64, 0_u64, 0_u64);
    let began = Instant::now();
    let mut told = began;
    let mut first = None;
    while began.elapsed() < time {
        let (question, answer) = (Message::new(2 * rounds + 1), Message::new(2 * rounds + 2));
        question.send(&mut channel, &pattern, &mut frame)?;
        mismatches += answer.receive(&mut channel, &pattern, &mut place)?;
        bytes += question.bytes() + answer.bytes();
        rounds += 1;
        if rounds == FIRST_ROUNDS {
            first = Some([memory_of(getpid())?, memory_of(session)?]);
        }
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            println!(
                "{kind}: {:.0} s, {rounds} rounds, {bytes} bytes, {mismatches} mismatches",
                began.elapsed().as_secs_f64()
            );
        }
    }
    let last = [memory_of(getpid())?, memory_of(session)?];
    kill(session, Signal::SIGKILL)?;
    waitpid(session, None)?;
    let first = first.ok_or("too short a time for its first rounds")?;
    let grown = first.iter().zip(last).filter(|(first, last)| *last > **first + GROWTH_KIB).count() as u64;
    println!("{kind}: {rounds} rounds, {bytes} bytes, {mismatches} mismatches");
    println!("{kind}: memory of client and session after {FIRST_ROUNDS} rounds {first:?} KiB, at the end {last:?} KiB");
    Ok(mismatches + grown)
}

/// Kills each side of a channel while the other waits for it: for a frame, and for room. Counts who saw it too late.
fn kills(kind: ChannelKind) -> Result<u64> {
    let mut violations = 0;
    for victim in ["client", "session"] {
        let mut longest = Duration::ZERO;
        for (silence, is_sending) in SILENCES.into_iter().flat_map(|silence| [(silence, false), (silence, true)]) {
            let took = kill_one(kind, victim == "session", silence, is_sending)?;
            violations += u64::from(took > SEEN_WITHIN);
            longest = longest.max(took);
        }
        println!("{kind}: kill -9 of the {victim}: a clean error on the other side after {longest:.1?} at most");
    }
    Ok(violations)
}

/// How long it took the other side to return an error.
fn kill_one(kind: ChannelKind, is_session_killed: bool, silence: Duration, is_sending: bool) -> Result<Duration> {
    let origin = Instant::now();
    let (near, far) = UnixStream::pair()?;
    let ends = [near.as_raw_fd(), far.as_raw_fd()];
    // Each process keeps its own end only, so that its end is the end of the connection.
    let begin_here = |is_session: bool| -> Result<Channel> {
        close(ends[usize::from(!is_session)])?;
        let stream = UnixStream::from(if is_session { &far } else { &near }.as_fd().try_clone_to_owned()?);
        close(ends[usize::from(is_session)])?;
        if is_session { begin_as_session(stream, kind) } else { begin_as_client(stream) }
    };
    let victim = child(|| {
        let _channel = begin_here(is_session_killed)?;
        loop {
            std::thread::park();
        }
    })?;
    let (mut report, mut reporting) = UnixStream::pair()?;
    let survivor = child(|| {
        let mut channel = begin_here(!is_session_killed)?;
        let mut large = Vec::new();
        begin(&mut large);
        large.resize(large.len() + (16 << 20), 0);
        finish(&mut large, Header::new(Kind::Value, 1))?;
        reporting.write_all(b"!")?;
        let result = if is_sending { channel.send(&large) } else { channel.receive(&mut Vec::new(), 0).map(drop) };
        let seen = origin.elapsed().as_nanos() as u64;
        match result {
            Err(ChannelError::Closed | ChannelError::Broken) => Ok(reporting.write_all(&seen.to_ne_bytes())?),
            Err(error) => Err(error.into()),
            Ok(()) => Err("no error at all".into()),
        }
    })?;
    drop((near, far));
    report.read_exact(&mut [0])?;
    std::thread::sleep(silence);
    let killed = origin.elapsed();
    kill(victim, Signal::SIGKILL)?;
    waitpid(victim, None)?;
    let mut seen = [0; 8];
    let read = report.read_exact(&mut seen);
    waitpid(survivor, None)?;
    read.map_err(|_| "the survivor saw no clean error")?;
    Ok(Duration::from_nanos(u64::from_ne_bytes(seen)).saturating_sub(killed))
}
