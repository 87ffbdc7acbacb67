//! The settings of PHP's ini file, and `Tortoise\configure()` on top of them.

use std::cell::RefCell;
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs};

use crate::engine::ini_text;
use crate::error::BridgeError;

/// Names and defaults. What is not here is refused by [`configure`].
const SETTINGS: [(&CStr, &CStr); 6] = [
    (c"tortoise.path", c""),
    (c"tortoise.server", c"auto"),
    (c"tortoise.python", c""),
    (c"tortoise.timeout", c"60"),
    (c"tortoise.token_file", c""),
    (c"tortoise.modules", c""),
];

static DEFINITIONS: IniEntryDefs<7> = IniEntryDefs::new([
    IniEntryDef::new(SETTINGS[0].0, SETTINGS[0].1, IniEntryPermission::All),
    IniEntryDef::new(SETTINGS[1].0, SETTINGS[1].1, IniEntryPermission::All),
    IniEntryDef::new(SETTINGS[2].0, SETTINGS[2].1, IniEntryPermission::All),
    IniEntryDef::new(SETTINGS[3].0, SETTINGS[3].1, IniEntryPermission::All),
    IniEntryDef::new(SETTINGS[4].0, SETTINGS[4].1, IniEntryPermission::All),
    IniEntryDef::new(SETTINGS[5].0, SETTINGS[5].1, IniEntryPermission::All),
    IniEntryDef::end(),
]);

thread_local! {
    /// What `Tortoise\configure()` said in this process, in the order of [`SETTINGS`].
    static CONFIGURED: RefCell<[Option<String>; SETTINGS.len()]> = const { RefCell::new([const { None }; SETTINGS.len()]) };
    /// Roots that `Tortoise\register()` added in this request.
    static REGISTERED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// Makes the settings known to PHP, when the module starts.
pub(crate) fn register_ini(module_number: i32) {
    IniEntryDef::register(DEFINITIONS.as_slice(), module_number);
}

/// Sets `tortoise.{key}` for the rest of this process.
///
/// # Errors
/// [`BridgeError::Access`] if there is no such setting.
pub(crate) fn configure(key: &str, value: String) -> Result<(), BridgeError> {
    let at = SETTINGS.iter().position(|(name, _)| name.to_bytes().strip_prefix(b"tortoise.") == Some(key.as_bytes()));
    let Some(at) = at else {
        let known: Vec<_> = SETTINGS.iter().map(|(name, _)| name.to_string_lossy().replace("tortoise.", "")).collect();
        return Err(BridgeError::Access(format!(
            "Tortoise\\configure() has no setting \"{key}\"; there are {}",
            known.join(", ")
        )));
    };
    CONFIGURED.with_borrow_mut(|configured| configured[at] = Some(value));
    Ok(())
}

fn text(at: usize) -> String {
    CONFIGURED.with_borrow(|configured| configured[at].clone()).unwrap_or_else(|| ini_text(SETTINGS[at].0))
}

/// Class roots, in the order in which they are searched. Relative ones are the current directory's.
pub(crate) fn roots() -> Vec<PathBuf> {
    let path = text(0);
    let mut roots: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|root| !root.as_os_str().is_empty()).map(absolute).collect();
    REGISTERED.with_borrow(|registered| roots.extend(registered.iter().cloned()));
    roots
}

/// Adds a class root for the rest of the request.
pub(crate) fn add_root(root: &Path) {
    let root = absolute(root.to_path_buf());
    REGISTERED.with_borrow_mut(|registered| {
        if !registered.contains(&root) {
            registered.push(root);
        }
    });
}

/// Forgets what the request added.
pub(crate) fn end_request() {
    REGISTERED.with_borrow_mut(Vec::clear);
}

/// `auto`, or an address.
pub(crate) fn server() -> String {
    match text(1) {
        empty if empty.is_empty() => "auto".to_owned(),
        server => server,
    }
}

/// Patterns of modules that `import()` may open.
pub(crate) fn modules() -> Vec<String> {
    text(5).split([',', ' ']).filter(|pattern| !pattern.is_empty()).map(str::to_owned).collect()
}

/// How long a call may take; None: as long as it takes.
///
/// # Errors
/// [`BridgeError::Access`] if the setting is not a number of seconds.
pub(crate) fn timeout() -> Result<Option<Duration>, BridgeError> {
    let text = text(3);
    match text.trim().parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(Duration::ZERO) => Ok(None),
        Some(timeout) => Ok(Some(timeout)),
        None => Err(BridgeError::Access(format!(
            "tortoise.timeout is \"{text}\"; it must be a number of seconds, or 0 for no limit"
        ))),
    }
}

/// The interpreter of a private sidecar: the setting, else the system's `python3`, else the first in PATH.
///
/// The system's comes first so that a web server and a shell with another PATH find the same one.
pub(crate) fn python() -> PathBuf {
    let set = text(2);
    if !set.is_empty() {
        return PathBuf::from(set);
    }
    let system = ["/usr/bin/python3", "/usr/local/bin/python3"].into_iter().map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let searched = std::env::split_paths(&path).map(|folder| folder.join("python3"));
    system.chain(searched).find(|candidate| candidate.is_file()).unwrap_or_else(|| PathBuf::from("/usr/bin/python3"))
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
