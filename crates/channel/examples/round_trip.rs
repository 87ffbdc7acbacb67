//! Prints how long round trips take over each kind of channel: small ones, ones with work to do, and 10 MB.
//!
//! `cargo run --release -p tortoise-channel --example round_trip [seconds a row [part of a row's name]]`

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, close, fork};
use tortoise_channel::{Channel, Kind as ChannelKind, SpinPolicy, SpinSlots};
use tortoise_protocol::frame::{Header, Kind, begin, finish};

/// A small call.
const SMALL: Load = Load { payload: 32, segment: 0, work: Duration::ZERO };

/// A call as both sides see it: each has something to do between two messages.
const WORKING: Load = Load { payload: 128, segment: 0, work: Duration::from_micros(1) };

/// Bulk.
const LARGE: Load = Load { payload: 16, segment: 10_000_000, work: Duration::ZERO };

/// Trips that are remembered, of each pair.
const MOST_TRIPS: usize = 1 << 22;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What goes to and fro.
#[derive(Clone, Copy)]
struct Load {
    payload: usize,
    segment: usize,
    /// What each side does with a message.
    work: Duration,
}

/// Where it does.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    cpus: [Option<usize>; 2],
    hogs: usize,
    pairs: usize,
    /// How many sessions may spin, if that is bounded.
    slots: Option<usize>,
    load: Load,
}

const FREE: Place = Place { name: "free", cpus: [None, None], hogs: 0, pairs: 1, slots: None, load: SMALL };

const PLACES: [Place; 15] = [
    FREE,
    Place { name: "same core", cpus: [Some(0), Some(0)], ..FREE },
    Place { name: "two cores", cpus: [Some(0), Some(1)], ..FREE },
    Place { name: "free, two hogs", hogs: 2, ..FREE },
    Place { name: "free, 2 pairs", pairs: 2, ..FREE },
    Place { name: "free, 8 pairs", pairs: 8, ..FREE },
    Place { name: "2 pairs, 2 slots", pairs: 2, slots: Some(2), ..FREE },
    Place { name: "8 pairs, 2 slots", pairs: 8, slots: Some(2), ..FREE },
    Place { name: "8 pairs, 1 slot", pairs: 8, slots: Some(1), ..FREE },
    Place { name: "free, working", load: WORKING, ..FREE },
    Place { name: "same core, working", cpus: [Some(0), Some(0)], load: WORKING, ..FREE },
    Place { name: "two hogs, working", hogs: 2, load: WORKING, ..FREE },
    Place { name: "8 pairs, working", pairs: 8, load: WORKING, ..FREE },
    Place { name: "free, 10 MB", load: LARGE, ..FREE },
    Place { name: "same core, 10 MB", cpus: [Some(0), Some(0)], load: LARGE, ..FREE },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    match table(Duration::from_secs_f64(seconds), &arguments.next().unwrap_or_default()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("round_trip: {error}");
            ExitCode::FAILURE
        }
    }
}

fn table(time: Duration, part: &str) -> Result<()> {
    println!(
        "{:<14}{:<20}{:>12}{:>12}{:>13}{:>11}{:>12}",
        "channel", "", "p50", "p99", "longest", "trips/s", "CPU a trip"
    );
    for kind in [ChannelKind::UnixSocket, ChannelKind::SharedMemory] {
        for place in PLACES.iter().filter(|place| format!("{kind} {}", place.name).contains(part)) {
            row(kind, *place, time)?;
        }
    }
    Ok(())
}

fn row(kind: ChannelKind, place: Place, time: Duration) -> Result<()> {
    let used = processor_time()?;
    let mut others = Vec::new();
    for _ in 0..place.hogs {
        others.push(child(|| {
            loop {
                std::hint::spin_loop();
            }
        })?);
    }
    let mut policy = SpinPolicy::for_this_machine();
    policy.slots = place.slots.map(SpinSlots::create).transpose()?;
    let mut clients = Vec::new();
    for _ in 0..place.pairs {
        let (near, far) = UnixStream::pair()?;
        let client_end = near.as_raw_fd();
        others.push(child(|| {
            // Else the server itself keeps its client's end open.
            close(client_end)?;
            pin(place.cpus[1])?;
            serve(kind, far, place.load, policy.clone())
        })?);
        let (report, mut reporting) = UnixStream::pair()?;
        clients.push((
            report,
            child(|| {
                let trips = client(near, place, time)?;
                let bytes: Vec<u8> = trips.into_iter().flat_map(u32::to_ne_bytes).collect();
                reporting.write_all(&bytes)?;
                Ok(())
            })?,
        ));
    }
    let mut trips: Vec<u32> = Vec::new();
    for (mut report, process) in clients {
        let mut bytes = Vec::new();
        report.read_to_end(&mut bytes)?;
        trips.extend(bytes.as_chunks().0.iter().map(|trip| u32::from_ne_bytes(*trip)));
        waitpid(process, None)?;
    }
    for process in others {
        let _ = kill(process, Signal::SIGKILL);
        waitpid(process, None)?;
    }
    // Of both sides, and of the hogs.
    let used = processor_time()? - used;
    let used = used.as_secs_f64() * 1e6 / trips.len() as f64;
    trips.sort_unstable();
    let at = |part: usize| f64::from(trips[(trips.len() * part / 100).min(trips.len() - 1)]) / 1e3;
    let rate = trips.len() as f64 / time.as_secs_f64();
    let (kind, name) = (kind.to_string(), place.name);
    println!("{kind:<14}{name:<20}{:>9.2} µs{:>9.2} µs{:>10.0} µs{rate:>11.0}{used:>9.2} µs", at(50), at(99), at(100));
    Ok(())
}

/// What the processes used that have ended.
fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(time.num_microseconds())?))
}

/// Starts a process that does this and ends.
fn child(act: impl FnOnce() -> Result<()>) -> Result<Pid> {
    // SAFETY: the process has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let result = act();
            std::process::exit(i32::from(result.is_err()));
        }
        ForkResult::Parent { child } => Ok(child),
    }
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

/// Keeps a CPU busy.
fn work(time: Duration) {
    let began = Instant::now();
    while !time.is_zero() && began.elapsed() < time {}
}

fn frame(payload: &[u8], segment: usize) -> Result<Vec<u8>> {
    let mut frame = Vec::new();
    begin(&mut frame);
    frame.extend_from_slice(payload);
    let mut header = Header::new(Kind::Value, 1);
    header.segment_bytes = u32::try_from(segment)?;
    finish(&mut frame, header)?;
    Ok(frame)
}

/// Receives a frame and its segment, if there is one.
fn receive(channel: &mut Channel, payload: &mut Vec<u8>, segment: &mut Vec<u8>) -> Result<()> {
    channel.receive(payload, usize::MAX)?;
    let length = channel.segment_bytes_left();
    segment.clear();
    if length > 0 {
        segment.reserve(length);
        channel.receive_segment(&mut segment.spare_capacity_mut()[..length])?;
        // SAFETY: the channel has initialised these bytes.
        unsafe { segment.set_len(length) };
    }
    Ok(())
}

fn serve(kind: ChannelKind, stream: UnixStream, load: Load, policy: SpinPolicy) -> Result<()> {
    let mut channel = Channel::over_socket(stream);
    channel.set_spin_policy(policy);
    match kind {
        ChannelKind::SharedMemory => assert_eq!(channel.send_first(&frame(b"", 0)?)?, kind),
        _ => channel.send(&frame(b"", 0)?)?,
    }
    let (mut payload, mut segment, mut reply) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        receive(&mut channel, &mut payload, &mut segment)?;
        work(load.work);
        begin(&mut reply);
        reply.extend_from_slice(&payload);
        let mut header = Header::new(Kind::Value, 1);
        header.segment_bytes = u32::try_from(segment.len())?;
        finish(&mut reply, header)?;
        channel.send_with(&reply, &[&segment])?;
    }
}

/// The trips' times in nanoseconds.
fn client(stream: UnixStream, place: Place, time: Duration) -> Result<Vec<u32>> {
    pin(place.cpus[0])?;
    let load = place.load;
    let mut channel = Channel::over_socket(stream);
    let (mut payload, mut answer) = (Vec::new(), Vec::new());
    channel.receive_first(&mut payload, 0)?;
    let segment = vec![1; load.segment];
    let request = frame(&vec![1; load.payload], load.segment)?;
    let mut trips = Vec::with_capacity(MOST_TRIPS);
    let began = Instant::now();
    let mut last = began;
    for count in 0.. {
        channel.send_with(&request, &[&segment])?;
        receive(&mut channel, &mut payload, &mut answer)?;
        work(load.work);
        let now = Instant::now();
        // The first ones touch memory for the first time.
        if count >= 20 && trips.len() < MOST_TRIPS {
            trips.push(u32::try_from((now - last).as_nanos())?);
        }
        last = now;
        if now - began > time && trips.len() > 10 {
            break;
        }
    }
    Ok(trips)
}
