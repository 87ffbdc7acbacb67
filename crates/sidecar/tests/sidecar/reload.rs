//! Reloading: a new worker beside the old one, which lets its sessions end their requests.

use std::fs;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Installation, Running, is_alive};

#[test]
fn new_clients_get_the_new_worker_and_requests_end_on_the_old() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let old = sidecar.worker();
    let mut busy = installation.client();
    let mut idle = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    sidecar.signal("HUP");
    sidecar.wait_for("retires: worker");
    sidecar.wait_for("is ready: Python");
    let new = sidecar.worker();
    assert_ne!(new, old);
    assert_eq!(idle.hear(), None, "it was between two requests");
    assert!(installation.client().tell("pid").expect("an answer").ends_with(&format!(" {new}")));
    assert_eq!(busy.tell("print still here").as_deref(), Some("done"));
    assert_eq!(busy.tell("end").as_deref(), Some("done"));
    assert_eq!(busy.hear(), None);
    sidecar.wait_for(&format!("worker {old} has left"));
    assert!(!is_alive(old));
}

#[test]
fn settings_are_read_again_and_wrong_ones_change_nothing() {
    let installation = Installation::new("answering");
    let config = installation.path("t.toml");
    let settings = |more: &str| {
        let classes = installation.path("classes");
        let listen = format!("[[listen]]\naddress = 'unix://{}'\n", installation.socket().display());
        let python = crate::support::python();
        let text = format!("path = ['{}']\npython = '{}'\n{more}\n{listen}", classes.display(), python.display());
        fs::write(&config, text).expect("written");
    };
    settings("");
    let mut command = installation.tortoise();
    command.arg("serve").arg("--config").arg(&config);
    let mut sidecar = Running::until_ready(command);
    assert!(installation.client().tell("settings").expect("settings").contains("\"max_requests\": 0,"));

    settings("max_requests = 7\nmodules = ['json']\nidle_exit = 9");
    sidecar.signal("HUP");
    sidecar.wait_for("idle_exit has changed, which counts only after a restart");
    sidecar.wait_for("is ready: Python");
    let worker = sidecar.worker();
    let mut client = installation.client();
    assert!(client.order.contains("\"modules\": [\"json\"]"), "{}", client.order);
    assert!(client.tell("settings").expect("settings").contains("\"max_requests\": 7,"));

    settings("max_request = 8");
    sidecar.signal("HUP");
    let line = sidecar.wait_for("cannot reload, and nothing has changed");
    assert!(line.contains("t.toml"), "{line}");
    assert!(is_alive(worker));
    assert_eq!(client.tell("print here").as_deref(), Some("done"));
}

#[test]
fn a_new_worker_that_does_not_start_leaves_the_old_one_in_place() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let mut client = installation.client();
    fs::write(installation.path("classes/fails"), "").expect("written");
    sidecar.signal("HUP");
    let line = sidecar.wait_for("goes on as it is");
    assert!(line.contains(&format!("worker {} goes on", sidecar.worker())), "{line}");
    assert_eq!(client.tell("print here").as_deref(), Some("done"));
    installation.client();
    fs::remove_file(installation.path("classes/fails")).expect("removed");
    sidecar.signal("HUP");
    sidecar.wait_for("retires");
}

#[test]
fn reloads_that_come_while_one_is_going_on_are_one() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let slow = installation.path("classes/slow");
    mkfifo(&slow, Mode::S_IRWXU).expect("a FIFO");
    sidecar.signal("HUP");
    sidecar.wait_for("reloading: a new worker is starting");
    for _ in 0..100 {
        sidecar.signal("HUP");
    }
    // The first and the one that stands for all others wait until somebody writes. The first has read at its end, so
    // that the second opens anew.
    for _ in 0..2 {
        drop(fs::OpenOptions::new().write(true).open(&slow).expect("opened"));
        sidecar.wait_for("retires");
        sidecar.wait_for("is ready: Python");
    }
    fs::remove_file(&slow).expect("removed");
    installation.client();
    sidecar.signal("TERM");
    let (status, log) = sidecar.end();
    assert!(status.success(), "{log}");
    assert_eq!(log.matches("reloading: a new worker is starting").count(), 2, "{log}");
}

#[test]
fn sessions_that_do_not_end_within_drain_are_killed() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.args(["--drain", "0.2"]);
    let mut sidecar = Running::until_ready(command);
    let old = sidecar.worker();
    let mut busy = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    sidecar.signal("HUP");
    sidecar.wait_for(&format!("worker {old} still has sessions after the 0.2 s of drain"));
    assert_eq!(busy.hear(), None);
    sidecar.wait_for(&format!("worker {old} has left"));
}

#[test]
fn a_file_that_has_changed_is_a_reason_to_reload() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let mut client = installation.client();
    assert_eq!(client.tell(r#"report {"changed": "/roots/shop.py"}"#).as_deref(), Some("done"));
    sidecar.wait_for("/roots/shop.py has changed");
    // It waits for the new one.
    let mut next = installation.client();
    let line = sidecar.wait_for("is ready: Python");
    assert!(next.tell("pid").expect("an answer").ends_with(&format!(" {}", sidecar.worker())), "{line}");
    assert!(!next.order.contains("stale"), "{}", next.order);
    // Where the new one does not start, the old one serves on, and its sessions know that.
    fs::write(installation.path("classes/fails"), "").expect("written");
    assert_eq!(next.tell(r#"report {"changed": "/roots/shop.py"}"#).as_deref(), Some("done"));
    sidecar.wait_for("goes on as it is");
    let mut stale = installation.client();
    assert!(stale.order.contains(r#""stale": true"#), "{}", stale.order);
    fs::remove_file(installation.path("classes/fails")).expect("removed");
    assert_eq!(stale.tell(r#"report {"changed": "/roots/shop.py"}"#).as_deref(), Some("done"));
    sidecar.wait_for("retires");
    assert!(!installation.client().order.contains("stale"));
}

#[test]
fn a_termination_waits_for_requests() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let mut busy = installation.client();
    let mut idle = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    sidecar.signal("TERM");
    sidecar.wait_for("draining: 2 sessions leave, each at the end of its request");
    assert_eq!(idle.hear(), None);
    assert!(!installation.socket().exists());
    assert_eq!(busy.tell("print still here").as_deref(), Some("done"));
    assert_eq!(busy.tell("end").as_deref(), Some("done"));
    let (status, log) = sidecar.end();
    assert!(status.success(), "{log}");
    assert!(!log.contains("killed"), "{log}");
}

#[test]
fn a_session_that_stays_after_its_interrupt_is_killed() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.args(["--grace", "0.1"]);
    let mut sidecar = Running::until_ready(command);
    let mut client = installation.client();
    let pid = client.tell("pid").expect("an answer");
    let pid = pid.split(' ').next().expect("a number");
    let report = format!(r#"report {{"overdue": {pid}, "process": {pid}, "client": 1}}"#);
    assert_eq!(client.tell(&report).as_deref(), Some("done"));
    sidecar.wait_for("left in the middle of a call");
    sidecar.wait_for(&format!("did not end after its interrupt; process {pid} is killed"));
    assert_eq!(client.hear(), None);
    sidecar.wait_for("killed by SIGKILL");
}

#[test]
fn a_descriptor_for_the_shared_objects_is_passed_on() {
    let installation = Installation::new("answering");
    let _sidecar = installation.start();
    let passed = installation.client().tell(r#"share {"share": {"roots": ["/a"]}}"#);
    assert_eq!(passed.as_deref(), Some(r#"{"roots": ["/a"]}"#));
}
