//! The supervisor as a library, with bounds that a test can wait for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::{Installation, PATIENCE, fixture, is_alive, python};
use tokio::sync::mpsc;
use tortoise_sidecar::address::Address;
use tortoise_sidecar::admission::Admission;
use tortoise_sidecar::cli::Flags;
use tortoise_sidecar::limits::Limits;
use tortoise_sidecar::notify::Manager;
use tortoise_sidecar::requests::Request;
use tortoise_sidecar::settings::{Listen, Settings, Values};
use tortoise_sidecar::supervisor::{Service, StartError, supervise};
use tortoise_testkit::client::{Answer, answer, connect};

/// A sidecar in a thread.
pub(crate) struct Hosted {
    stop: Option<mpsc::Sender<Request>>,
    thread: JoinHandle<Result<(), StartError>>,
}

impl Hosted {
    fn start(installation: &Installation, worker: &str, limits: Limits) -> Result<Self, StartError> {
        Self::start_with(installation, worker, limits, None)
    }

    /// With so many places.
    pub(crate) fn start_small(installation: &Installation, max_sessions: u32, limits: Limits) -> Self {
        let values = Values { max_sessions: Some(max_sessions), ..Values::default() };
        Self::start_set(installation, "answering", limits, None, values).expect("started")
    }

    /// With a port to listen on too, and the file with its token.
    pub(crate) fn start_with(
        installation: &Installation,
        worker: &str,
        limits: Limits,
        port: Option<(SocketAddr, PathBuf)>,
    ) -> Result<Self, StartError> {
        Self::start_set(installation, worker, limits, port, Values::default())
    }

    fn start_set(
        installation: &Installation,
        worker: &str,
        limits: Limits,
        port: Option<(SocketAddr, PathBuf)>,
        values: Values,
    ) -> Result<Self, StartError> {
        let mut listen = vec![Address::Unix(installation.socket())];
        listen.extend(port.iter().map(|(port, _)| Address::Tcp(*port)));
        let values = Values {
            listen: Some(listen.into_iter().map(|address| Listen { address }).collect()),
            token_file: port.map(|(_, file)| file),
            path: Some(vec![installation.path("classes")]),
            python: Some(python()),
            ..values
        };
        let flags = Flags { config: None, values };
        let service = Service {
            settings: Settings::load(&flags, false).expect("settings"),
            reread: Box::new(move || Settings::load(&flags, false).map_err(|error| error.to_string())),
            log: None,
            library: fixture(worker),
            admission: Admission::Believe,
            lock: None,
            inherited: Vec::new(),
            command_line: None,
            manager: Manager::nobody(),
            limits,
        };
        let (stop, requests) = mpsc::channel(1);
        let (ready, is_ready) = channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(supervise(service, requests, move || {
                ready.send(()).expect("somebody waits");
            }))
        });
        match is_ready.recv_timeout(PATIENCE) {
            Ok(()) => Ok(Self { stop: Some(stop), thread }),
            Err(_) => Err(thread.join().expect("no panic").expect_err("it was never ready")),
        }
    }

    /// Asks something of it.
    pub(crate) fn request(&self, request: Request) {
        self.stop.as_ref().expect("it runs").blocking_send(request).expect("it listens");
    }

    pub(crate) fn stop(mut self) {
        drop(self.stop.take());
        self.thread.join().expect("no panic").expect("left in peace");
    }
}

#[test]
fn a_slow_hello_is_given_up_on() {
    let installation = Installation::new("answering");
    let limits = Limits { hello: Duration::from_millis(50), ..Limits::default() };
    let sidecar = Hosted::start(&installation, "answering", limits).expect("started");
    let mut stream = connect(&installation.socket()).expect("connected");
    let Answer::Refusal(refusal) = answer(&mut stream) else { panic!("no refusal") };
    assert!(refusal.message.contains("no hello within 0.05 s") && refusal.retry, "{}", refusal.message);
    sidecar.stop();
    assert!(!installation.socket().exists());
}

#[test]
fn handshakes_beyond_the_limit_wait_for_their_turn() {
    let installation = Installation::new("answering");
    let limits = Limits { handshakes: 2, ..Limits::default() };
    let sidecar = Hosted::start(&installation, "answering", limits).expect("started");
    let silent = [(); 2].map(|()| connect(&installation.socket()).expect("connected"));
    let client = thread::scope(|scope| {
        let waiting = scope.spawn(|| installation.client());
        drop(silent);
        waiting.join().expect("served")
    });
    drop(client);
    sidecar.stop();
}

#[test]
fn while_no_worker_is_ready_clients_are_told_to_try_again() {
    let installation = Installation::new("answering");
    let limits = Limits {
        worker: Duration::from_millis(50),
        least_backoff: Duration::from_secs(3600),
        most_backoff: Duration::from_secs(3600),
        ..Limits::default()
    };
    let sidecar = Hosted::start(&installation, "answering", limits).expect("started");
    let mut client = installation.client();
    assert_eq!(client.tell("kill-worker").as_deref(), Some("done"));
    // Until the supervisor has noticed, a client is given to the dead worker: closed without a word.
    let refusal = std::iter::repeat_with(|| installation.ask().1).find_map(|answer| match answer {
        Answer::Refusal(refusal) => Some(refusal),
        Answer::Closed => None,
        other => panic!("{other:?}"),
    });
    let refusal = refusal.expect("a refusal");
    assert!(refusal.message.contains("no Python worker is ready") && refusal.retry, "{}", refusal.message);
    sidecar.stop();
}

#[test]
fn a_worker_that_is_never_ready_is_given_up_on_and_quoted() {
    let installation = Installation::new("silent");
    let limits = Limits { ready: Duration::from_secs(2), ..Limits::default() };
    let Err(error) = Hosted::start(&installation, "silent", limits) else { panic!("it started") };
    let error = error.to_string();
    assert!(error.contains("did not start a worker within 2 s") && error.contains("importing for ever"), "{error}");
    assert!(!installation.socket().exists());
}

#[test]
fn a_worker_that_does_not_leave_is_killed() {
    let installation = Installation::new("stubborn");
    let limits = Limits { leave: Duration::from_millis(100), ..Limits::default() };
    let sidecar = Hosted::start(&installation, "stubborn", limits).expect("started");
    let worker = worker_in(&fixture("stubborn"));
    sidecar.stop();
    assert!(!is_alive(worker));
}

/// The process that runs in this library folder.
fn worker_in(library: &std::path::Path) -> u32 {
    let processes = std::fs::read_dir("/proc").expect("processes");
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let stands_there =
        |number: &u32| std::fs::read_link(format!("/proc/{number}/cwd")).is_ok_and(|folder| folder == library);
    numbers.filter(stands_there).find(|number| is_alive(*number)).expect("a worker")
}
