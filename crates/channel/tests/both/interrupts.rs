//! Waits that another thread of the process ends.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tortoise_channel::{ChannelError, Interrupt};

use crate::{KINDS, frame, pair};

#[test]
fn a_wait_ends_by_a_frame_or_by_an_interrupt() {
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        let interrupt = Arc::new(Interrupt::new().expect("an event"));
        let mut payload = Vec::new();

        interrupt.ring();
        interrupt.ring();
        assert!(!near.await_frame(&interrupt).expect("rung before"), "{kind}");
        far.send(&frame(1, b"a")).expect("sent");
        assert!(near.await_frame(&interrupt).expect("a frame"), "{kind}");
        assert_eq!(near.receive(&mut payload, 100).expect("a frame").call, 1);

        near.set_timeout(Some(Duration::from_millis(30))).expect("a timeout");
        assert!(
            matches!(near.await_frame(&interrupt), Err(ChannelError::TimedOut(_))),
            "{kind}: two rings end one wait"
        );
        near.set_timeout(None).expect("no timeout");

        drop(far);
        assert!(near.await_frame(&interrupt).expect("an end"), "{kind}");
        assert!(matches!(near.receive(&mut payload, 100), Err(ChannelError::Closed)), "{kind}");
    }
}

#[test]
fn sleepers_hear_of_both() {
    const ROUNDS: u64 = 2000;
    for kind in KINDS {
        let (mut near, mut far) = pair(kind);
        let interrupt = Arc::new(Interrupt::new().expect("an event"));
        let ringing = Arc::clone(&interrupt);
        let (heard, hear) = std::sync::mpsc::channel();
        let ringer = thread::spawn(move || {
            for round in 0..ROUNDS {
                // Now and then long enough for the other side to fall asleep.
                if round % 200 == 0 {
                    thread::sleep(Duration::from_millis(30));
                }
                if round % 2 == 0 {
                    ringing.ring();
                } else {
                    far.send(&frame(round, b"")).expect("sent");
                }
                assert_eq!(hear.recv(), Ok(round), "{kind}");
            }
            far
        });
        let mut payload = Vec::new();
        for round in 0..ROUNDS {
            let is_frame = near.await_frame(&interrupt).expect("one of both");
            assert_eq!(is_frame, round % 2 == 1, "{kind}, round {round}");
            if is_frame {
                assert_eq!(near.receive(&mut payload, 100).expect("a frame").call, round);
            }
            heard.send(round).expect("the ringer");
        }
        drop(ringer.join().expect("the ringer"));
    }
}
