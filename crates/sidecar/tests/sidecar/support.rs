//! A sidecar installed in a folder of its own, with a fixture in the place of the worker.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tortoise_testkit::client::{self, Answer, answer, hello, hello_frame};

/// Nothing that is waited for takes this long, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The fixture of this name, as a library folder.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The Python for the fixtures.
pub(crate) fn python() -> PathBuf {
    std::env::var_os("TORTOISE_PYTHON").map_or_else(|| "python3".into(), PathBuf::from)
}

/// An installed sidecar.
pub(crate) struct Installation {
    folder: TempDir,
}

impl Installation {
    /// Installs the sidecar with the fixture `worker`.
    pub(crate) fn new(worker: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["bin", "lib", "classes"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let binary = env!("CARGO_BIN_EXE_tortoise");
        let here = folder.path().join("bin/tortoise");
        // A link to the file itself: the sidecar resolves symbolic ones.
        if std::fs::hard_link(binary, &here).is_err() {
            std::fs::copy(binary, &here).expect("copied");
        }
        std::os::unix::fs::symlink(fixture(worker), folder.path().join("lib/tortoise")).expect("linked");
        Self { folder }
    }

    /// A path in the installation's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("a path").join(name)
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("t.sock")
    }

    /// `tortoise`, with none of the settings of whoever runs the tests.
    pub(crate) fn tortoise(&self) -> Command {
        self.without_settings(Command::new(self.path("bin/tortoise")))
    }

    /// `tortoise serve` with usual settings.
    pub(crate) fn serve(&self) -> Command {
        let mut command = self.tortoise();
        command.arg("serve").arg("--path").arg(self.path("classes")).arg("--python").arg(python());
        command.arg("--listen").arg(format!("unix://{}", self.socket().display()));
        command
    }

    /// `tortoise serve --auto` as PHP runs it; standard output is the pipe that hears of readiness.
    pub(crate) fn serve_privately(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 3>&1 >/dev/null"#]).arg(self.path("bin/tortoise"));
        command.args(["serve", "--auto", "--python"]).arg(python());
        command.arg("--listen").arg(format!("unix://{}", self.socket().display()));
        command.arg("--lock").arg(self.path("lock")).arg("--log").arg(self.path("log")).args(["--ready-fd", "3"]);
        self.without_settings(command)
    }

    /// Runs `tortoise serve` with usual settings until it is ready.
    pub(crate) fn start(&self) -> Running {
        Running::until_ready(self.serve())
    }

    /// A client that has got its welcome.
    pub(crate) fn client(&self) -> Client {
        match self.ask() {
            (stream, Answer::Welcome(welcome)) => Client { stream: BufReader::new(stream), order: welcome.python },
            (_, other) => panic!("not welcome: {other:?}"),
        }
    }

    /// A client that has said hello, and what it heard.
    pub(crate) fn ask(&self) -> (UnixStream, Answer) {
        self.say(&hello_frame(&hello(&[])))
    }

    /// What the sidecar says of itself.
    pub(crate) fn status(&self) -> serde_json::Value {
        let (_, Answer::Told(told)) = self.say(&client::ask_frame("status", None)) else { panic!("no answer") };
        serde_json::from_str(&told.json).expect("JSON")
    }

    /// A client that has sent these bytes, and what it heard.
    pub(crate) fn say(&self, bytes: &[u8]) -> (UnixStream, Answer) {
        let mut stream = client::connect(&self.socket()).expect("connected");
        stream.write_all(bytes).expect("written");
        let answer = answer(&mut stream);
        (stream, answer)
    }

    fn without_settings(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TORTOISE_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path());
        command
    }
}

/// A client with its session.
pub(crate) struct Client {
    stream: BufReader<UnixStream>,
    /// What the supervisor ordered for it, as JSON.
    pub(crate) order: String,
}

impl Client {
    /// Tells the session to do something and waits for its answer; None: it has ended.
    pub(crate) fn tell(&mut self, command: &str) -> Option<String> {
        self.stream.get_mut().write_all(format!("{command}\n").as_bytes()).expect("written");
        self.hear()
    }

    /// Sends bytes that nobody answers.
    pub(crate) fn send(&mut self, bytes: &str) {
        self.stream.get_mut().write_all(bytes.as_bytes()).expect("written");
    }

    /// Waits for the next line; None: the session has ended.
    pub(crate) fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).expect("a line or the end");
        (count > 0).then(|| line.trim_end().to_owned())
    }
}

/// A sidecar in the foreground.
pub(crate) struct Running {
    child: Child,
    log: Receiver<String>,
    heard: Vec<String>,
}

impl Running {
    /// Runs it.
    pub(crate) fn new(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("started");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let (sender, log) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, log, heard: Vec::new() }
    }

    /// Runs it and waits until it is ready.
    pub(crate) fn until_ready(command: Command) -> Self {
        let mut running = Self::new(command);
        running.wait_for("ready: listening on unix:///");
        running
    }

    /// Waits for a line of the log that holds `text`.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => panic!("no {text:?} in the log:\n{}", self.heard.join("\n")),
            }
        }
    }

    /// Waits until it has left; gives its status and all that it logged.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => self.heard.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.heard.join("\n")),
            }
        }
        (self.child.wait().expect("a status"), self.heard.join("\n"))
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its process alone: others may still write into its log.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("a status")
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// The process id of the worker, from a line `worker PID is ready`.
    pub(crate) fn worker(&self) -> u32 {
        let number = |line: &String| line.split("worker ").nth(1)?.split(' ').next()?.parse().ok();
        self.heard.iter().rev().find_map(number).expect("a worker in the log")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal, by its name without `SIG`.
pub(crate) fn signal(process: u32, name: &str) {
    let signal: Signal = format!("SIG{name}").parse().expect("the name of a signal");
    let process = Pid::from_raw(i32::try_from(process).expect("a process id"));
    kill(process, signal).unwrap_or_else(|error| panic!("no process {process}: {error}"));
}

/// Whether the process is there and not just waiting to be buried.
pub(crate) fn is_alive(process: u32) -> bool {
    let mut text = String::new();
    let read = std::fs::File::open(format!("/proc/{process}/stat")).and_then(|mut file| file.read_to_string(&mut text));
    read.is_ok() && !text.contains(") Z ")
}

/// Runs a command that must fail; gives what it said.
pub(crate) fn fails(command: Command) -> String {
    let (status, said) = Running::new(command).end();
    assert!(!status.success(), "it did not fail: {said}");
    said
}
