//! Process 1, and processes whose parents have gone.

use std::path::Path;
use std::process::Command;

use crate::support::{Installation, Running, python};
use tortoise_testkit::client::{Answer, ask_frame};

/// Runs a command as the parent of all orphans below it, as process 1 of a container is.
fn as_reaper(command: &Command) -> Command {
    // PR_SET_CHILD_SUBREAPER, which stays over an exec.
    let script = "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])";
    let mut reaper = Command::new(python());
    reaper.args(["-c", script]).arg(command.get_program()).args(command.get_args());
    for (name, _) in command.get_envs() {
        reaper.env_remove(name);
    }
    reaper
}

#[test]
fn orphans_are_buried_and_workers_are_not_taken_for_them() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.args(["--log-level", "debug"]);
    let mut sidecar = Running::until_ready(as_reaper(&command));
    let mut client = installation.client();
    let orphan = client.tell("orphan").expect("its number");
    // The session has ended, and its child is the sidecar's now.
    sidecar.wait_for("has ended");
    client.send("x");
    sidecar.wait_for(&format!("an orphan has ended: Exited(Pid({orphan}), 7)"));
    assert!(!Path::new("/proc").join(&orphan).exists());
    // Its own child it knows by its status.
    assert_eq!(installation.client().tell("kill-worker").as_deref(), Some("done"));
    sidecar.wait_for("died (killed by SIGKILL)");
    installation.client();
}

#[test]
fn as_process_1_it_is_not_restarted_and_ends_on_sigterm() {
    // A container's process 1, without a container.
    let unshare = ["--map-current-user", "--pid", "--fork", "--kill-child=TERM"];
    if !Command::new("unshare").args(unshare).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("not checked: unshare may not make a namespace here");
        return;
    }
    let installation = Installation::new("answering");
    let serve = installation.serve();
    let mut command = Command::new("unshare");
    command.args(unshare).arg(serve.get_program()).args(serve.get_args());
    for (name, _) in serve.get_envs() {
        command.env_remove(name);
    }
    let sidecar = Running::until_ready(command);
    assert_eq!(installation.status()["pid"], 1);
    let (_, Answer::Told(told)) = installation.say(&ask_frame("restart", None)) else { panic!("no answer") };
    assert!(told.json.contains("process 1 cannot be replaced"), "{}", told.json);
    installation.client();
    // Our child is unshare; when it is gone the sidecar gets SIGTERM.
    sidecar.signal("KILL");
    let (_, log) = sidecar.end();
    assert!(log.contains("leaving: SIGTERM") && log.ends_with("left"), "{log}");
    assert!(!installation.socket().exists());
}
