//! What of the settings a reload renews: workers, who may come, how many.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::admission::Admission;
use crate::keeper::{Plan, Renewal};
use crate::limits::Limits;
use crate::reception::{Policy, Reception};
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::worker::Launch;
use crate::worker_settings::WorkerSettings;

/// Slots of a board beyond those that sessions and spares need: one is freed a moment after its session's end was
/// reported.
const MORE_SLOTS: usize = 16;

/// Reads the settings again.
pub type Reread = Box<dyn Fn() -> Result<Settings, String> + Send>;

/// What workers are started with, whatever the settings say.
#[derive(Debug, Clone)]
pub(crate) struct Workshop {
    /// The folder with our Python package.
    pub(crate) library: PathBuf,
    pub(crate) limits: Limits,
    /// The file that the sidecar logs to; None: standard error.
    pub(crate) log: Option<String>,
}

impl Workshop {
    /// What these settings say about workers.
    pub(crate) fn plan(&self, settings: &Settings) -> Plan {
        let worker = WorkerSettings::of(settings, self.log.clone());
        let launch = Launch {
            python: settings.python.clone(),
            library: self.library.clone(),
            ready: self.limits.ready,
            slots: settings.max_sessions as usize + worker.spare_sessions as usize + MORE_SLOTS,
            settings: worker,
        };
        Plan { launch, drain: settings.drain, grace: settings.grace }
    }
}

/// The settings in force, and how to read them again.
pub(crate) struct Renewing {
    pub(crate) reread: Reread,
    pub(crate) workshop: Workshop,
    pub(crate) sessions: Arc<Sessions>,
    /// The settings with which the sidecar started, as far as a reload does not change them.
    pub(crate) settings: Mutex<Settings>,
    /// Who receives clients; nobody before the first worker is ready.
    pub(crate) reception: Arc<std::sync::OnceLock<Arc<Reception>>>,
    /// Whether clients decide on class roots: the settings have no say then.
    pub(crate) is_private: bool,
}

impl Renewal for Renewing {
    fn read(&self) -> Result<Settings, String> {
        (self.reread)()
    }

    fn plan(&self, settings: &Settings) -> Plan {
        self.workshop.plan(settings)
    }

    fn adopt(&self, settings: Settings) -> Vec<String> {
        let old = &mut *self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = [
            ("listen", settings.listen != old.listen),
            ("idle_exit", settings.idle_exit != old.idle_exit),
            ("log_level", settings.log_level != old.log_level),
            ("log_file", settings.log_file != old.log_file),
            ("pid_file", settings.pid_file != old.pid_file),
        ];
        let warnings = lasting
            .iter()
            .filter(|(_, is_changed)| *is_changed)
            .map(|(name, _)| format!("{name} has changed, which counts only after a restart (tortoise restart)"));
        let warnings = warnings.collect();
        self.sessions.set_limit(settings.max_sessions);
        if let Some(reception) = self.reception.get() {
            let admission = if self.is_private { Admission::Believe } else { Admission::of(&settings) };
            reception.set_policy(Policy { admission, token: settings.token.clone() });
        }
        // What needs a restart stays as it was, so that each reload says so again.
        let Settings { listen, idle_exit, log_level, log_file, pid_file, .. } = old.clone();
        *old = Settings { listen, idle_exit, log_level, log_file, pid_file, ..settings };
        warnings
    }
}
