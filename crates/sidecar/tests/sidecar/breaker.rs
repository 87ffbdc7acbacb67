//! Workers that fail again and again.

use std::fs;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::supervise::Hosted;
use crate::support::Installation;
use tortoise_protocol::handshake::Refusal;
use tortoise_sidecar::limits::Limits;
use tortoise_sidecar::requests::{Answer as Reply, Request};
use tortoise_testkit::client::Answer;

fn limits(broken: Duration) -> Limits {
    Limits {
        failures: 3,
        least_backoff: Duration::from_millis(1),
        most_backoff: Duration::from_millis(1),
        broken,
        ..Limits::default()
    }
}

/// Lets the worker die, and no other start; gives what clients hear when that has been tried often enough.
fn break_it(installation: &Installation) -> Refusal {
    let mut client = installation.client();
    fs::write(installation.path("classes/fails"), "").expect("written");
    assert_eq!(client.tell("kill-worker").as_deref(), Some("done"));
    let refusal = std::iter::repeat_with(|| installation.ask().1).find_map(|answer| match answer {
        Answer::Refusal(refusal) if !refusal.retry => Some(refusal),
        Answer::Refusal(_) | Answer::Closed => None,
        other => panic!("{other:?}"),
    });
    refusal.expect("a refusal")
}

#[test]
fn where_workers_do_not_start_clients_hear_why_until_a_reload_puts_it_right() {
    let installation = Installation::new("answering");
    let sidecar = Hosted::start_small(&installation, 2, limits(Duration::from_secs(3600)));
    let refusal = break_it(&installation);
    for part in ["Python workers do not start", "a module does not import", "log"] {
        assert!(refusal.message.contains(part), "{}", refusal.message);
    }
    let status = installation.status();
    assert_eq!(status["state"], "broken");
    assert!(status["error"].as_str().expect("a reason").contains("a module does not import"), "{status}");

    let reload = || {
        let (answer, told) = Reply::awaited();
        sidecar.request(Request::Reload(answer));
        told.blocking_recv().expect("an answer")
    };
    let told = reload();
    assert!(told["error"].as_str().expect("an error").contains("a module does not import"), "{told}");
    fs::remove_file(installation.path("classes/fails")).expect("removed");
    let told = reload();
    assert_eq!(told["reloaded"], true, "{told}");
    installation.client();
    let status = installation.status();
    assert_eq!((&status["state"], &status["error"]), (&"ready".into(), &serde_json::Value::Null));
    sidecar.stop();
}

#[test]
fn it_is_tried_again_all_the_same() {
    let installation = Installation::new("answering");
    let sidecar = Hosted::start_small(&installation, 2, limits(Duration::from_millis(50)));
    break_it(&installation);
    fs::remove_file(installation.path("classes/fails")).expect("removed");
    let welcome = std::iter::repeat_with(|| installation.ask().1).find(|answer| matches!(answer, Answer::Welcome(_)));
    assert!(welcome.is_some());
    sidecar.stop();
}

#[test]
fn a_worker_that_dies_during_a_reload_is_replaced_by_the_new_one() {
    for failures in [1, 3] {
        let installation = Installation::new("answering");
        let limits = Limits { failures, ..limits(Duration::from_secs(3600)) };
        let sidecar = Hosted::start_small(&installation, 2, limits);
        let slow = installation.path("classes/slow");
        mkfifo(&slow, Mode::S_IRWXU).expect("a FIFO");
        let mut client = installation.client();
        let (answer, told) = Reply::awaited();
        sidecar.request(Request::Reload(answer));
        // Opened by the new worker too, which reads to its end.
        let held = fs::OpenOptions::new().write(true).open(&slow).expect("opened");
        assert_eq!(client.tell("kill-worker").as_deref(), Some("done"));
        while installation.status()["state"] == "reloading" {
            std::thread::yield_now();
        }
        assert_eq!(installation.status()["state"], "starting");
        drop(held);
        let told = told.blocking_recv().expect("an answer");
        assert_eq!(told["reloaded"], true, "{told}");
        assert_eq!(installation.status()["state"], "ready");
        installation.client();
        sidecar.stop();
    }
}
