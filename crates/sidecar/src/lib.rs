//! The supervisor of Tortoise: listens, checks who comes, and hands each PHP process to a Python session.
//!
//! No Python runs in it, so no user code can hang or crash it. A client's way through it:
//!
//! `listener` → `connection` (`handshake`, `admission`) → `control` → the worker, which forks a session
//!
//! `supervisor` holds these together from the start to the end, `house` is what is open in between, `keeper` keeps a
//! `worker` alive and replaces it, and `sessions` counts, so that `idle` knows when nobody is left. An operator's
//! question goes from `connection` to `asks`.

pub mod address;
pub mod admission;
mod asks;
mod background;
pub mod cli;
mod client;
mod commands;
mod connection;
pub mod control;
pub mod daemon;
mod doctor;
pub mod environment;
mod followed;
mod handshake;
mod house;
mod idle;
pub mod interpreter;
mod keeper;
pub mod limits;
pub mod listener;
pub mod log;
pub mod notify;
mod orphans;
mod output;
mod pid_file;
mod places;
mod process;
mod recall;
mod reception;
mod refusals;
pub mod renewal;
pub mod requests;
mod retiring;
mod sessions;
pub mod settings;
mod signals;
pub mod states;
mod status;
mod stream;
pub mod successor;
pub mod supervisor;
mod target;
mod temporary;
pub mod token;
pub mod worker;
mod worker_settings;

use std::io::{self, Write};
use std::path::Path;

use admission::Admission;
use cli::{Cli, Command, Doctor, Serve};
use commands::{AdminError, CallError, CheckError, LaunchError};
use daemon::{Announcement, DaemonError};
use interpreter::InterpreterError;
use limits::Limits;
use listener::{Inherited, Owner};
use notify::Manager;
use pid_file::{NextPidFile, PidFile, PidFileError};
use settings::{Settings, SettingsError};
use signals::Signals;
use successor::CommandLine;
use supervisor::{Service, StartError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Our Python package cannot be found.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// The sidecar could not become a private one.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The sidecar did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It did not start in the background.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Another one runs.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// The sidecar that was asked does not answer, or says no.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// A call gave nothing.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Not all of the classes can be used.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The doctor has found what is wrong, and said it.
    #[error("{0} of the checks above failed")]
    Unsound(usize),
    /// Nobody reads what the command says.
    #[error("cannot write the report: {0}")]
    Report(io::Error),
    /// The system refused.
    #[error("cannot start: {0}")]
    Io(#[from] io::Error),
}

/// Runs a command to its end. The process must have one thread.
///
/// # Errors
/// [`CommandError`] is written for the person who reads it.
pub fn run(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        Command::Serve(flags) => serve(*flags),
        Command::Start(flags) => Ok(commands::start(&flags, std::env::args_os())?),
        Command::Stop(flags) => Ok(commands::stop(&flags)?),
        Command::Restart(flags) => Ok(commands::restart(&flags)?),
        Command::Reload(flags) => Ok(commands::reload(&flags)?),
        Command::Status(flags) => Ok(commands::status(&flags)?),
        Command::Call(flags) => Ok(commands::call(&flags)?),
        Command::Check(flags) => Ok(commands::check(&flags)?),
        Command::Doctor(flags) => diagnose(&flags),
        Command::Configuration => print(&settings::reference()),
    }
}

fn diagnose(flags: &Doctor) -> Result<(), CommandError> {
    process::ignore_file_size_signal()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checks = runtime.block_on(doctor::examine(&flags.flags, &flags.php));
    let report = if flags.json { doctor::as_json(&checks) } else { doctor::as_text(&checks) };
    print(&report)?;
    match checks.iter().filter(|check| check.is_failure()).count() {
        0 => Ok(()),
        failures => Err(CommandError::Unsound(failures)),
    }
}

fn print(text: &str) -> Result<(), CommandError> {
    io::stdout().write_all(text.as_bytes()).map_err(CommandError::Report)
}

fn serve(mut flags: Serve) -> Result<(), CommandError> {
    process::reset_signals()?;
    let (announcement, inherited) = match (flags.ready_fd, flags.successor_fd) {
        (Some(number), _) => {
            flags.make_paths_absolute()?;
            (Some(daemon::detach(Announcement::inherited(number)?)?), Vec::new())
        }
        (None, Some(number)) => {
            let announcement = Announcement::inherited(number)?;
            match left_to_us(&flags) {
                Ok(listeners) => (Some(announcement), listeners),
                Err(error) => {
                    announcement.fail(&error);
                    return Err(error.into());
                }
            }
        }
        (None, None) => {
            let passed = notify::passed().map_err(DaemonError::Activation)?;
            let of_manager = |descriptor| Inherited { descriptor, owner: Owner::Manager };
            (None, passed.into_iter().map(of_manager).collect())
        }
    };
    let mut announcement = announcement;
    let result = serve_here(flags, inherited, || {
        if let Some(announcement) = announcement.take() {
            announcement.ready();
        }
    });
    if let (Err(error), Some(announcement)) = (&result, announcement) {
        announcement.fail(error);
    }
    result
}

/// The listeners of the sidecar whose successor we are.
fn left_to_us(flags: &Serve) -> Result<Vec<Inherited>, DaemonError> {
    let inherited = |owner: Owner| {
        move |number: &i32| {
            let descriptor = process::inherited(*number).ok_or(DaemonError::NoListener(*number))?;
            Ok(Inherited { descriptor, owner })
        }
    };
    let ours = flags.listeners.iter().map(inherited(Owner::Predecessor));
    ours.chain(flags.managed.iter().map(inherited(Owner::Manager))).collect()
}

fn serve_here(flags: Serve, inherited: Vec<Inherited>, ready: impl FnOnce()) -> Result<(), CommandError> {
    // Without the log file of a daemon everything goes where the standard streams lead.
    let has_log = flags.ready_fd.is_some() || flags.successor_fd.is_some();
    let log_path = flags.log.filter(|_| has_log);
    let log = log_path.as_deref().map(daemon::log_to).transpose()?;
    let Serve { flags, auto, lock, successor_fd, .. } = flags;
    // The service manager's sockets are enough.
    let load = if notify::is_activated() && !auto { Settings::load_to_check } else { Settings::load };
    let settings = load(&flags, auto)?;
    let library = interpreter::library()?;
    // PHP's environment may name that of another sidecar.
    let pid_file = settings.pid_file.clone().filter(|_| !auto);
    let is_successor = successor_fd.is_some();
    let _pid_file = pid_file.as_deref().filter(|_| !is_successor).map(PidFile::take).transpose()?;
    let _next_pid_file = pid_file.filter(|_| is_successor).map(NextPidFile::wait_for);
    if auto {
        // The folder that PHP happened to stand in shall not be kept busy.
        std::env::set_current_dir(Path::new("/"))?;
    }
    log::start(settings.log_level, log);
    for name in environment::unknown() {
        tracing::warn!("the environment variable {name} is no setting of the sidecar, and means nothing to it");
    }
    // A private sidecar is not the service that its environment speaks of: that is PHP's.
    let manager = if auto { Manager::nobody() } else { Manager::of_environment() };
    let service = Service {
        admission: if auto { Admission::Believe } else { Admission::of(&settings) },
        settings,
        reread: Box::new(move || load(&flags, auto).map_err(|error| error.to_string())),
        library,
        lock,
        log: log_path,
        inherited,
        command_line: if auto { None } else { CommandLine::of(std::env::args_os()) },
        manager: manager.clone(),
        limits: Limits::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let requests = Signals::install()?.requests();
        orphans::bury()?;
        let ready = || {
            // Of a successor the service manager hears from its predecessor.
            if !is_successor {
                manager.ready("ready");
            }
            ready();
        };
        supervisor::supervise(service, requests, ready).await?;
        Ok(())
    })
}
