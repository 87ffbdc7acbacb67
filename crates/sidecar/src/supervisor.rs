//! A sidecar from its start to its end: listens, keeps the worker, receives clients, leaves.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::admission::Admission;
use crate::house::{Ending, House, Restarts};
use crate::keeper::Keeper;
use crate::limits::Limits;
use crate::listener::{self, Inherited, ListenError, Opened};
use crate::notify::Manager;
use crate::reception::{Policy, Reception};
use crate::refusals::Refusals;
use crate::renewal::{Renewing, Reread, Workshop};
use crate::requests::{self, Request};
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::successor::CommandLine;
use crate::worker::WorkerError;

/// Requests of operators that may wait.
const BACKLOG: usize = 16;

/// What a sidecar is made of.
pub struct Service {
    /// The settings.
    pub settings: Settings,
    /// Reads them again, for a reload.
    pub reread: Reread,
    /// The folder with our Python package.
    pub library: PathBuf,
    /// Who decides on class roots and modules.
    pub admission: Admission,
    /// The file that PHP locks while it starts a private sidecar.
    pub lock: Option<PathBuf>,
    /// The file that is logged to, for messages; None: standard error.
    pub log: Option<PathBuf>,
    /// Listeners that others have made.
    pub inherited: Vec<Inherited>,
    /// How to start the sidecar anew; None: it is a private one, which PHP starts.
    pub command_line: Option<CommandLine>,
    /// Who watches over it.
    pub manager: Manager,
    /// What is not a setting.
    pub limits: Limits,
}

/// Why a sidecar did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The worker does not start.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// It was told to leave before it was ready.
    #[error("stopped before it was ready")]
    Stopped,
}

/// Runs a sidecar, in a runtime of one thread, until it is asked to stop, `requests` end, or it has been idle for long
/// enough. `ready` is called when listeners and the worker are live.
///
/// # Errors
/// [`StartError`], if it never got that far.
pub async fn supervise(
    service: Service,
    mut requests: mpsc::Receiver<Request>,
    ready: impl FnOnce(),
) -> Result<(), StartError> {
    let Service { settings, reread, library, admission, lock, log, inherited, command_line, manager, limits } = service;
    let since = Instant::now();
    let restart_limit = limits.restart;
    let Opened { listeners, surplus } = listener::open_all(&settings.listen, inherited)?;
    let sessions = Sessions::new(settings.max_sessions);
    let log = log.map(|log| log.display().to_string());
    let workshop = Workshop { library, limits: limits.clone(), log: log.clone() };
    let plan = workshop.plan(&settings);
    let lobby = Arc::new(OnceLock::new());
    let renewal = Renewing {
        reread,
        workshop,
        sessions: Arc::clone(&sessions),
        settings: Mutex::new(settings.clone()),
        reception: Arc::clone(&lobby),
        is_private: admission == Admission::Believe,
    };
    let started = tokio::select! {
        started = Keeper::start(plan, limits.clone(), Arc::clone(&sessions), Box::new(renewal), manager.clone()) => {
            started.map_err(StartError::from)
        }
        () = stopped(&mut requests) => Err(StartError::Stopped),
    };
    let (keeper, handle) = match started {
        Ok(started) => started,
        Err(error) => {
            listeners.into_iter().for_each(|listener| drop(listener.close()));
            return Err(error);
        }
    };
    let (desk, mut asked) = mpsc::channel(BACKLOG);
    let reception = Arc::new(Reception {
        policy: Mutex::new(Arc::new(Policy { admission, token: settings.token })),
        limits,
        workers: keeper.present(),
        keeper: handle.clone(),
        sessions: Arc::clone(&sessions),
        desk,
        user: nix::unistd::geteuid().as_raw(),
        refusals: Refusals::new(),
        since,
        addresses: listeners.iter().map(|listener| listener.address().to_string()).collect(),
        log,
    });
    let _ = lobby.set(Arc::clone(&reception));
    let mut house = House::new(listeners, sessions, reception);
    let keeping = keeper.run();
    house.open(surplus);
    ready();
    let watching = manager.watch();

    let restarts = Restarts { command_line, limit: restart_limit };
    let ending = tokio::select! {
        ending = house.attend(&mut requests, &mut asked, &handle, &restarts) => ending,
        never = house.accept() => match never {},
        lock = house.idle(settings.idle_exit, lock.as_deref()) => {
            tracing::info!("leaving: there has been no session for the time of idle_exit");
            Ending::Stopped(lock)
        }
    };
    match &ending {
        Ending::Stopped(_) => manager.stopping(),
        Ending::Replaced(successor) => manager.replaced(*successor),
    }
    house.close(&handle, keeping, ending).await;
    if let Some(watching) = watching {
        watching.abort();
    }
    manager.flush().await;
    Ok(())
}

/// Waits until somebody asks to stop.
async fn stopped(wishes: &mut mpsc::Receiver<Request>) {
    loop {
        match wishes.recv().await {
            None => return,
            Some(Request::Stop(answer)) => return answer.tell(requests::stopping()),
            // What is starting needs neither.
            Some(Request::Reload(answer) | Request::Restart(answer)) => {
                answer.tell(requests::error(&"the sidecar is starting"));
            }
        }
    }
}
