//! More clients than places.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::supervise::Hosted;
use crate::support::{Installation, Running};
use tortoise_sidecar::limits::Limits;
use tortoise_testkit::client::Answer;

#[test]
fn a_session_that_is_idle_leaves_for_a_client_that_waits() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.args(["--max-sessions", "2", "--log-level", "debug"]);
    let _sidecar = Running::until_ready(command);
    let mut longest = installation.client();
    let mut busy = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    let mut third = installation.client();
    assert_eq!(longest.hear(), None, "the idle one has left");
    assert_eq!(busy.tell("end").as_deref(), Some("done"));
    // Now there are two that are idle, and the one that is so longer leaves.
    assert_eq!(third.tell("print here").as_deref(), Some("done"));
    installation.client();
    assert_eq!((third.hear(), busy.tell("print here").as_deref()), (None, Some("done")));
}

#[test]
fn while_all_are_busy_clients_wait_and_the_first_place_is_theirs() {
    let installation = Installation::new("answering");
    let limits = Limits { queue: Duration::from_secs(3600), ..Limits::default() };
    let sidecar = Hosted::start_small(&installation, 1, limits);
    let mut first = installation.client();
    assert_eq!(first.tell("begin").as_deref(), Some("done"));
    thread::scope(|scope| {
        let (sender, answers) = channel();
        for _ in 0..2 {
            let sender = sender.clone();
            let installation = &installation;
            scope.spawn(move || sender.send(installation.ask()).expect("somebody waits"));
        }
        // One may wait, and the other is told at once.
        let (_, Answer::Refusal(refusal)) = answers.recv().expect("an answer") else { panic!("no refusal") };
        assert!(refusal.message.contains("as many clients wait for one; try again later") && refusal.retry);
        assert_eq!(first.tell("exit 0"), None);
        let (_stream, Answer::Welcome(_)) = answers.recv().expect("an answer") else { panic!("not served") };
    });
    sidecar.stop();
}

#[test]
fn who_waits_in_vain_is_told_to_try_again() {
    let installation = Installation::new("answering");
    let limits = Limits { queue: Duration::from_millis(50), ..Limits::default() };
    let sidecar = Hosted::start_small(&installation, 1, limits);
    let mut first = installation.client();
    assert_eq!(first.tell("begin").as_deref(), Some("done"));
    let (_, Answer::Refusal(refusal)) = installation.ask() else { panic!("no refusal") };
    assert!(refusal.message.contains("all 1 sessions are taken") && refusal.retry, "{}", refusal.message);
    assert_eq!(first.tell("exit 0"), None);
    installation.client();
    sidecar.stop();
}
