//! Round trips over each kind of channel, to a thread that sends back what it gets.
//!
//! `cargo bench -p tortoise-channel`

use std::os::unix::net::UnixStream;
use std::thread;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tortoise_channel::{Channel, ChannelError, Kind as ChannelKind};
use tortoise_protocol::frame::{HEADER_BYTES, Header, Kind, begin, finish};

/// Up to this many bytes travel in the payload, more of them as a segment.
const LARGEST_PAYLOAD: usize = 16 << 10;

const SIZES: [(&str, usize); 4] =
    [("64 B", 64 - HEADER_BYTES), ("4 KiB", 4 << 10), ("1 MiB", 1 << 20), ("10 MB", 10_000_000)];

/// A message that goes to and fro.
#[derive(Default)]
struct Message {
    frame: Vec<u8>,
    payload: Vec<u8>,
    segment: Vec<u8>,
}

impl Message {
    fn send(&mut self, channel: &mut Channel) -> Result<(), ChannelError> {
        begin(&mut self.frame);
        self.frame.extend_from_slice(&self.payload);
        let mut header = Header::new(Kind::Value, 1);
        header.segment_bytes = self.segment.len() as u32;
        finish(&mut self.frame, header)?;
        channel.send_with(&self.frame, &[&self.segment])
    }

    fn receive(&mut self, channel: &mut Channel) -> Result<(), ChannelError> {
        channel.receive(&mut self.payload, usize::MAX)?;
        let length = channel.segment_bytes_left();
        self.segment.clear();
        self.segment.reserve(length);
        channel.receive_segment(&mut self.segment.spare_capacity_mut()[..length])?;
        // SAFETY: the channel has initialised these bytes.
        unsafe { self.segment.set_len(length) };
        Ok(())
    }
}

/// A channel to a thread that ends with it.
fn connect(kind: ChannelKind) -> Channel {
    let (near, far) = UnixStream::pair().expect("a pair of sockets");
    thread::spawn(move || {
        let mut channel = Channel::over_socket(far);
        let mut message = Message::default();
        begin(&mut message.frame);
        finish(&mut message.frame, Header::new(Kind::Welcome, 0)).expect("small");
        match kind {
            ChannelKind::SharedMemory => assert_eq!(channel.send_first(&message.frame).expect("an answer"), kind),
            _ => channel.send(&message.frame).expect("sent"),
        }
        while message.receive(&mut channel).and_then(|()| message.send(&mut channel)).is_ok() {}
    });
    let mut channel = Channel::over_socket(near);
    channel.receive_first(&mut Vec::new(), 0).expect("a first frame");
    channel
}

fn round_trips(criterion: &mut Criterion) {
    for kind in [ChannelKind::UnixSocket, ChannelKind::SharedMemory] {
        let mut group = criterion.benchmark_group(kind.to_string());
        for (name, bytes) in SIZES {
            let mut channel = connect(kind);
            let mut message = Message::default();
            if bytes <= LARGEST_PAYLOAD {
                message.payload = vec![1; bytes];
            } else {
                message.segment = vec![1; bytes];
            }
            group.throughput(Throughput::Bytes(2 * bytes as u64));
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    message.send(&mut channel).expect("sent");
                    message.receive(&mut channel).expect("an answer");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, round_trips);
criterion_main!(benches);
