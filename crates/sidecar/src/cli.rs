//! The command line of `tortoise`.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use serde_json::{Map, Value};

use crate::address::Address;
use crate::daemon::Announcement;
use crate::environment;
use crate::settings::{Values, with_defaults};

/// Runs Python classes for PHP.
#[derive(Debug, Parser)]
#[command(name = "tortoise", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `tortoise` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve PHP processes, in the foreground, logging to standard error
    ///
    /// Each setting may stand in the settings file (tortoise.toml, see --config), in the environment, or here. A flag
    /// wins over the environment, the environment over the file.
    Serve(Box<Serve>),
    /// Start a sidecar in the background, and return when it is ready
    ///
    /// Takes the settings of serve, from the same places. It logs to log_file, and holds pid_file. It stays in the
    /// current folder, from which relative paths count.
    Start(Box<Start>),
    /// End a sidecar, and return when it has left
    ///
    /// Requests that run have the time of drain to end. Finds the sidecar by the settings that it was started with.
    Stop(Box<Asking>),
    /// Replace a sidecar by a new one that reads settings and program anew, and lose no request
    ///
    /// Returns when the new one has taken over. If it does not start, the old one goes on.
    Restart(Box<Asking>),
    /// Load changed Python code and settings, and lose no request
    ///
    /// Returns when new sessions get the new code; requests that run end on the old one. If the new code cannot be
    /// loaded, the old one goes on.
    Reload(Box<Asking>),
    /// Show what a sidecar does
    Status(Box<Status>),
    /// Call a method of a Python class and print what it returns, as JSON
    ///
    /// Uses the sidecar that the settings name; where they name no address, one of its own for this call.
    Call(Box<Call>),
    /// Check the settings, and import every class as a session would
    ///
    /// Names the file and the line of what is broken, and exits with 1 if something is. Takes the settings of serve, from
    /// the same places, and needs no address. No sidecar need run.
    Check(Box<Check>),
    /// Check what the settings name and what the system gives, and say what to do
    ///
    /// Takes the settings of serve, from the same places. Exits with 1 if a check fails.
    Doctor(Box<Doctor>),
    /// Print the reference of the settings, as Markdown
    #[command(hide = true)]
    Configuration,
}

/// The settings, as flags and from the environment.
#[derive(Debug, Default, Args)]
pub struct Flags {
    /// Settings file, in TOML
    #[arg(long, value_name = "FILE", env = environment::CONFIG)]
    pub config: Option<PathBuf>,

    /// The settings.
    #[command(flatten)]
    pub values: Values,
}

/// A command line of settings alone, which is where their help and documentation are made from.
#[derive(Debug, Default, Parser)]
#[command(no_binary_name = true)]
pub struct FlagsOnly {
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,
}

/// The flags of `tortoise start`.
#[derive(Debug, Args)]
pub struct Start {
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,
}

/// The flags of commands for a sidecar that runs.
#[derive(Debug, Args)]
pub struct Asking {
    /// The settings that it was started with.
    #[command(flatten)]
    pub flags: Flags,

    /// Where it listens [default: the first Unix socket of the settings, or else their first address]
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<Address>,
}

/// The flags of `tortoise status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Which sidecar.
    #[command(flatten)]
    pub asking: Asking,

    /// Print all that it says of itself, as JSON
    #[arg(long)]
    pub json: bool,
}

/// The flags of `tortoise call`.
#[derive(Debug, Args)]
pub struct Call {
    /// Which sidecar.
    #[command(flatten)]
    pub asking: Asking,

    /// What the constructor gets, as a JSON list
    #[arg(long = "new", value_name = "JSON", default_value = "[]", value_parser = parse_list)]
    pub constructor: Arguments,

    /// What the method gets by name, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = parse_map)]
    pub named: Map<String, Value>,

    /// The class as PHP names it, a dot, and the method: Foo_Bar.method
    #[arg(value_name = "CLASS.METHOD", value_parser = parse_method)]
    pub method: Method,

    /// What the method gets: JSON where it is JSON, or else text
    #[arg(value_name = "ARGUMENT", allow_negative_numbers = true, value_parser = parse_argument)]
    pub arguments: Vec<Value>,
}

/// What the constructor gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Arguments(pub Vec<Value>);

/// A method of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// The PHP name of the class.
    pub class: String,
    /// The method's.
    pub name: String,
}

fn parse_list(text: &str) -> Result<Arguments, serde_json::Error> {
    serde_json::from_str(text).map(Arguments)
}

fn parse_map(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(text)
}

fn parse_method(text: &str) -> Result<Method, &'static str> {
    match text.rsplit_once('.') {
        Some((class, name)) if !class.is_empty() && !name.is_empty() => {
            Ok(Method { class: class.trim_start_matches('\\').to_owned(), name: name.to_owned() })
        }
        _ => Err("write a class, a dot and a method, such as Foo_Bar.method"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a Result")]
fn parse_argument(text: &str) -> Result<Value, Infallible> {
    Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
}

/// The flags of `tortoise check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The settings to check.
    #[command(flatten)]
    pub flags: Flags,

    /// Print what was found as JSON: an object with files, classes, and the lists broken and notes
    #[arg(long)]
    pub json: bool,
}

/// The flags of `tortoise doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The settings to check.
    #[command(flatten)]
    pub flags: Flags,

    /// PHP to look at, with the configuration that it has of its own
    #[arg(long, value_name = "FILE", default_value = "php")]
    pub php: PathBuf,

    /// Print the checks as JSON: a list of objects with name, verdict (ok, warning, failure), finding and advice
    #[arg(long)]
    pub json: bool,
}

/// The flags of `tortoise serve`.
#[derive(Debug, Default, Args)]
pub struct Serve {
    /// The settings.
    #[command(flatten)]
    pub flags: Flags,

    /// Become the private sidecar of the PHP process that starts us.
    #[arg(long, hide = true, requires_all = ["lock", "log", "ready_fd", "listen"])]
    pub auto: bool,

    /// With --auto: the file that PHP locks while it starts us, and we while we leave.
    #[arg(long, hide = true, value_name = "FILE", requires = "auto")]
    pub lock: Option<PathBuf>,

    /// Where standard output, standard error and the log go.
    #[arg(long, hide = true, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// The inherited file descriptor that receives `ready` or `error: …`; with it, we go into the background.
    #[arg(long, hide = true, value_name = "N")]
    pub ready_fd: Option<i32>,

    /// The same, of the sidecar whose successor we are.
    #[arg(long, hide = true, value_name = "N", conflicts_with_all = ["auto", "ready_fd"])]
    pub successor_fd: Option<i32>,

    /// With --successor-fd: that sidecar's listeners.
    #[arg(long, hide = true, value_name = "N,N", value_delimiter = ',', requires = "successor_fd")]
    pub listeners: Vec<i32>,

    /// With --successor-fd: its listeners that are the service manager's.
    #[arg(long, hide = true, value_name = "N,N", value_delimiter = ',', requires = "successor_fd")]
    pub managed: Vec<i32>,
}

impl Serve {
    /// Makes the paths that the flags name independent of the current folder.
    ///
    /// # Errors
    /// If there is no current folder.
    pub(crate) fn make_paths_absolute(&mut self) -> io::Result<()> {
        for path in [&mut self.flags.config, &mut self.lock, &mut self.log].into_iter().flatten() {
            *path = std::path::absolute(&*path)?;
        }
        self.flags.values = std::mem::take(&mut self.flags.values).in_folder(&std::env::current_dir()?);
        Ok(())
    }
}

/// Reads a command line.
///
/// # Errors
/// What to print, with the exit status: help, the version, or what is wrong. PHP is told what is wrong too, if it
/// waits for a private sidecar.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let command = Cli::command().mut_subcommands(with_defaults);
    command.try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        if !error.use_stderr() {
            return error;
        }
        let error = with_empty_variables(error);
        if let Some(announcement) = ready_fd(&arguments).and_then(|number| Announcement::inherited(number).ok()) {
            announcement.fail(&error.to_string().trim_start_matches("error: ").trim_end());
        }
        error
    })
}

/// An error about a flag that nobody gave is a riddle, unless the empty variable behind it is named.
fn with_empty_variables(error: clap::Error) -> clap::Error {
    let empty = environment::empty();
    if empty.is_empty() {
        return error;
    }
    let text = format!("{}\n\nSet but empty: {}; unset it.", error.to_string().trim_end(), empty.join(", "));
    clap::Error::raw(error.kind(), text.trim_start_matches("error: "))
}

/// The value of `--ready-fd` or `--successor-fd` on a command line that is wrong elsewhere.
fn ready_fd(arguments: &[OsString]) -> Option<i32> {
    let place = arguments.iter().position(|argument| argument == "--ready-fd" || argument == "--successor-fd")?;
    arguments.get(place + 1)?.to_str()?.parse().ok()
}
