//! Under a service manager: what it is told, its sockets, its units.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::support::{Installation, PATIENCE, Running, signal};

/// A service manager that listens.
struct Manager(UnixDatagram);

impl Manager {
    fn new(installation: &Installation, command: &mut Command) -> Self {
        let path = installation.path("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(PATIENCE)).expect("set");
        command.env("NOTIFY_SOCKET", &path);
        Self(socket)
    }

    /// Waits for a message with this line; gives the whole.
    fn wait_for(&self, line: &str) -> String {
        loop {
            let mut buffer = [0; 4096];
            let length = self.0.recv(&mut buffer).expect("a message");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.lines().any(|found| found == line) {
                return text;
            }
        }
    }
}

#[test]
fn the_service_manager_hears_of_start_reload_life_and_end() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    let manager = Manager::new(&installation, &mut command);
    command.env("WATCHDOG_USEC", "20000");
    let sidecar = Running::until_ready(command);
    manager.wait_for("READY=1");
    manager.wait_for("WATCHDOG=1");
    manager.wait_for("WATCHDOG=1");
    sidecar.signal("HUP");
    let reloading = manager.wait_for("RELOADING=1");
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    manager.wait_for("READY=1");
    // User code cannot speak in our name.
    let facts = installation.client().tell("limits").expect("facts");
    assert!(facts.contains("\"service manager\": null"), "{facts}");
    fs::write(installation.path("classes/fails"), "").expect("written");
    sidecar.signal("HUP");
    manager.wait_for("RELOADING=1");
    assert!(manager.wait_for("READY=1").contains("the last reload failed"));
    sidecar.signal("TERM");
    manager.wait_for("STOPPING=1");
    let (status, log) = sidecar.end();
    assert!(status.success(), "{log}");
}

#[test]
fn after_a_restart_the_service_manager_knows_the_successor() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    let manager = Manager::new(&installation, &mut command);
    let mut sidecar = Running::until_ready(command);
    manager.wait_for("READY=1");
    sidecar.signal("USR2");
    let line = sidecar.wait_for("has taken over");
    let pid = line.split("process ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a process");
    manager.wait_for(&format!("MAINPID={pid}"));
    signal(pid.parse().expect("a number"), "TERM");
    // And it is the successor that speaks from now on.
    manager.wait_for("STOPPING=1");
    sidecar.end();
}

/// Runs a command with this listener as the one that the service manager passes.
fn activated(command: &Command, listener: &UnixListener) -> Command {
    fcntl(listener, FcntlArg::F_SETFD(FdFlag::empty())).expect("set");
    let script = format!(
        "LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec \"$0\" \"$@\" 3<&{}",
        listener.as_raw_fd()
    );
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(script).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[test]
fn a_socket_of_the_service_manager_is_enough_and_stays() {
    let installation = Installation::new("answering");
    let listener = UnixListener::bind(installation.socket()).expect("bound");
    // Before there is anybody to accept.
    let early = installation.socket();
    let early = std::thread::spawn(move || {
        use std::io::Write;
        let mut stream = tortoise_testkit::client::connect(&early).expect("connected");
        let hello = tortoise_testkit::client::hello_frame(&tortoise_testkit::client::hello(&[]));
        stream.write_all(&hello).expect("written");
        tortoise_testkit::client::answer(&mut stream)
    });
    let mut command = installation.tortoise();
    command.arg("serve").arg("--path").arg(installation.path("classes")).arg("--python").arg(crate::support::python());
    let mut sidecar = Running::until_ready(activated(&command, &listener));
    let answer = early.join().expect("no panic");
    assert!(matches!(answer, tortoise_testkit::client::Answer::Welcome(_)), "{answer:?}");
    installation.client();
    // A successor goes on with it.
    sidecar.signal("USR2");
    let line = sidecar.wait_for("has taken over");
    let pid = line.split("process ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("a process");
    installation.client();
    signal(pid, "TERM");
    sidecar.end();
    assert!(installation.socket().exists(), "it is not ours to remove");
}

#[test]
fn the_units_are_what_systemd_takes() {
    let verify = Command::new("systemd-analyze").arg("--version").output();
    if !verify.is_ok_and(|output| output.status.success()) {
        eprintln!("not checked: systemd-analyze is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd");
    for name in ["tortoise.service", "tortoise.socket"] {
        // The program must exist for the check, and need not be installed.
        let text = fs::read_to_string(units.join(name)).expect("a unit");
        let text = text.replace("/usr/local/bin/tortoise", env!("CARGO_BIN_EXE_tortoise"));
        fs::write(folder.path().join(name), text).expect("written");
    }
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "--recursive-errors=no"]).env("SYSTEMD_UNIT_PATH", folder.path().join(":"));
    let output = command.arg("tortoise.service").arg("tortoise.socket").current_dir(&folder).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
