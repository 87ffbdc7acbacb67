//! Prints the median and 99th percentile of a 64-byte round trip, and of 10 MB, over each kind of channel.
//!
//! `cargo run --release -p tortoise-channel --example round_trip [seconds a row]`

use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use tortoise_channel::{Channel, Kind as ChannelKind};
use tortoise_protocol::frame::{Header, Kind, begin, finish};

const SMALL: usize = 64;
const LARGE: usize = 10_000_000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1.0);
    match table(Duration::from_secs_f64(seconds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("round_trip: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table(time: Duration) -> Result<()> {
    println!("{:<14}{:<22}{:>12}{:>12}{:>10}", "channel", "", "p50", "p99", "trips");
    for kind in [ChannelKind::UnixSocket, ChannelKind::SharedMemory] {
        for (place, cpus, hogs) in [
            ("free", [None, None], false),
            ("same core", [Some(0), Some(0)], false),
            ("two cores", [Some(0), Some(1)], false),
            ("free, two hogs", [None, None], true),
        ] {
            row(kind, place, cpus, hogs, SMALL, time)?;
        }
        row(kind, "free, 10 MB", [None, None], false, LARGE, time)?;
    }
    Ok(())
}

fn row(
    kind: ChannelKind,
    place: &str,
    cpus: [Option<usize>; 2],
    hogs: bool,
    bytes: usize,
    time: Duration,
) -> Result<()> {
    let busy = if hogs { vec![hog()?, hog()?] } else { Vec::new() };
    let (near, far) = UnixStream::pair()?;
    // SAFETY: the process has one thread.
    let server = match unsafe { fork() }? {
        ForkResult::Child => {
            drop(near);
            let _ = pin(cpus[1]).and_then(|()| serve(kind, far));
            std::process::exit(0);
        }
        ForkResult::Parent { child } => child,
    };
    drop(far);
    let mut trips = client(near, cpus[0], bytes, time)?;
    trips.sort_unstable();
    let at = |part: usize| trips[trips.len() * part / 100].as_secs_f64() * 1e6;
    println!("{:<14}{place:<22}{:>9.2} µs{:>9.2} µs{:>10}", kind.to_string(), at(50), at(99), trips.len());
    for process in busy.into_iter().chain([server]) {
        let _ = kill(process, Signal::SIGKILL);
        waitpid(process, None)?;
    }
    pin(None)
}

fn pin(cpu: Option<usize>) -> Result<()> {
    let mut set = CpuSet::new();
    for other in 0..CpuSet::count() {
        if cpu.is_none_or(|cpu| cpu == other) {
            set.set(other)?;
        }
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

fn hog() -> Result<Pid> {
    // SAFETY: the process has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => loop {
            std::hint::spin_loop();
        },
        ForkResult::Parent { child } => Ok(child),
    }
}

fn frame(payload: &[u8]) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    begin(&mut frame);
    frame.extend_from_slice(payload);
    finish(&mut frame, Header::new(Kind::Value, 1))?;
    Ok(frame)
}

fn serve(kind: ChannelKind, stream: UnixStream) -> Result<()> {
    let mut channel = Channel::over_socket(stream);
    match kind {
        ChannelKind::SharedMemory => assert_eq!(channel.send_first(&frame(b"")?)?, kind),
        _ => channel.send(&frame(b"")?)?,
    }
    let (mut payload, mut reply) = (Vec::new(), Vec::new());
    loop {
        channel.receive(&mut payload, usize::MAX)?;
        begin(&mut reply);
        reply.extend_from_slice(&payload);
        finish(&mut reply, Header::new(Kind::Value, 1))?;
        channel.send(&reply)?;
    }
}

fn client(stream: UnixStream, cpu: Option<usize>, bytes: usize, time: Duration) -> Result<Vec<Duration>> {
    pin(cpu)?;
    let mut channel = Channel::over_socket(stream);
    let mut payload = Vec::new();
    channel.receive_first(&mut payload, 0)?;
    let request = frame(&vec![1; bytes])?;
    let mut trips = Vec::with_capacity(1 << 22);
    let begin = Instant::now();
    let mut last = begin;
    for count in 0.. {
        channel.send(&request)?;
        channel.receive(&mut payload, usize::MAX)?;
        let now = Instant::now();
        // The first ones touch memory for the first time.
        if count >= 20 {
            trips.push(now - last);
        }
        last = now;
        if now - begin > time && trips.len() > 10 {
            break;
        }
    }
    Ok(trips)
}
