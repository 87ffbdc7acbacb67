//! `tortoise check`: has the user's Python import every class as a session would, and says what is broken.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Check;
use crate::environment;
use crate::interpreter::{self, InterpreterError};
use crate::settings::{Settings, SettingsError};
use crate::worker::describe_status;

/// How often the interpreter is run again behind a file that has killed it.
const MAX_CRASHES: usize = 16;

/// Why a check is not passed.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Our Python package cannot be found.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// Python itself did not get as far as the classes.
    #[error("the Python interpreter {python} could not check the classes ({reason})")]
    Python {
        /// The interpreter.
        python: String,
        /// How it ended.
        reason: String,
    },
    /// Something is broken, and was printed.
    #[error("{0} of the above cannot be used")]
    Broken(usize),
    /// The system refused.
    #[error("cannot check: {0}")]
    Io(#[from] io::Error),
}

/// A line of `tortoise_worker.check`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Total { total: usize },
    Begin { begin: String, place: usize },
    End(End),
}

/// What came of a file or a module.
#[derive(Debug, Deserialize)]
#[serde(tag = "end", rename_all = "lowercase")]
enum End {
    /// A class file is as it should be.
    Ok { classes: usize },
    /// A preloaded module is.
    Module,
    /// A file has no class for PHP.
    None,
    /// Something that is no failure.
    Note(Finding),
    /// It cannot be used.
    Broken(Finding),
}

/// Where something is, and what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
struct Finding {
    file: String,
    /// 0 where there is none.
    line: u64,
    error: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    traceback: String,
}

impl Finding {
    fn place(&self) -> String {
        if self.line == 0 { self.file.clone() } else { format!("{}:{}", self.file, self.line) }
    }
}

fn count(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// All that was found.
#[derive(Debug, Default)]
struct Report {
    files: usize,
    classes: usize,
    modules: usize,
    notes: Vec<Finding>,
    broken: Vec<Finding>,
}

/// Checks, and prints what it finds as it finds it.
///
/// # Errors
/// [`CheckError::Broken`], if something is.
pub(crate) fn check(flags: &Check) -> Result<(), CheckError> {
    let settings = Settings::load_to_check(&flags.flags, false)?;
    let library = interpreter::library()?;
    for name in environment::unknown() {
        eprintln!("warning: the environment variable {name} is no setting of the sidecar");
    }
    let mut run = Run {
        report: Report::default(),
        is_json: flags.json,
        shows_progress: !flags.json && io::stderr().is_terminal(),
    };
    let mut skip = Some(0);
    for _ in 0..=MAX_CRASHES {
        let Some(place) = skip else { break };
        skip = run.once(&settings, &library, place)?;
    }
    run.print_end(&settings)?;
    match run.report.broken.len() {
        0 => Ok(()),
        count => Err(CheckError::Broken(count)),
    }
}

/// What the interpreter said.
#[derive(Debug, Default)]
struct Heard {
    /// How much there is to check.
    total: Option<usize>,
    /// What it had not ended, and its place among all.
    open: Option<(String, usize)>,
    /// What it said of its crash.
    crash: Vec<String>,
}

/// What there is to say of a file that has killed the interpreter.
fn crashed(file: &str, crash: &[String], how: &str) -> Finding {
    let here = format!("  File \"{file}\", line ");
    let line = crash.iter().find_map(|line| line.strip_prefix(&here)?.split(' ').next()?.parse().ok());
    Finding {
        file: file.to_owned(),
        line: line.unwrap_or(0),
        error: format!("the interpreter did not survive its import ({how})"),
        traceback: crash.join("\n"),
    }
}

/// A check that is under way.
struct Run {
    report: Report,
    is_json: bool,
    shows_progress: bool,
}

impl Run {
    /// Runs the interpreter behind the first `skip` files. Gives where to go on, if it did not survive.
    fn once(&mut self, settings: &Settings, library: &Path, skip: usize) -> Result<Option<usize>, CheckError> {
        let path: Vec<_> = settings.path.iter().map(|root| root.canonical.as_str()).collect();
        let order = json!({"path": path, "preload": settings.preload, "skip": skip});
        let mut child = Command::new(&settings.python)
            .args(["-m", "tortoise_worker", "--check", &order.to_string()])
            // Python finds the package in the current folder, unless it is told to be careful.
            .current_dir(library)
            .env_remove("PYTHONSAFEPATH")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let heard = child.stdout.take().map(|pipe| self.hear(pipe)).transpose();
        let status = child.wait()?;
        let heard = heard?.unwrap_or_default();
        match heard.open {
            Some((begin, place)) => {
                let how = describe_status(status.into_raw());
                self.broken(crashed(&begin, &heard.crash, &how))?;
                // Behind a module that is preloaded there are no sessions, and so no classes.
                Ok((place >= settings.preload.len()).then_some(place + 1))
            }
            None if heard.total.is_some() && status.success() => Ok(None),
            None => Err(CheckError::Python {
                python: settings.python.display().to_string(),
                reason: describe_status(status.into_raw()),
            }),
        }
    }

    /// Reads until the interpreter has ended.
    fn hear(&mut self, pipe: ChildStdout) -> io::Result<Heard> {
        let mut heard = Heard::default();
        for line in BufReader::new(pipe).lines() {
            let line = line?;
            if !line.starts_with('{') {
                heard.crash.push(line);
                continue;
            }
            match serde_json::from_str(&line)? {
                Said::Total { total } => heard.total = Some(total),
                Said::Begin { begin, place } => {
                    if self.shows_progress {
                        eprint!("\r\x1b[K[{}/{}] {begin}", place + 1, heard.total.unwrap_or(place + 1));
                    }
                    heard.open = Some((begin, place));
                }
                Said::End(end) => {
                    heard.open = None;
                    self.take(end)?;
                }
            }
        }
        self.clear_progress();
        Ok(heard)
    }

    fn take(&mut self, end: End) -> io::Result<()> {
        match end {
            End::Ok { classes } => {
                self.report.files += 1;
                self.report.classes += classes;
            }
            End::Module => self.report.modules += 1,
            End::None => {}
            End::Note(finding) => {
                self.say(&format!("{}: note: {}", finding.place(), finding.error))?;
                self.report.notes.push(finding);
            }
            End::Broken(finding) => self.broken(finding)?,
        }
        Ok(())
    }

    fn broken(&mut self, finding: Finding) -> io::Result<()> {
        self.say(&format!("{}: {}", finding.place(), finding.error))?;
        self.report.broken.push(finding);
        Ok(())
    }

    fn print_end(&self, settings: &Settings) -> io::Result<()> {
        let Report { files, classes, modules, notes, broken } = &self.report;
        if self.is_json {
            let report =
                json!({"files": files, "classes": classes, "modules": modules, "notes": notes, "broken": broken});
            return writeln!(io::stdout(), "{report:#}");
        }
        let roots = settings.path.iter().map(|root| root.absolute.as_str()).collect::<Vec<_>>().join(", ");
        let mut good = vec!["the settings".to_owned()];
        if !settings.preload.is_empty() {
            good.push(count(*modules, "preloaded module", "preloaded modules"));
        }
        if !roots.is_empty() {
            good.push(format!(
                "{} in {} of {roots}",
                count(*classes, "class", "classes"),
                count(*files, "file", "files")
            ));
        }
        writeln!(io::stdout(), "good: {}", good.join(", "))
    }

    fn say(&self, line: &str) -> io::Result<()> {
        if self.is_json {
            return Ok(());
        }
        self.clear_progress();
        writeln!(io::stdout(), "{line}")
    }

    fn clear_progress(&self) {
        if self.shows_progress {
            eprint!("\r\x1b[K");
        }
    }
}
