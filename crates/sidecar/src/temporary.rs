//! A sidecar for one command: on a socket in a folder of its own, with the settings that were given.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::address::Address;
use crate::background;
use crate::commands::Admin;
use crate::environment;
use crate::notify;
use crate::settings::{Given, Listen, Seconds, Values};
use crate::target::Target;

/// If whoever needed it dies, it leaves after this many seconds.
const IDLE_SECONDS: u64 = 5;

/// A sidecar that is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Temporary {
    folder: PathBuf,
    target: Target,
}

impl Temporary {
    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// In words: the system's reason, or what it says itself.
    pub(crate) fn start(given: &Given) -> Result<Self, String> {
        let folder = folder().map_err(|error| format!("cannot make a folder for a sidecar: {error}"))?;
        let address = Address::Unix(folder.join("t.sock"));
        let temporary = Self { target: Target::at(address.clone(), folder.join("t.log")), folder };
        temporary.run(given, address)?;
        Ok(temporary)
    }

    /// Where it listens.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    fn run(&self, given: &Given, address: Address) -> Result<(), String> {
        let values = Values {
            path: Some(given.path.clone()),
            python: Some(given.python.clone()),
            listen: Some(vec![Listen { address }]),
            token_file: None,
            spare_sessions: Some(0),
            idle_exit: Some(Seconds::whole(IDLE_SECONDS)),
            pid_file: None,
            log_file: None,
            ..given.values.clone()
        };
        let config = self.folder.join("tortoise.toml");
        write_settings(values, &config).map_err(|error| format!("cannot write {}: {error}", config.display()))?;
        let program =
            std::env::current_exe().map_err(|error| format!("cannot find the sidecar's own file: {error}"))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(config).arg("--log").arg(self.folder.join("t.log"));
        for name in environment::known() {
            command.env_remove(name);
        }
        // It is not the service whose unit may run us.
        notify::hide_from(&mut command);
        match background::launch(command).map_err(|error| format!("cannot start a sidecar: {error}"))?.trim_end() {
            "ready" => Ok(()),
            "" => Err("the sidecar ended while it started, and did not say why".to_owned()),
            other => Err(other.strip_prefix("error: ").unwrap_or(other).to_owned()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let stopped = Admin::connect(self.target.clone()).and_then(|mut admin| admin.stop());
        // If it cannot be told, it leaves by itself.
        drop(stopped);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn write_settings(values: Values, path: &Path) -> io::Result<()> {
    // Relative paths would count from the file's folder.
    let values = values.in_folder(&std::env::current_dir()?);
    let table = toml::Table::try_from(values).map_err(io::Error::other)?;
    std::fs::write(path, table.to_string())
}

/// A new folder that is ours alone.
fn folder() -> io::Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let parent = runtime.unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("tortoise-call-{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}
