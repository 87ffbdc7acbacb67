//! What a peer that breaks every rule can do: end the connection, and nothing else.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::slice;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;
use proptest::prelude::{Just, ProptestConfig, any, prop_oneof, proptest};
use tortoise_protocol::frame::{Header, Kind, begin, finish};

use crate::deadline::Limit;
use crate::mapping::{MEMORY_BYTES, Mapping, Memory, PAGE_BYTES, Side};
use crate::shared::SharedChannel;
use crate::socket::SocketChannel;
use crate::{Channel, ChannelError, SpinPolicy};

/// A line of the control page holds one counter and its neighbour.
const LINE_WORDS: usize = 16;

const TIMEOUT: Duration = Duration::from_millis(2);

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    begin(&mut buffer);
    buffer.extend_from_slice(payload);
    finish(&mut buffer, Header::new(Kind::Value, 1)).expect("within the limit");
    buffer
}

/// A channel, the socket's other end, and the memory as its peer has it.
fn victim() -> (SharedChannel, UnixStream, UnixStream, Mapping) {
    let (mapping, descriptor) = Mapping::create().expect("memory");
    let peer = Mapping::open(&descriptor).expect("the same memory");
    let (near, far) = UnixStream::pair().expect("a pair of sockets");
    (
        SharedChannel::new(mapping, Side::Offering, Limit { timeout: Some(TIMEOUT), end: None }, SpinPolicy::default()),
        near,
        far,
        peer,
    )
}

/// The page of counters and bells, as a peer sees it that does not care what is what.
fn control(memory: &Memory) -> &[AtomicU64] {
    // SAFETY: the page lies at the beginning of the memory, which outlives the slice and consists of atomics.
    unsafe { slice::from_raw_parts(std::ptr::from_ref(memory).cast(), PAGE_BYTES / 8) }
}

/// Words of the page that mean something; the others are padding.
fn used(memory: &Memory) -> usize {
    let last: *const AtomicU32 = memory.bell_of(Side::Accepting).word();
    (last.addr() - std::ptr::from_ref(memory).addr()) / 8 + 1
}

fn is_clean(error: &ChannelError) -> bool {
    use ChannelError::{Broken, Closed, Corrupted, Malformed, TimedOut};
    matches!(error, Broken | Closed | Corrupted(_) | Malformed(_) | TimedOut(_))
}

#[test]
fn every_word_of_the_control_page_scribbled_over_is_survived() {
    let ring = (MEMORY_BYTES - PAGE_BYTES) as u64 / 16;
    let values = [0, 1, 3, 4, 5, ring - 1, ring, ring + 1, 1 << 32, u64::MAX - 3, u64::MAX];
    let words = used(victim().3.memory().expect("ours"));
    let mut refused = 0;
    // The others of each line are padding.
    for at in (0..words).filter(|at| at % LINE_WORDS < 2) {
        for value in values {
            let (mut channel, socket, _far, peer) = victim();
            // Neither counter is zero any more.
            channel.send(socket.as_fd(), &frame(b"hello"), &[]).expect("room");
            control(peer.memory().expect("ours"))[at].store(value, Ordering::Release);
            for result in [
                channel.receive(socket.as_fd(), &mut Vec::new(), 1000).map(drop),
                channel.send(socket.as_fd(), &frame(&vec![7; 1_300_000]), &[]),
            ] {
                let error = result.expect_err("nobody reads, nobody writes");
                assert!(is_clean(&error), "{at}: {value}: {error}");
                refused += u32::from(matches!(error, ChannelError::Corrupted(_)));
            }
        }
    }
    // A tail or a head that cannot be is named, not merely waited out.
    assert!(refused >= 8, "{refused}");
}

#[test]
fn a_peer_that_scribbles_all_the_time_is_survived() {
    let is_over = AtomicBool::new(false);
    for round in 0..100_u64 {
        let (mut channel, socket, _far, peer) = victim();
        is_over.store(false, Ordering::Relaxed);
        let used = used(peer.memory().expect("ours"));
        let words = control(peer.memory().expect("ours"));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut state = round + 1;
                while !is_over.load(Ordering::Relaxed) {
                    // A generator of Marsaglia's: any noise will do.
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    let value = if state & 1 == 0 { state } else { state >> 46 };
                    words[(state >> 8) as usize % used].store(value, Ordering::Relaxed);
                }
            });
            for _ in 0..5 {
                let sent = channel.send(socket.as_fd(), &frame(&vec![7; 50_000]), &[&[7; 50_001], &[7; 3]]);
                let received = channel.receive(socket.as_fd(), &mut Vec::new(), 100_000).and_then(|_| {
                    let left = channel.segment_bytes_left().min(1000);
                    channel.receive_segment(socket.as_fd(), Box::new_uninit_slice(left).as_mut())
                });
                for error in [sent, received].into_iter().filter_map(Result::err) {
                    assert!(is_clean(&error), "{error}");
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn a_length_beyond_the_limit_in_the_ring_claims_no_memory() {
    let (mut channel, socket, _far, peer) = victim();
    let memory = peer.memory().expect("ours");
    let ring = memory.ring_from(Side::Accepting);
    let mut producer = crate::ring::Producer::default();
    let mut claim = frame(b"");
    claim[..4].fill(0xff);
    producer.write(ring, &claim);
    producer.publish(ring);
    let mut payload = Vec::new();
    let error = channel.receive(socket.as_fd(), &mut payload, usize::MAX).expect_err("over the limit");
    assert!(matches!(error, ChannelError::Malformed(_)), "{error}");
    assert_eq!(payload.capacity(), 0);
}

#[test]
fn a_frame_in_single_words_arrives_and_a_cut_one_is_broken() {
    let whole = frame(b"word by word, to the end");
    for length in 0..=whole.len() / 8 {
        let (mut channel, socket, far, peer) = victim();
        channel.set_limit(Limit::default());
        thread::scope(|scope| {
            let whole = &whole;
            scope.spawn(move || {
                let mut channel = SharedChannel::new(peer, Side::Accepting, Limit::default(), SpinPolicy::default());
                for word in whole[..length * 8].chunks(8) {
                    channel.send_bytes(word);
                }
                channel.leave(far.as_fd());
            });
            let mut payload = Vec::new();
            match channel.receive(socket.as_fd(), &mut payload, 100) {
                Ok(_) => assert_eq!((length, payload.as_slice()), (whole.len() / 8, &whole[32..])),
                Err(ChannelError::Closed) => assert_eq!(length, 0),
                Err(ChannelError::Broken) => assert!((1..whole.len() / 8).contains(&length)),
                Err(error) => panic!("{error}"),
            }
        });
    }
}

fn frame_with(payload: &[u8], segment_bytes: u32) -> Vec<u8> {
    let mut buffer = frame(payload);
    let mut header = Header::new(Kind::Value, 1);
    header.segment_bytes = segment_bytes;
    finish(&mut buffer, header).expect("within the limit");
    buffer
}

/// How the victim comes to what is left of the segments.
#[derive(Debug, Clone, Copy)]
enum Meeting {
    Asking,
    Sending,
    Receiving,
}

fn meet(channel: &mut SharedChannel, socket: &UnixStream, how: Meeting, announced: usize) -> ChannelError {
    match how {
        Meeting::Asking => channel.receive_segment(socket.as_fd(), Box::new_uninit_slice(announced).as_mut()),
        Meeting::Sending => channel.send(socket.as_fd(), &frame(b"no"), &[]),
        Meeting::Receiving => channel.receive(socket.as_fd(), &mut Vec::new(), 100).map(drop),
    }
    .expect_err("the segments are not all there")
}

#[test]
fn a_peer_that_leaves_or_stops_inside_the_segments_it_announced_is_survived() {
    for (announced, sent) in [(1, 0), (8, 0), (9, 8), (16, 8), (4097, 4096), (1 << 20, (1 << 20) - 48), (5 << 20, 96)] {
        for how in [Meeting::Asking, Meeting::Sending, Meeting::Receiving] {
            for leaves in [true, false] {
                let (mut channel, socket, far, peer) = victim();
                let mut liar = SharedChannel::new(peer, Side::Accepting, Limit::default(), SpinPolicy::default());
                liar.send_bytes(&frame_with(b"liar", announced as u32));
                liar.send_bytes(&vec![7; sent]);
                if leaves {
                    liar.leave(far.as_fd());
                }
                channel.receive(socket.as_fd(), &mut Vec::new(), usize::MAX).expect("the frame itself is whole");
                assert_eq!(channel.segment_bytes_left(), announced);
                let error = meet(&mut channel, &socket, how, announced);
                if leaves {
                    assert!(matches!(error, ChannelError::Broken), "{how:?}, {announced}: {error}");
                } else {
                    assert!(matches!(error, ChannelError::TimedOut(_)), "{how:?}, {announced}: {error}");
                }
            }
        }
    }
}

#[test]
fn segments_beyond_the_limit_in_the_ring_are_refused() {
    let (mut channel, socket, _far, peer) = victim();
    let mut liar = SharedChannel::new(peer, Side::Accepting, Limit::default(), SpinPolicy::default());
    let mut claim = frame(b"");
    claim[28..32].fill(0xff);
    liar.send_bytes(&claim);
    let error = channel.receive(socket.as_fd(), &mut Vec::new(), usize::MAX).expect_err("over the limit");
    assert!(matches!(error, ChannelError::Malformed(_)), "{error}");
    assert_eq!(channel.segment_bytes_left(), 0);
}

#[test]
fn doorbells_nobody_asked_for_are_no_frames() {
    use std::io::Write;
    let (mut channel, socket, mut far, _peer) = victim();
    far.set_nonblocking(true).expect("set");
    let _ = far.write(&[9; 1000]);
    channel.set_limit(Limit { timeout: Some(Duration::from_millis(150)), end: None });
    let error = channel.receive(socket.as_fd(), &mut Vec::new(), 100).expect_err("no frame");
    assert!(matches!(error, ChannelError::TimedOut(_)), "{error}");
}

/// A descriptor of memory that its maker may have forgotten to seal, or made of another size.
fn memory(bytes: usize, seals: SealFlag) -> OwnedFd {
    let memory = memfd_create(c"hostile", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).expect("memory");
    ftruncate(&memory, bytes as i64).expect("its size");
    fcntl(&memory, FcntlArg::F_ADD_SEALS(seals)).expect("its seals");
    memory
}

fn offer(descriptor: &OwnedFd) -> Result<Header, ChannelError> {
    let (near, far) = UnixStream::pair().expect("a pair of sockets");
    let mut near = SocketChannel::new(near.into());
    assert!(near.send_descriptor(&frame(b"welcome"), descriptor.as_fd()).expect("sent"));
    Channel::over_socket(far).receive_first(&mut Vec::new(), 100)
}

#[test]
fn memory_that_could_change_under_our_feet_is_refused() {
    let all = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    let mut offers = vec![
        ("unsealed", memory(MEMORY_BYTES, SealFlag::empty())),
        ("truncated", memory(MEMORY_BYTES - 1, all)),
        ("empty", memory(0, all)),
        ("too large", memory(MEMORY_BYTES + PAGE_BYTES, all)),
        ("no memory", std::fs::File::open("/dev/null").expect("a file").into()),
        ("a socket", UnixStream::pair().expect("a pair").0.into()),
    ];
    for missing in [SealFlag::F_SEAL_SHRINK, SealFlag::F_SEAL_GROW, SealFlag::F_SEAL_SEAL] {
        offers.push(("a seal is missing", memory(MEMORY_BYTES, all - missing)));
    }
    for (what, descriptor) in offers {
        let error = offer(&descriptor).expect_err(what);
        assert!(matches!(error, ChannelError::Offer(_)), "{what}: {error}");
    }
}

#[test]
fn memory_that_is_right_cannot_be_changed_any_more() {
    let (_mapping, descriptor) = Mapping::create().expect("memory");
    for bytes in [0, MEMORY_BYTES - 1, MEMORY_BYTES + 1] {
        ftruncate(&descriptor, bytes as i64).expect_err("sealed");
    }
    fcntl(&descriptor, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)).expect_err("sealed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_counters_are_survived(
        tail in prop_oneof![any::<u64>(), 0..70_000_u64, Just(u64::MAX)],
        head in prop_oneof![any::<u64>(), 0..70_000_u64],
    ) {
        let (mut channel, socket, _far, peer) = victim();
        let words = control(peer.memory().expect("ours"));
        // The two counters of each direction stand at the beginning of their lines.
        words[2 * LINE_WORDS].store(tail, Ordering::Release);
        words[LINE_WORDS].store(head, Ordering::Release);
        let received = channel.receive(socket.as_fd(), &mut Vec::new(), usize::MAX).map(drop);
        let sent = channel.send(socket.as_fd(), &frame(&vec![7; 1_300_000]), &[]);
        for error in [received, sent].into_iter().filter_map(Result::err) {
            assert!(is_clean(&error), "{error}");
        }
    }
}
