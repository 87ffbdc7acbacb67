//! `tortoise start`, and the commands for a sidecar that runs.

use std::process::{Command, Output};
use std::time::Instant;

use crate::support::{Installation, PATIENCE, is_alive, python, signal};

/// A sidecar in the background, ended when the test is.
struct Background<'a>(&'a Installation);

impl Background<'_> {
    fn pid(&self) -> u32 {
        self.read().expect("a pid file")
    }

    /// None: there is none, or it is just being written.
    fn read(&self) -> Option<u32> {
        std::fs::read_to_string(self.0.path("t.pid")).ok()?.trim_end().parse().ok()
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        if let Some(pid) = self.read()
            && is_alive(pid)
        {
            signal(pid, "KILL");
        }
    }
}

/// A command with usual settings.
fn command(installation: &Installation, name: &str) -> Command {
    let mut command = installation.tortoise();
    command.arg(name).arg("--path").arg("classes").arg("--python").arg(python());
    command.arg("--listen").arg(format!("unix://{}", installation.socket().display()));
    command
}

/// Its exit status, what it printed, and what it complained of.
fn run(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("run");
    (status.code(), String::from_utf8(stdout).expect("UTF-8"), String::from_utf8(stderr).expect("UTF-8"))
}

#[test]
fn it_starts_once_and_says_where_it_is() {
    let installation = Installation::new("answering");
    let background = Background(&installation);
    let (status, said, errors) = run(command(&installation, "start"));
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{said}");
    let pid = background.pid();
    assert_eq!(
        said,
        format!(
            "tortoise runs as process {pid} and listens on unix://{}; its log is {}\n",
            installation.socket().display(),
            installation.path("t.log").display()
        )
    );
    // It serves, with the folder that relative paths count from.
    assert!(installation.client().order.contains(&format!("{}", installation.path("classes").display())));
    let log = std::fs::read_to_string(installation.path("t.log")).expect("a log");
    assert!(log.contains("ready: listening on"), "{log}");

    let (status, said, errors) = run(command(&installation, "start"));
    assert_eq!((status, said.as_str()), (Some(1), ""), "{errors}");
    for part in [
        &format!("a sidecar runs already with the pid file {}: process {pid};", installation.path("t.pid").display()),
        &format!("its log is {}", installation.path("t.log").display()),
    ] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    assert_eq!(background.pid(), pid);
}

#[test]
fn what_does_not_start_says_why_and_names_the_log() {
    let installation = Installation::new("leaves");
    let (status, said, errors) = run(command(&installation, "start"));
    assert_eq!((status, said.as_str()), (Some(1), ""), "{errors}");
    for part in ["error: the sidecar did not start: the Python interpreter /", "exit status 1", "t.log"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    assert!(!installation.path("t.pid").exists() && !installation.socket().exists());
}

#[test]
fn files_that_cannot_be_made_are_named() {
    let installation = Installation::new("answering");
    for (flag, expected) in
        [("--log-file", "cannot open the log file /nowhere/t"), ("--pid-file", "the pid file /nowhere/t")]
    {
        let mut start = command(&installation, "start");
        start.args([flag, "/nowhere/t"]);
        let (status, said, errors) = run(start);
        assert_eq!((status, said.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains(expected) && errors.contains("No such file"), "{errors}");
    }
    let mut start = installation.tortoise();
    start.args(["start", "--path", "classes", "--listen", "tcp://127.0.0.1:0"]);
    let (status, _, errors) = run(start);
    assert_eq!(status, Some(1));
    assert!(errors.contains("there is no Unix socket to have the log_file beside; set log_file"), "{errors}");
}

#[test]
fn a_stale_pid_file_is_no_obstacle() {
    let installation = Installation::new("answering");
    // The process id of somebody else, who has nothing to do with it.
    std::fs::write(installation.path("t.pid"), format!("{}\n", std::process::id())).expect("written");
    let (status, said, errors) = run(command(&installation, "start"));
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{said}");
    assert_ne!(Background(&installation).pid(), std::process::id());
}

#[test]
fn where_nobody_listens_every_command_says_so_and_names_the_log() {
    let installation = Installation::new("answering");
    for name in ["status", "reload", "restart", "stop"] {
        let (status, said, errors) = run(command(&installation, name));
        assert_eq!((status, said.as_str()), (Some(1), ""), "{errors}");
        let address = format!("error: no sidecar answers at unix://{} (No such file", installation.socket().display());
        for part in [address.as_str(), "tortoise start", "journalctl -u tortoise"] {
            assert!(errors.contains(part), "{part}: {errors}");
        }
    }
    std::fs::write(installation.path("t.log"), "").expect("written");
    let (_, _, errors) = run(command(&installation, "status"));
    assert!(errors.contains(&format!("its log is {}", installation.path("t.log").display())), "{errors}");
    let mut nowhere = installation.tortoise();
    nowhere.arg("status");
    let (status, _, errors) = run(nowhere);
    assert_eq!(status, Some(1));
    assert!(errors.contains("--config FILE") && errors.contains("--address"), "{errors}");
}

/// What `tortoise status --json` says.
fn status(installation: &Installation) -> serde_json::Value {
    let mut command = command(installation, "status");
    command.arg("--json");
    let (status, said, errors) = run(command);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{said}");
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn it_is_asked_and_reloaded_and_stopped() {
    let installation = Installation::new("answering");
    let background = Background(&installation);
    assert_eq!(run(command(&installation, "start")).0, Some(0));
    let pid = background.pid();
    let first = status(&installation);
    assert_eq!((first["pid"].as_u64(), first["state"].as_str()), (Some(pid.into()), Some("ready")), "{first}");
    assert_eq!(first["log"].as_str(), installation.path("t.log").to_str());
    let (_, said, _) = run(command(&installation, "status"));
    assert!(said.starts_with(&format!("tortoise {}, process {pid}: ready, up ", env!("CARGO_PKG_VERSION"))), "{said}");

    let (code, said, errors) = run(command(&installation, "reload"));
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    let second = status(&installation);
    assert_eq!(said, format!("reloaded: worker {} takes new sessions\n", second["workers"][0]["pid"]));
    assert_ne!(first["workers"][0]["pid"], second["workers"][0]["pid"]);
    assert_eq!(second["reloads"], 1);

    let (code, said, errors) = run(command(&installation, "stop"));
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert_eq!(said, format!("stopped: process {pid} has left\n"));
    assert!(!is_alive(pid) && !installation.path("t.pid").exists() && !installation.socket().exists());
}

#[test]
fn a_reload_that_fails_says_why_and_names_the_log() {
    let installation = Installation::new("answering");
    let _background = Background(&installation);
    assert_eq!(run(command(&installation, "start")).0, Some(0));
    std::fs::write(installation.path("classes/fails"), "").expect("written");
    let (code, said, errors) = run(command(&installation, "reload"));
    assert_eq!((code, said.as_str()), (Some(1), ""), "{errors}");
    assert!(errors.contains("could not start a worker"), "{errors}");
    assert!(errors.contains(&format!("its log is {}", installation.path("t.log").display())), "{errors}");
    assert_eq!(status(&installation)["state"], "ready");
}

#[test]
fn a_restart_moves_the_pid_file_and_keeps_the_log() {
    let installation = Installation::new("answering");
    let background = Background(&installation);
    assert_eq!(run(command(&installation, "start")).0, Some(0));
    let first = background.pid();
    let mut busy = installation.client();
    assert_eq!(busy.tell("begin").as_deref(), Some("done"));
    let (code, said, errors) = run(command(&installation, "restart"));
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    let second = u32::try_from(status(&installation)["pid"].as_u64().expect("a process id")).expect("one");
    assert_eq!(said, format!("restarted: process {second} has taken over\n"));
    assert_ne!(first, second);
    // The first has a request to end, and its file; a third one is refused all the while.
    assert_eq!(background.pid(), first);
    assert_eq!(run(command(&installation, "start")).0, Some(1));
    assert_eq!(busy.tell("end").as_deref(), Some("done"));
    assert_eq!(busy.hear(), None);
    let begin = Instant::now();
    while background.read() != Some(second) || is_alive(first) {
        assert!(begin.elapsed() < PATIENCE, "the first does not leave its pid file to the successor");
        std::thread::yield_now();
    }
    assert_eq!(status(&installation)["log"].as_str(), installation.path("t.log").to_str());
    let (code, said, errors) = run(command(&installation, "stop"));
    assert_eq!((code, said), (Some(0), format!("stopped: process {second} has left\n")), "{errors}");
    assert!(!is_alive(second) && !installation.path("t.pid").exists());
    let log = std::fs::read_to_string(installation.path("t.log")).expect("a log");
    assert_eq!(log.matches("ready: listening on").count(), 2, "{log}");
}
