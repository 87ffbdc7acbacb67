//! Frames between two threads: alone, together, large, late, on one core, and beside others who want the CPU.

use std::hint;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::thread::JoinHandleExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{Shutdown, shutdown};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use tortoise_channel::{Channel, ChannelError, Kind, SpinPolicy};
use tortoise_protocol::Malformed;

use crate::{KINDS, frame, pair};

/// Answers every frame with its payload until the peer leaves.
fn echo(mut channel: Channel) {
    let mut payload = Vec::new();
    loop {
        match channel.receive(&mut payload, usize::MAX) {
            Ok(header) => channel.send(&frame(header.call, &payload)).expect("sent back"),
            Err(ChannelError::Closed) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn frames_sent_together_come_out_one_by_one() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        let frames = [(1, &b"one"[..]), (2, b""), (3, b"three"), (4, b"eight by"), (5, b"and nine!")];
        for (call, payload) in frames {
            near.send(&frame(call, payload)).expect("sent");
        }
        let mut payload = Vec::new();
        for (call, expected) in frames {
            assert_eq!(far.receive(&mut payload, 100).expect("a frame").call, call);
            assert_eq!(payload, expected);
        }
    }
}

#[test]
fn whether_a_frame_is_there_is_told_without_waiting() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        assert!(!near.has_frame().expect("nothing yet"), "{kind}");
        for call in 1..3 {
            far.send(&frame(call, b"answer")).expect("sent");
        }
        let mut payload = Vec::new();
        for _ in 1..3 {
            assert!(near.has_frame().expect("a frame"), "{kind}");
            near.receive(&mut payload, 100).expect("a frame");
        }
        assert!(!near.has_frame().expect("no more"), "{kind}");
        drop(far);
        assert!(near.has_frame().expect("an end"), "{kind}");
        assert!(matches!(near.receive(&mut payload, 100), Err(ChannelError::Closed)), "{kind}");
    }
}

#[test]
fn every_length_around_the_boundaries_arrives_whole() {
    let lengths = [8, 4096, 32 << 10, 64 << 10, 256 << 10, 4 << 20].into_iter().flat_map(|at: usize| at - 2..=at + 2);
    let lengths: Vec<usize> = (0..70).chain(lengths).chain(lengths_around_the_ring()).collect();
    for kind in KINDS {
        let (mut near, far) = pair(kind);
        let peer = thread::spawn(|| echo(far));
        let mut payload = Vec::new();
        for (call, length) in (1..).zip(&lengths) {
            let sent: Vec<u8> = (0..*length).map(|at| (at * 31 + call as usize) as u8).collect();
            near.send(&frame(call, &sent)).expect("sent");
            assert_eq!(near.receive(&mut payload, usize::MAX).expect("an answer").call, call);
            assert!(payload == sent, "{kind}: {length} bytes came back otherwise");
        }
        drop(near);
        peer.join().expect("the echo");
    }
}

/// A frame is its header and its payload: these fill a ring of 1 MiB, half of it, or twice that.
fn lengths_around_the_ring() -> impl Iterator<Item = usize> {
    [512 << 10, 1 << 20, 2 << 20].into_iter().flat_map(|ring: usize| ring - 32 - 9..=ring - 32 + 9)
}

#[test]
fn a_large_frame_crosses_in_both_directions() {
    for kind in KINDS {
        let (mut near, far) = pair(kind);
        let peer = thread::spawn(|| echo(far));
        let large: Vec<u8> = (0..10_000_000_u32).map(|at| (at ^ (at >> 11)) as u8).collect();
        let mut payload = Vec::new();
        for call in 1..4 {
            near.send(&frame(call, &large)).expect("sent");
            near.receive(&mut payload, usize::MAX).expect("the echo");
            assert!(payload == large, "{kind}");
        }
        drop(near);
        peer.join().expect("the echo");
    }
}

#[test]
fn frames_without_an_answer_wait_for_room() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        let sender = thread::spawn(move || {
            for call in 1..=5000 {
                near.send(&frame(call, &[call as u8; 999])).expect("sent");
            }
            near
        });
        let mut payload = Vec::new();
        for call in 1..=5000 {
            assert_eq!(far.receive(&mut payload, 999).expect("a frame").call, call);
            assert_eq!(payload, [call as u8; 999]);
        }
        drop(sender.join().expect("the sender"));
    }
}

#[test]
fn a_length_over_the_limit_is_refused_and_claims_no_memory() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        near.send(&frame(1, b"12345")).expect("sent");
        let mut payload = Vec::new();
        let error = far.receive(&mut payload, 4).expect_err("over the limit");
        let is_too_large = matches!(error, ChannelError::Malformed(Malformed::FrameTooLarge { bytes: 5, limit: 4 }));
        assert!(is_too_large, "{error}");
        assert_eq!(payload.capacity(), 0);
    }
}

#[test]
fn silence_times_out_in_every_stage_of_waiting() {
    for kind in KINDS {
        for limit in [1, 20, 250].map(Duration::from_millis) {
            let (_near, mut far) = pair(kind);
            far.set_timeout(Some(limit)).expect("set");
            let began = Instant::now();
            let error = far.receive(&mut Vec::new(), 100).expect_err("nobody speaks");
            assert!(matches!(error, ChannelError::TimedOut(given) if given == limit), "{kind}: {error}");
            assert!(began.elapsed() >= limit, "{kind}: {:?}", began.elapsed());
        }
    }
}

#[test]
fn a_deadline_counts_for_all_together_and_in_place_of_the_timeout() {
    for kind in KINDS {
        for timeout in [Some(Duration::from_millis(1)), Some(Duration::from_secs(60)), None] {
            let (mut near, mut far) = pair(kind);
            far.set_timeout(timeout).expect("set");
            let end = Instant::now() + Duration::from_millis(60);
            far.set_deadline(Some(end)).expect("set");
            near.send(&frame(1, b"in time")).expect("sent");
            far.receive(&mut Vec::new(), 100).expect("in time");
            let error = far.receive(&mut Vec::new(), 100).expect_err("nobody speaks");
            assert!(matches!(error, ChannelError::TimedOut(_)), "{kind}: {error}");
            assert!(Instant::now() >= end && end.elapsed() < Duration::from_secs(30), "{kind}: {:?}", end.elapsed());
        }
        let (mut near, mut far) = pair(kind);
        far.set_timeout(Some(Duration::from_millis(1))).expect("set");
        far.set_deadline(Some(Instant::now() + Duration::from_secs(60))).expect("set");
        far.set_deadline(None).expect("set");
        far.receive(&mut Vec::new(), 100).expect_err("the timeout counts again");
        drop(near.send(&frame(1, b"late")));
    }
}

#[test]
fn a_peer_that_left_or_says_no_more_is_seen_before_anything_is_sent() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        assert!(!near.is_peer_gone().expect("looked"), "{kind}");
        far.send(&frame(1, b"last words")).expect("sent");
        assert!(!near.is_peer_gone().expect("looked"), "{kind}: it may go on");
        shutdown(far.as_fd().as_raw_fd(), Shutdown::Write).expect("shut down");
        assert!(near.is_peer_gone().expect("looked"), "{kind}");
        near.receive(&mut Vec::new(), 100).expect("the last words");
        drop(far);
        assert!(near.is_peer_gone().expect("looked"), "{kind}");
    }
}

#[test]
fn a_peer_that_does_not_read_times_out() {
    for kind in KINDS {
        let (mut near, _far) = pair(kind);
        near.set_timeout(Some(Duration::from_millis(20))).expect("set");
        let error = near.send(&frame(1, &vec![0; 10_000_000])).expect_err("nobody reads");
        assert!(matches!(error, ChannelError::TimedOut(_)), "{kind}: {error}");
    }
}

#[test]
fn what_was_sent_before_leaving_is_received_before_the_end() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        near.send(&frame(1, b"last words")).expect("sent");
        drop(near);
        let mut payload = Vec::new();
        far.receive(&mut payload, 100).expect("the last words");
        assert_eq!(payload, b"last words");
        let error = far.receive(&mut payload, 100).expect_err("the end");
        assert!(matches!(error, ChannelError::Closed), "{kind}: {error}");
        let error = far.send(&frame(2, b"hello?")).expect_err("nobody is there");
        assert!(matches!(error, ChannelError::Closed), "{kind}: {error}");
    }
}

#[test]
fn an_idle_side_uses_no_cpu_and_hears_the_next_frame() {
    let cpu = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock"));
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        far.set_timeout(Some(Duration::from_secs(1))).expect("set");
        let before = cpu();
        let _ = far.receive(&mut Vec::new(), 100).expect_err("nobody speaks");
        let used = cpu() - before;
        assert!(used < Duration::from_millis(5), "{kind}: {used:?} of CPU in one second of silence");
        // Over shared memory a time-out leaves everything in order; that nobody uses it then is the caller's rule.
        if kind == Kind::SharedMemory {
            near.send(&frame(7, b"still there?")).expect("sent");
            assert_eq!(far.receive(&mut Vec::new(), 100).expect("a frame").call, 7);
        }
    }
}

#[test]
fn signals_interrupt_no_wait() {
    extern "C" fn nothing(_signal: nix::libc::c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, and no other test uses the signal.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("a handler");
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        far.set_timeout(Some(Duration::from_secs(60))).expect("set");
        let receiver = thread::spawn(move || far.receive(&mut Vec::new(), 100).map(|header| header.call));
        for _ in 0..2000 {
            // SAFETY: the thread has not been joined.
            unsafe { nix::libc::pthread_kill(receiver.as_pthread_t(), nix::libc::SIGUSR1) };
            thread::yield_now();
        }
        near.send(&frame(9, b"after all")).expect("sent");
        assert_eq!(receiver.join().expect("the receiver").expect("a frame"), 9, "{kind}");
    }
}

/// CPUs that this process may use.
fn cpus() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("an affinity");
    (0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).collect()
}

/// Keeps the calling thread on a CPU.
fn pin(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu).expect("a CPU");
    sched_setaffinity(Pid::from_raw(0), &set).expect("pinned");
}

/// The median of as many round trips, each side where `places` says.
fn median(kind: Kind, places: Option<[usize; 2]>, trips: usize) -> Duration {
    let (mut near, mut far) = pair(kind);
    near.set_spin_policy(SpinPolicy { max_spin: tortoise_channel::MAX_SPIN, slots: None });
    far.set_spin_policy(SpinPolicy { max_spin: tortoise_channel::MAX_SPIN, slots: None });
    near.set_timeout(Some(Duration::from_secs(60))).expect("set");
    let peer = thread::spawn(move || {
        if let Some([_, cpu]) = places {
            pin(cpu);
        }
        echo(far);
    });
    let client = thread::spawn(move || {
        if let Some([cpu, _]) = places {
            pin(cpu);
        }
        let mut payload = Vec::new();
        let mut times = Vec::new();
        for call in 1..=trips as u64 {
            let began = Instant::now();
            near.send(&frame(call, &[call as u8; 64])).expect("sent");
            assert_eq!(near.receive(&mut payload, 64).expect("an answer").call, call);
            times.push(began.elapsed());
            assert_eq!(payload, [call as u8; 64]);
        }
        times.sort_unstable();
        times[times.len() / 2]
    });
    let median = client.join().expect("the client");
    peer.join().expect("the echo");
    median
}

#[test]
fn every_trip_is_made_on_one_core_and_on_two() {
    let cpus = cpus();
    let (first, last) = (cpus[0], cpus[cpus.len() - 1]);
    for kind in KINDS {
        for (place, cpus) in [("free", None), ("one core", Some([first, first])), ("two cores", Some([first, last]))] {
            println!("{kind}, {place}: {:?}", median(kind, cpus, 2000));
        }
    }
}

#[test]
fn every_trip_is_made_beside_two_hogs() {
    let is_over = Arc::new(AtomicBool::new(false));
    let hogs: Vec<_> = (0..2)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            })
        })
        .collect();
    for kind in KINDS {
        println!("{kind}, beside two hogs: {:?}", median(kind, None, 500));
    }
    is_over.store(true, Ordering::Relaxed);
    hogs.into_iter().for_each(|hog| hog.join().expect("a hog"));
}

#[test]
fn the_socket_stays_to_see_the_end_of_the_peer() {
    for kind in KINDS {
        let (near, far) = pair(kind);
        let watched = near.as_fd().try_clone_to_owned().expect("a copy");
        drop(far);
        let hang_up = nix::poll::PollFlags::from_bits_retain(nix::libc::POLLRDHUP);
        let mut watched = [nix::poll::PollFd::new(watched.as_fd(), hang_up)];
        assert_eq!(nix::poll::poll(&mut watched, nix::poll::PollTimeout::NONE), Ok(1), "{kind}");
    }
}
