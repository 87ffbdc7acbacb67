//! The supervisor of Tortoise: listens, checks who comes, and hands each PHP process to a Python session.
//!
//! No Python runs in it, so no user code can hang or crash it. A client's way through it:
//!
//! `listener` → `connection` (`handshake`, `admission`) → `control` → the worker, which forks a session
//!
//! `supervisor` holds these together from the start to the end, `keeper` keeps a `worker` alive and replaces it, and
//! `sessions` counts, so that `idle` knows when nobody is left. An operator's question goes from `connection` to `asks`.

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
mod idle;
pub mod interpreter;
mod keeper;
pub mod limits;
pub mod listener;
pub mod log;
mod notify;
mod output;
mod pid_file;
mod places;
mod process;
mod recall;
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
use log::LogFile;
use pid_file::{PidFile, PidFileError};
use settings::{Settings, SettingsError};
use signals::Signals;
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
    let Some(number) = flags.ready_fd else {
        return serve_here(flags, None, || {});
    };
    flags.make_paths_absolute()?;
    let mut announcement = Some(daemon::detach(Announcement::inherited(number)?)?);
    let result = serve_privately(flags, || {
        if let Some(announcement) = announcement.take() {
            announcement.ready();
        }
    });
    if let (Err(error), Some(announcement)) = (&result, announcement) {
        announcement.fail(error);
    }
    result
}

fn serve_privately(flags: Serve, ready: impl FnOnce()) -> Result<(), CommandError> {
    let log = flags.log.as_deref().map(daemon::log_to).transpose()?;
    serve_here(flags, log, ready)
}

fn serve_here(flags: Serve, log: Option<LogFile>, ready: impl FnOnce()) -> Result<(), CommandError> {
    let Serve { flags, auto, lock, log: log_path, .. } = flags;
    let settings = Settings::load(&flags, auto)?;
    let library = interpreter::library()?;
    // PHP's environment may name that of another sidecar.
    let pid_file = settings.pid_file.as_deref().filter(|_| !auto);
    let _pid_file = pid_file.map(PidFile::take).transpose()?;
    if auto {
        // The folder that PHP happened to stand in shall not be kept busy.
        std::env::set_current_dir(Path::new("/"))?;
    }
    log::start(settings.log_level, log);
    for name in environment::unknown() {
        tracing::warn!("the environment variable {name} is no setting of the sidecar, and means nothing to it");
    }
    let service = Service {
        admission: if auto { Admission::Believe } else { Admission::of(&settings) },
        settings,
        reread: Box::new(move || Settings::load(&flags, auto).map_err(|error| error.to_string())),
        library,
        lock,
        log: log_path,
        limits: Limits::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let requests = Signals::install()?.requests();
        supervisor::supervise(service, requests, ready).await?;
        Ok(())
    })
}
