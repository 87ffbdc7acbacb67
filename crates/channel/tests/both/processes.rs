//! Frames between two processes, one of which is killed, forks, or has no room for descriptors.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use tortoise_channel::{Channel, ChannelError, Kind};

use crate::{KINDS, begin_as_client, begin_as_session, frame};

/// Tells a started copy of this program what to be.
const ROLE: &str = "TORTOISE_TEST_ROLE";

/// Starts this program in a role of [`plays_a_role`], the socket as its standard input.
fn start(role: &str) -> (UnixStream, Child) {
    let (near, far) = UnixStream::pair().expect("a pair of sockets");
    let child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "processes::plays_a_role", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .stdin(OwnedFd::from(far))
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    (near, child)
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn plays_a_role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().expect("a copy"));
    // The other copy: the end of this process is to be the end of the connection, and nothing sooner.
    match role.as_str() {
        "silent session over unix socket" => wait_forever(begin_as_session(stream, Kind::UnixSocket)),
        "silent session over shared memory" => wait_forever(begin_as_session(stream, Kind::SharedMemory)),
        "client that forks" => fork_and_speak(begin_as_client(stream, Kind::SharedMemory)),
        "session without descriptors" => {
            leave_descriptors(0);
            let mut channel = Channel::over_socket(stream);
            assert_eq!(channel.send_first(&frame(0, b"welcome")).expect("sent"), Kind::UnixSocket);
            answer(channel);
        }
        "client without descriptors" => {
            leave_descriptors(0);
            answer(begin_as_client(stream, Kind::UnixSocket));
        }
        other => panic!("no such role: {other}"),
    }
}

fn wait_forever(mut channel: Channel) {
    let mut payload = Vec::new();
    let header = channel.receive(&mut payload, 100).expect("a frame");
    channel.send(&frame(header.call, b"ready")).expect("sent");
    let _channel = channel;
    loop {
        std::thread::park();
    }
}

fn answer(mut channel: Channel) {
    let mut payload = Vec::new();
    let header = channel.receive(&mut payload, 100).expect("a frame");
    channel.send(&frame(header.call, b"answer")).expect("sent");
}

/// A fork may neither speak nor say goodbye for its parent, which goes on undisturbed.
fn fork_and_speak(mut channel: Channel) {
    let words = frame(0, b"in its parent's name");
    // SAFETY: the fork allocates nothing before it leaves by `_exit`.
    match unsafe { fork() }.expect("a fork") {
        ForkResult::Child => {
            let is_refused = matches!(channel.send(&words), Err(ChannelError::Forked));
            drop(channel);
            // SAFETY: ends the process, at once.
            unsafe { nix::libc::_exit(if is_refused { 42 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 42)));
            answer(channel);
        }
    }
}

/// Allows `count` more descriptors than are open.
fn leave_descriptors(count: u64) {
    let next = std::fs::File::open("/dev/null").expect("a file");
    let limit = std::os::fd::AsRawFd::as_raw_fd(&next) as u64 + count;
    drop(next);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("set");
}

#[test]
fn a_killed_peer_is_seen_in_every_stage_of_waiting() {
    for kind in KINDS {
        // Silence before the kill: in the first stage of waiting, and in the last.
        for silence in [Duration::ZERO, Duration::from_millis(300)] {
            let (stream, mut child) = start(&format!("silent session over {kind}"));
            let mut channel = begin_as_client(stream, kind);
            channel.send(&frame(1, b"ready?")).expect("sent");
            let mut payload = Vec::new();
            channel.receive(&mut payload, 100).expect("an answer");
            let waiting = std::thread::spawn(move || {
                let error = channel.receive(&mut payload, 100).expect_err("it is dead");
                (error, Instant::now())
            });
            std::thread::sleep(silence);
            child.kill().expect("killed");
            child.wait().expect("its end");
            let killed = Instant::now();
            let (error, seen) = waiting.join().expect("the receiver");
            assert!(matches!(error, ChannelError::Closed), "{kind}: {error}");
            println!("{kind}, silent for {silence:?}: seen after {:?}", seen.saturating_duration_since(killed));
            // The promise is 100 ms; a busy machine may add what it likes to that.
            assert!(seen < killed + Duration::from_secs(5), "{kind}");
        }
    }
}

#[test]
fn a_goodbye_is_heard_although_another_process_holds_the_socket() {
    // The receiver is met in the first stage of waiting, and in the last.
    for silence in [Duration::ZERO, Duration::from_millis(300)] {
        let (near, mut far) = crate::pair(Kind::SharedMemory);
        let held = near.as_fd().try_clone_to_owned().expect("a copy, as a fork has it");
        // Not for ever, if it is never heard.
        far.set_timeout(Some(Duration::from_secs(10))).expect("set");
        let waiting = std::thread::spawn(move || far.receive(&mut Vec::new(), 100).expect_err("it has left"));
        std::thread::sleep(silence);
        drop(near);
        let error = waiting.join().expect("the receiver");
        assert!(matches!(error, ChannelError::Closed), "{silence:?}: {error}");
        drop(held);
    }
}

#[test]
fn a_fork_is_refused_and_disturbs_nothing() {
    let (stream, mut child) = start("client that forks");
    let mut channel = begin_as_session(stream, Kind::SharedMemory);
    channel.send(&frame(1, b"question")).expect("sent");
    let mut payload = Vec::new();
    assert_eq!(channel.receive(&mut payload, 100).expect("an answer").call, 1);
    assert_eq!(payload, b"answer");
    assert!(child.wait().expect("its end").success());
}

#[test]
fn without_room_for_memory_the_socket_serves() {
    for (role, other) in [("session without descriptors", false), ("client without descriptors", true)] {
        let (stream, mut child) = start(role);
        let mut channel = Channel::over_socket(stream);
        if other {
            assert_eq!(channel.send_first(&frame(0, b"welcome")).expect("declined"), Kind::UnixSocket);
        } else {
            channel.receive_first(&mut Vec::new(), 100).expect("a first frame");
            assert_eq!(channel.kind(), Kind::UnixSocket);
        }
        channel.send(&frame(1, b"question")).expect("sent");
        let mut payload = Vec::new();
        channel.receive(&mut payload, 100).expect("an answer");
        assert_eq!(payload, b"answer", "{role}");
        assert!(child.wait().expect("its end").success());
    }
}

#[test]
fn a_peer_that_says_anything_else_than_yes_or_no_is_refused() {
    use std::io::Write;
    let (mut near, far) = UnixStream::pair().expect("a pair of sockets");
    near.write_all(b"?").expect("written");
    let error = Channel::over_socket(far).send_first(&frame(0, b"welcome")).expect_err("no verdict");
    assert!(matches!(error, ChannelError::Offer(_)), "{error}");
    let mut seen = [0; 32];
    near.read_exact(&mut seen).expect("the welcome all the same");
}
