//! Segments of every awkward length, over every kind of channel: they arrive, and what nobody asks for is passed over.

use std::io::Write;
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::RecvTimeoutError::Timeout;
use std::thread;
use std::time::{Duration, Instant};

use tortoise_channel::{Channel, ChannelError, Kind as ChannelKind};
use tortoise_protocol::Malformed;
use tortoise_protocol::frame::{Header, Kind, begin, finish};

const KINDS: [ChannelKind; 3] = [ChannelKind::UnixSocket, ChannelKind::TcpSocket, ChannelKind::SharedMemory];

const RING: usize = 1 << 20;

/// Around a word, a read, a page, a piece, the ring, and several of them.
const LENGTHS: [usize; 19] = [
    0,
    1,
    7,
    8,
    9,
    63,
    4095,
    4096,
    4097,
    (32 << 10) - 1,
    (64 << 10) - 32,
    (64 << 10) + 1,
    RING - 33,
    RING - 1,
    RING,
    RING + 1,
    2 * RING + 3,
    3 * RING - 5,
    5 * RING,
];

fn sockets(kind: ChannelKind) -> (OwnedFd, OwnedFd) {
    if kind == ChannelKind::TcpSocket {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let near = TcpStream::connect(listener.local_addr().expect("its address")).expect("connected");
        (near.into(), listener.accept().expect("accepted").0.into())
    } else {
        let (near, far) = UnixStream::pair().expect("a pair of sockets");
        (near.into(), far.into())
    }
}

/// Both ends of a channel. With shared memory, the first offered it.
fn pair(kind: ChannelKind) -> (Channel, Channel) {
    let (near, far) = sockets(kind);
    let (mut near, mut far) = (Channel::over_socket(near), Channel::over_socket(far));
    if kind == ChannelKind::SharedMemory {
        thread::scope(|scope| {
            scope.spawn(|| near.send_first(&frame(b"", 0)).expect("offered"));
            far.receive_first(&mut Vec::new(), 0).expect("accepted");
        });
    }
    assert_eq!((near.kind(), far.kind()), (kind, kind));
    (near, far)
}

fn frame(payload: &[u8], segment_bytes: usize) -> Vec<u8> {
    let mut buffer = Vec::new();
    begin(&mut buffer);
    buffer.extend_from_slice(payload);
    let mut header = Header::new(Kind::Value, 1);
    header.segment_bytes = u32::try_from(segment_bytes).expect("small");
    finish(&mut buffer, header).expect("within the limit");
    buffer
}

/// Bytes that differ from their neighbours, and from those of another seed.
fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251 + seed * 7) as u8).collect()
}

fn send(channel: &mut Channel, payload: &[u8], lengths: &[usize]) -> Result<(), ChannelError> {
    let segments: Vec<Vec<u8>> = lengths.iter().enumerate().map(|(seed, length)| pattern(*length, seed)).collect();
    let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
    channel.send_with(&frame(payload, lengths.iter().sum()), &segments)
}

fn receive_segment(channel: &mut Channel, length: usize) -> Result<Vec<u8>, ChannelError> {
    let mut place = Vec::with_capacity(length);
    channel.receive_segment(&mut place.spare_capacity_mut()[..length])?;
    // SAFETY: the channel has filled all of the place.
    unsafe { place.set_len(length) };
    Ok(place)
}

/// Receives what [`send`] sent, but only the first `asked` segments of it.
fn receive(channel: &mut Channel, payload: &[u8], lengths: &[usize], asked: usize) {
    let mut received = Vec::new();
    channel.receive(&mut received, usize::MAX).expect("a frame");
    assert_eq!(received, payload);
    let mut left: usize = lengths.iter().sum();
    for (seed, length) in lengths.iter().enumerate().take(asked) {
        assert_eq!(channel.segment_bytes_left(), left);
        let segment = receive_segment(channel, *length).expect("a segment");
        assert!(segment == pattern(*length, seed), "segment {seed} of {lengths:?}");
        left -= length;
    }
    assert_eq!(channel.segment_bytes_left(), left);
}

#[test]
fn segments_of_every_length_arrive_behind_payloads_of_every_length() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        thread::scope(|scope| {
            scope.spawn(move || {
                for payload in [0, 1, 8, 100] {
                    for length in LENGTHS {
                        send(&mut near, &pattern(payload, 3), &[length]).expect("sent");
                    }
                }
            });
            for payload in [0, 1, 8, 100] {
                for length in LENGTHS {
                    receive(&mut far, &pattern(payload, 3), &[length], 1);
                }
            }
        });
    }
}

#[test]
fn segments_that_end_within_a_word_are_told_apart() {
    // More than the system is given at once, too.
    let many: Vec<usize> = (0..100).map(|at| at * at % 23).collect();
    let mixed = [5, RING + 1, 0, 3, 8, 4097, 7, 1, 1, 64, 2 * RING - 3];
    for kind in KINDS {
        for lengths in [&many[..], &mixed, &[1, 1, 1, 1, 1, 1, 1, 1, 1], &[3, 13, 8]] {
            let (mut near, mut far) = pair(kind);
            thread::scope(|scope| {
                scope.spawn(move || send(&mut near, b"mixed", lengths).expect("sent"));
                receive(&mut far, b"mixed", lengths, lengths.len());
            });
        }
    }
}

#[test]
fn a_segment_is_received_in_any_pieces() {
    let length = RING + 77;
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        thread::scope(|scope| {
            scope.spawn(move || send(&mut near, b"x", &[length]).expect("sent"));
            far.receive(&mut Vec::new(), usize::MAX).expect("a frame");
            let mut whole = Vec::new();
            for piece in [1, 2, 3, 5, 8, 13, 4096, 77, 1000, 65_536, 9].into_iter().cycle() {
                let piece = piece.min(far.segment_bytes_left());
                whole.extend(receive_segment(&mut far, piece).expect("a piece"));
                if far.segment_bytes_left() == 0 {
                    break;
                }
            }
            assert!(whole == pattern(length, 0));
        });
    }
}

#[test]
fn what_nobody_asks_for_is_passed_over_before_the_next_frame() {
    for kind in KINDS {
        for lengths in [&[1][..], &[7, 2], &[9, 65_536, 3], &[3 * RING + 5, 1], &[1, RING, 4096]] {
            for asked in 0..lengths.len() {
                let (mut near, mut far) = pair(kind);
                thread::scope(|scope| {
                    scope.spawn(move || {
                        send(&mut near, b"first", lengths).expect("sent");
                        // The peer answers without having read all of it, and so it does twice.
                        receive(&mut near, b"no", &[5], 0);
                        send(&mut near, b"second", lengths).expect("sent");
                        send(&mut near, b"third", &[]).expect("sent");
                    });
                    receive(&mut far, b"first", lengths, asked);
                    send(&mut far, b"no", &[5]).expect("sent");
                    assert_eq!(far.segment_bytes_left(), 0);
                    receive(&mut far, b"second", lengths, asked);
                    receive(&mut far, b"third", &[], 0);
                });
            }
        }
    }
}

#[test]
fn asking_for_more_than_there_is_reads_nothing() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        send(&mut near, b"x", &[12, 3]).expect("sent");
        far.receive(&mut Vec::new(), usize::MAX).expect("a frame");
        receive_segment(&mut far, 10).expect("ten of them");
        let mut place = [MaybeUninit::new(0_u8); 6];
        let error = far.receive_segment(&mut place).expect_err("one too many");
        assert!(matches!(error, ChannelError::SegmentsTooShort { wanted: 6, left: 5 }), "{error}");
        let rest = receive_segment(&mut far, 5).expect("the rest");
        assert_eq!(rest, [&pattern(12, 0)[10..], &pattern(3, 1)].concat());
        assert!(matches!(receive_segment(&mut far, 1), Err(ChannelError::SegmentsTooShort { wanted: 1, left: 0 })));
        send(&mut near, b"next", &[]).expect("sent");
        receive(&mut far, b"next", &[], 0);
    }
}

#[test]
fn the_limit_covers_the_segments_too() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        send(&mut near, b"four", &[7]).expect("sent");
        let mut payload = Vec::new();
        let error = far.receive(&mut payload, 10).expect_err("over the limit");
        assert!(matches!(error, ChannelError::Malformed(Malformed::FrameTooLarge { bytes: 11, limit: 10 })), "{error}");
    }
}

/// How a session meets the end of a peer that announced more than it sent.
#[derive(Debug, Clone, Copy)]
enum Meeting {
    Asking,
    Sending,
    Receiving,
}

const MEETINGS: [Meeting; 3] = [Meeting::Asking, Meeting::Sending, Meeting::Receiving];

fn meet(channel: &mut Channel, how: Meeting, announced: usize) -> ChannelError {
    match how {
        Meeting::Asking => receive_segment(channel, announced).map(drop),
        Meeting::Sending => channel.send(&frame(b"no", 0)),
        Meeting::Receiving => channel.receive(&mut Vec::new(), usize::MAX).map(drop),
    }
    .expect_err("the segments are not all there")
}

#[test]
fn a_socket_that_ends_inside_segments_is_broken() {
    for (announced, sent) in [(1, 0), (8, 7), (9, 8), (100, 99), (65_536, 65_535), (3 * RING, 2 * RING)] {
        for how in MEETINGS {
            let (mut near, far) = UnixStream::pair().expect("a pair of sockets");
            let mut far = Channel::over_socket(far);
            thread::scope(|scope| {
                scope.spawn(move || {
                    near.write_all(&[frame(b"liar", announced), pattern(sent, 0)].concat()).expect("written");
                });
                far.receive(&mut Vec::new(), usize::MAX).expect("the frame itself is whole");
                let error = meet(&mut far, how, announced);
                assert!(matches!(error, ChannelError::Broken), "{how:?}, {announced}, {sent}: {error}");
            });
        }
    }
}

#[test]
fn a_socket_that_stops_or_trickles_inside_segments_is_timed_out() {
    for how in MEETINGS {
        for trickles in [false, true] {
            let (mut near, far) = UnixStream::pair().expect("a pair of sockets");
            let mut far = Channel::over_socket(far);
            near.write_all(&frame(b"slow", 1_000_000)).expect("written");
            far.receive(&mut Vec::new(), usize::MAX).expect("the frame itself is whole");
            far.set_timeout(Some(Duration::from_millis(30))).expect("set");
            let began = Instant::now();
            thread::scope(|scope| {
                let (stop, stopped) = std::sync::mpsc::channel::<()>();
                scope.spawn(move || {
                    while trickles && stopped.recv_timeout(Duration::from_millis(5)).is_err_and(|end| end == Timeout) {
                        let _ = near.write_all(&[7]);
                    }
                    // Kept open until the other side has given up.
                    let _ = stopped.recv();
                });
                let error = meet(&mut far, how, 1_000_000);
                assert!(matches!(error, ChannelError::TimedOut(_)), "{how:?}: {error}");
                drop(stop);
            });
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        }
    }
}
