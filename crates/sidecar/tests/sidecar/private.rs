//! `tortoise serve --auto`, as PHP starts it.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Installation, is_alive, signal};
use nix::fcntl::{Flock, FlockArg};
use tortoise_testkit::client::{Answer, hello, hello_frame};

/// A private sidecar, ended when the test is.
struct Private(u32);

impl Drop for Private {
    fn drop(&mut self) {
        if is_alive(self.0) {
            signal(self.0, "KILL");
        }
    }
}

/// Runs it as PHP does; gives what it said on the readiness pipe.
fn start(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The process that listens, from the credentials of its socket.
fn process(installation: &Installation) -> Private {
    let stream = std::os::unix::net::UnixStream::connect(installation.socket()).expect("connected");
    let peer = nix::sys::socket::getsockopt(&stream, nix::sys::socket::sockopt::PeerCredentials).expect("credentials");
    Private(peer.pid().unsigned_abs())
}

fn log(installation: &Installation) -> String {
    std::fs::read_to_string(installation.path("log")).expect("a log")
}

/// Waits until a process that is not our child has left: a descriptor of it becomes readable then.
fn wait_for_end(process: u32) {
    let status = Command::new("tail").arg(format!("--pid={process}")).args(["-f", "/dev/null"]).status();
    assert!(status.expect("tail runs").success());
}

#[test]
fn it_says_ready_and_stands_alone() {
    let installation = Installation::new("answering");
    assert_eq!(start(&mut installation.serve_privately()), "ready\n");
    let sidecar = process(&installation);
    let place = |name: &str| std::fs::read_link(format!("/proc/{}/{name}", sidecar.0)).expect("a link");
    assert_eq!(place("cwd").to_str(), Some("/"));
    assert_eq!(place("fd/0").to_str(), Some("/dev/null"));
    assert_eq!((place("fd/1"), place("fd/2")), (installation.path("log"), installation.path("log")));
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", sidecar.0)).expect("readable");
    let session = stat.rsplit(')').next().and_then(|rest| rest.split(' ').nth(4)?.parse().ok());
    assert_eq!(session, Some(sidecar.0), "it leads a session of its own");
    for name in ["log", "t.sock"] {
        let mode = std::fs::metadata(installation.path(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn it_believes_its_client_and_keeps_no_descriptor_of_php() {
    let installation = Installation::new("answering");
    let serve = installation.serve_privately();
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec 7</etc/passwd 8>>"$0"; exec "$@""#]).arg(installation.path("kept"));
    command.arg(serve.get_program()).args(serve.get_args());
    command.env("TORTOISE_IDLE_EXIT", "300");
    assert_eq!(start(&mut command), "ready\n");
    let sidecar = process(&installation);
    let (_stream, Answer::Welcome(welcome)) = installation.say(&hello_frame(&hello(&["/some/root"]))) else {
        panic!("not welcome");
    };
    assert!(welcome.python.contains(r#""roots": ["/some/root"]"#), "{}", welcome.python);
    for process in [u64::from(sidecar.0), welcome.process] {
        for entry in std::fs::read_dir(format!("/proc/{process}/fd")).expect("descriptors") {
            let target = std::fs::read_link(entry.expect("an entry").path()).unwrap_or_default();
            assert!(!target.ends_with("passwd") && !target.ends_with("kept"), "{process} holds {}", target.display());
        }
    }
}

#[test]
fn what_goes_wrong_is_one_line_on_the_pipe() {
    let installation = Installation::new("leaves");
    let said = start(&mut installation.serve_privately());
    assert!(said.starts_with("error: the Python interpreter /") && said.ends_with('\n'), "{said}");
    assert!(said.contains("tortoise needs CPython 3.11 or newer") && said.lines().count() == 1, "{said}");
    assert!(!installation.socket().exists());
    assert!(log(&installation).contains("tortoise needs CPython 3.11 or newer"));

    let said = start(installation.serve_privately().env("TORTOISE_CONFIG", "/nowhere/tortoise.toml"));
    assert_eq!(
        said.trim_end(),
        "error: cannot read the settings file /nowhere/tortoise.toml: No such file or directory (os error 2)"
    );

    std::fs::create_dir(installation.path("elsewhere")).expect("a folder");
    std::fs::remove_file(installation.path("log")).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", installation.path("log")).expect("linked");
    let said = start(&mut installation.serve_privately());
    assert!(said.starts_with("error: cannot open the log file /"), "{said}");
}

#[test]
fn a_command_line_that_is_wrong_is_told_on_the_pipe_too() {
    let installation = Installation::new("answering");
    let mut command = installation.serve_privately();
    let output = command.env("TORTOISE_IDLE_EXIT", "").output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(said.starts_with("error: invalid value '' for '--idle-exit <SECONDS>'"), "{said}");
    assert!(said.contains("Set but empty: TORTOISE_IDLE_EXIT; unset it.") && said.lines().count() == 1, "{said}");
}

#[test]
fn a_descriptor_that_is_not_open_fails_at_once() {
    let installation = Installation::new("answering");
    for number in ["1", "-1", "999", "1000000000"] {
        let mut command = installation.serve();
        command.args(["--auto", "--lock", "lock", "--log", "log"]).arg(format!("--ready-fd={number}"));
        let error = crate::support::fails(command);
        assert!(error.contains(&format!("--ready-fd {number} is not an inherited file descriptor")), "{error}");
    }
    let mut command = installation.serve();
    command.arg("--auto");
    assert!(crate::support::fails(command).contains("--ready-fd"));
}

#[test]
fn it_leaves_when_idle_but_not_while_php_starts_one() {
    let installation = Installation::new("answering");
    let file = File::create(installation.path("lock")).expect("a file");
    let lock = Flock::lock(file, FlockArg::LockExclusive).expect("locked");
    let mut command = installation.serve_privately();
    command.env("TORTOISE_IDLE_EXIT", "1").env("TORTOISE_LOG_LEVEL", "debug");
    assert_eq!(start(&mut command), "ready\n");
    let sidecar = process(&installation);
    let mut follow = Command::new("tail");
    follow
        .args(["-n", "+1", "-f", &format!("--pid={}", sidecar.0)])
        .arg(installation.path("log"))
        .stdout(std::process::Stdio::piped());
    let mut follow = follow.spawn().expect("tail runs");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(follow.stdout.take().expect("a pipe")));
    let denied = lines.map_while(Result::ok).find(|line| line.contains("staying: somebody is about to start"));
    assert!(denied.is_some());
    follow.kill().and_then(|()| follow.wait()).expect("ended");
    installation.client();
    drop(lock);
    wait_for_end(sidecar.0);
    assert!(!installation.socket().exists());
    assert!(log(&installation).contains("no session for the time of idle_exit"));
    assert_eq!(start(&mut installation.serve_privately()), "ready\n");
    drop(process(&installation));
}

#[test]
fn a_large_log_is_put_aside() {
    let installation = Installation::new("answering");
    std::fs::write(installation.path("log"), vec![b'\n'; 10 << 20]).expect("written");
    assert_eq!(start(&mut installation.serve_privately()), "ready\n");
    let _sidecar = process(&installation);
    assert_eq!(std::fs::metadata(installation.path("log.1")).expect("put aside").len(), 10 << 20);
    assert!(log(&installation).contains("ready: listening on"));
}
