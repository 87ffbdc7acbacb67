//! `tortoise serve` in the foreground: real binary, real sockets, a fixture in the place of the worker.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Installation, Running, fails, is_alive, signal};
use tortoise_protocol::frame::{HEADER_BYTES, Kind};
use tortoise_protocol::handshake::Hello;
use tortoise_testkit::client::{Answer, answer, connect, frame, hello, hello_frame};

#[test]
fn a_client_is_handed_over_with_what_the_settings_allow() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let mut client = installation.client();
    let classes = installation.path("classes");
    assert!(client.order.contains(&format!(r#""roots": ["{}"]"#, classes.display())), "{}", client.order);
    assert!(client.order.contains(&format!(r#""client": {}"#, std::process::id())), "{}", client.order);
    assert_eq!(client.tell("print hello from Python").as_deref(), Some("done"));
    sidecar.wait_for("python: hello from Python");
}

#[test]
fn what_follows_the_hello_belongs_to_the_session() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let mut bytes = hello_frame(&hello(&[]));
    bytes.extend_from_slice(b"print early bird\n");
    let (_stream, answer) = installation.say(&bytes);
    assert!(matches!(answer, Answer::Welcome(_)), "{answer:?}");
    sidecar.wait_for("python: early bird");
}

#[test]
fn a_session_has_a_large_stack_a_blocking_socket_and_no_other_descriptors() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.env("PYTHONSAFEPATH", "1");
    let _sidecar = Running::until_ready(command);
    let facts = installation.client().tell("limits").expect("facts");
    let stack: u64 =
        facts.split("\"stack\": [").nth(1).and_then(|text| text.split(',').next()?.parse().ok()).unwrap_or(u64::MAX);
    assert!(stack >= 64 << 20, "{facts}");
    assert!(facts.contains("\"own group\": true") && facts.contains("\"blocking\": true"), "{facts}");
    assert!(facts.contains("\"safe path\": null"), "{facts}");
    // The client's socket, the control socket, the board, and the listing of the folder itself.
    let descriptors = facts.split("\"descriptors\": [").nth(1).and_then(|text| text.split(']').next()).unwrap_or("");
    assert_eq!(descriptors.split(',').count(), 4, "{facts}");
}

#[test]
fn who_speaks_something_else_is_closed_without_an_answer_and_harms_nobody() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let good = hello_frame(&hello(&[]));
    let mut huge = good.clone();
    huge[..4].fill(0xff);
    let http = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: nobody\r\n\r\n";
    for bytes in [&http[..], &huge, &frame(Kind::Call, &good[HEADER_BYTES..])] {
        assert_eq!(installation.say(bytes).1, Answer::Closed);
        sidecar.wait_for("does not speak Tortoise's protocol");
    }
    for cut in 0..good.len() {
        let mut stream = connect(&installation.socket()).expect("connected");
        stream.write_all(&good[..cut]).expect("written");
        stream.shutdown(std::net::Shutdown::Write).expect("shut down");
        assert_eq!(answer(&mut stream), Answer::Closed, "cut at {cut}");
    }
    installation.client();
}

#[test]
fn other_versions_are_told_so() {
    let installation = Installation::new("answering");
    let _sidecar = installation.start();
    let mut other_wire = hello_frame(&hello(&[]));
    other_wire[HEADER_BYTES + 8..HEADER_BYTES + 10].copy_from_slice(&9_u16.to_be_bytes());
    let other_product = hello_frame(&Hello { product: "0.0.9".into(), ..hello(&[]) });
    for (bytes, expected) in [(other_wire, "wire version 9"), (other_product, "0.0.9")] {
        let (_, Answer::Refusal(refusal)) = installation.say(&bytes) else { panic!("no refusal: {expected}") };
        assert!(refusal.message.contains(expected) && !refusal.retry, "{}", refusal.message);
    }
}

#[test]
fn a_session_that_dies_is_named_with_its_reason() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let client = format!("of PHP process {} has ended: ", std::process::id());
    for (command, reason) in [("signal 11", "killed by SIGSEGV"), ("exit 3", "exit status 3")] {
        assert_eq!(installation.client().tell(command), None);
        let line = sidecar.wait_for(&client);
        assert!(line.contains(reason), "{line}");
    }
}

#[test]
fn a_flood_of_output_is_cut_and_counted() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    assert_eq!(installation.client().tell("flood 300000").as_deref(), Some("done"));
    sidecar.wait_for("lines suppressed");
    sidecar.signal("TERM");
    let (_, log) = sidecar.end();
    assert!(log.lines().count() < 100_000);
}

#[test]
fn a_second_instance_is_refused_and_the_first_stays() {
    let installation = Installation::new("answering");
    let _sidecar = installation.start();
    let error = fails(installation.serve());
    assert!(error.contains("another process already listens on unix:///"), "{error}");
    installation.client();
    let mode = std::fs::metadata(installation.socket()).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_socket_of_a_killed_instance_is_replaced() {
    let installation = Installation::new("answering");
    drop(installation.start());
    assert!(installation.socket().exists(), "a killed process cannot tidy up");
    let _sidecar = installation.start();
    installation.client();
}

#[test]
fn sigterm_ends_the_worker_and_its_sessions_and_removes_the_socket() {
    for name in ["TERM", "INT"] {
        let installation = Installation::new("answering");
        let sidecar = installation.start();
        let worker = sidecar.worker();
        assert!(is_alive(worker));
        let mut command = installation.client();
        assert_eq!(command.tell("print here").as_deref(), Some("done"));
        sidecar.signal(name);
        let (status, log) = sidecar.end();
        assert!(status.success(), "{status}: {log}");
        assert!(log.contains(&format!("leaving: SIG{name}")) && log.contains("draining: 1 sessions leave"), "{log}");
        assert!(!is_alive(worker));
        assert!(!installation.socket().exists());
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let installation = Installation::new("stubborn");
    let mut sidecar = installation.start();
    let worker = sidecar.worker();
    sidecar.signal("TERM");
    sidecar.wait_for("leaving: SIGTERM");
    sidecar.signal("TERM");
    let log = sidecar.wait_for("ended at once");
    assert!(log.contains("SIGTERM for the second time"), "{log}");
    let (status, _) = sidecar.end();
    assert_eq!(status.code(), Some(1));
    // This fixture does not see the end of its control socket.
    signal(worker, "KILL");
}

#[test]
fn a_worker_that_dies_is_replaced() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    // The dead worker's sessions must not count any more.
    command.args(["--max-sessions", "1"]);
    let mut sidecar = Running::until_ready(command);
    let first = sidecar.worker();
    assert_eq!(installation.client().tell("kill-worker").as_deref(), Some("done"));
    let line = sidecar.wait_for("died");
    assert!(line.contains(&format!("worker {first} died (killed by SIGKILL)")), "{line}");
    // This one may come before the next worker is ready, and waits for it.
    installation.client();
    sidecar.wait_for("is ready: Python");
    assert_ne!(sidecar.worker(), first);
}

#[test]
fn without_clients_it_leaves_and_takes_its_socket_with_it() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.env("TORTOISE_IDLE_EXIT", "1");
    let sidecar = Running::until_ready(command);
    let worker = sidecar.worker();
    installation.client().tell("exit 0");
    let (status, log) = sidecar.end();
    assert!(status.success(), "{log}");
    assert!(log.contains("no session for the time of idle_exit"), "{log}");
    assert!(!installation.socket().exists() && !is_alive(worker));
}

#[test]
fn too_many_open_files_is_survived() {
    let installation = Installation::new("answering");
    let serve = installation.serve();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"ulimit -n 24; exec "$0" "$@""#]).arg(serve.get_program()).args(serve.get_args());
    let mut sidecar = Running::until_ready(command);
    let crowd: Vec<_> = (0..30).map(|_| connect(&installation.socket()).expect("connected")).collect();
    sidecar.wait_for("cannot accept clients at present: Too many open files");
    drop(crowd);
    installation.client();
}
