//! Processes whose parents have gone.

use std::path::Path;
use std::process::Command;

use crate::support::{Installation, Running, python};

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
