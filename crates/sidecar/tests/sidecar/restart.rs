//! Restarting: a successor takes the listeners over, and the sidecar leaves when its requests have ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::support::{Installation, Running, is_alive, signal};

/// A process that is not our child, ended with the test.
struct Successor(u32);

impl Successor {
    /// From a line `process PID has taken over`.
    fn of(line: &str) -> Self {
        let pid = line.split("process ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        Self(pid.expect("a process in the log"))
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        if is_alive(self.0) {
            signal(self.0, "KILL");
        }
    }
}

fn ask(installation: &Installation, command: &str) -> Output {
    let address = format!("unix://{}", installation.socket().display());
    installation.tortoise().args([command, "--address", &address]).output().expect("it runs")
}

#[test]
fn a_successor_takes_over_and_requests_end_on_the_old() {
    let installation = Installation::new("answering");
    let pid_file = installation.path("t.pid");
    let mut command = installation.serve();
    command.arg("--pid-file").arg(&pid_file);
    let mut sidecar = Running::until_ready(command);
    let old = sidecar.process();
    let old_worker = sidecar.worker();
    let mut busy = installation.client();
    let mut idle = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    sidecar.signal("USR2");
    let successor = Successor::of(&sidecar.wait_for("has taken over"));
    assert_eq!(idle.hear(), None, "it was between two requests");
    assert!(is_alive(old) && is_alive(successor.0));
    let facts = installation.client().tell("pid").expect("an answer");
    assert!(!facts.ends_with(&format!(" {old_worker}")), "{facts}");
    assert_eq!(busy.tell("print still here").as_deref(), Some("done"));
    assert_eq!(busy.tell("end").as_deref(), Some("done"));
    assert!(sidecar.wait().success());
    // The socket is the successor's, and so is the pid file, as soon as it has heard that the other is gone.
    installation.client();
    while fs::read_to_string(&pid_file).unwrap_or_default().trim_end() != successor.0.to_string() {
        std::thread::yield_now();
    }
    signal(successor.0, "TERM");
    let (_, log) = sidecar.end();
    assert!(!installation.socket().exists() && !pid_file.exists(), "{log}");
}

#[test]
fn a_successor_can_be_succeeded() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    sidecar.signal("USR2");
    let _first = Successor::of(&sidecar.wait_for("has taken over"));
    let output = ask(&installation, "restart");
    assert!(output.status.success(), "{output:?}");
    let second = Successor::of(&sidecar.wait_for("has taken over"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains(&format!("process {} has taken over", second.0)), "{said}");
    installation.client();
    let output = ask(&installation, "stop");
    assert!(output.status.success(), "{output:?}");
    assert!(!is_alive(second.0) && !installation.socket().exists());
    // Ends with the last process that holds the log.
    sidecar.end();
}

#[test]
fn a_successor_that_does_not_start_changes_nothing() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let mut client = installation.client();
    fs::write(installation.path("classes/fails"), "").expect("written");
    let output = ask(&installation, "restart");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("a module does not import"), "{said}");
    sidecar.wait_for(&format!("cannot restart, and process {} goes on", sidecar.process()));
    assert_eq!(client.tell("print here").as_deref(), Some("done"));
    installation.client();
}

#[test]
fn the_successor_is_what_stands_at_the_same_path_now() {
    let installation = Installation::new("answering");
    let mut sidecar = installation.start();
    let program = installation.path("bin/tortoise");
    fs::remove_file(&program).expect("removed");
    let script =
        "#!/bin/sh\nwhile [ \"$1\" != --successor-fd ]; do shift; done\necho error: upgraded > /proc/self/fd/$2\n";
    fs::write(&program, script).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    sidecar.signal("USR2");
    let line = sidecar.wait_for("cannot restart");
    assert!(line.ends_with("goes on: upgraded"), "{line}");
    installation.client();
}

#[test]
fn a_private_sidecar_is_not_restarted() {
    let installation = Installation::new("answering");
    let output = installation.serve_privately().output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let output = ask(&installation, "restart");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("a private sidecar is not restarted"), "{said}");
    assert!(ask(&installation, "stop").status.success());
}

#[test]
fn the_end_of_stop_is_that_of_the_process() {
    let installation = Installation::new("answering");
    let sidecar = installation.start();
    let worker = sidecar.worker();
    let mut busy = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| ask(&installation, "stop"));
        // It waits for the request, and says so by removing the socket.
        while installation.socket().exists() {
            std::thread::yield_now();
        }
        assert!(!stop.is_finished());
        assert_eq!(busy.tell("end").as_deref(), Some("done"));
        let output = stop.join().expect("no panic");
        assert!(output.status.success(), "{output:?}");
        assert!(!is_alive(worker));
    });
    let (status, log) = sidecar.end();
    assert!(status.success(), "{log}");
}
