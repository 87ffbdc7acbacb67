//! The settings of PHP's ini file, and `Tortoise\configure()` on top of them.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int, c_void};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ext_php_rs::ffi::{zend_ini_entry, zend_string};
use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::zend::{IniEntryDef, IniEntryDefs};

use crate::engine::{FAILURE, SUCCESS, ini_text, text_of};
use crate::error::BridgeError;

/// The longest time that a call may take and be bounded at all: a year. Clocks overflow long behind it.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Names and defaults. What is not here is refused by [`configure`].
const SETTINGS: [(&CStr, &CStr); 7] = [
    (c"tortoise.path", c""),
    (c"tortoise.server", c"auto"),
    (c"tortoise.python", c""),
    (c"tortoise.timeout", c"60"),
    (c"tortoise.token_file", c""),
    (c"tortoise.modules", c""),
    (c"tortoise.shared_memory", c"1"),
];

static DEFINITIONS: IniEntryDefs<8> = IniEntryDefs::new([
    definition(0),
    definition(1),
    definition(2),
    IniEntryDef { on_modify: Some(timeout_changes), ..definition(3) },
    definition(4),
    definition(5),
    definition(6),
    IniEntryDef::end(),
]);

const fn definition(at: usize) -> IniEntryDef {
    let mut definition = IniEntryDef::new(SETTINGS[at].0, SETTINGS[at].1, IniEntryPermission::All);
    definition.on_modify = Some(changes);
    definition
}

thread_local! {
    /// Grows with every change of a setting, so that a link need not read them to know that none changed.
    static VERSION: Cell<u64> = const { Cell::new(0) };
    /// What `Tortoise\configure()` said in this request, in the order of [`SETTINGS`].
    static CONFIGURED: RefCell<[Option<String>; SETTINGS.len()]> = const { RefCell::new([const { None }; SETTINGS.len()]) };
    /// Roots that `Tortoise\register()` added in this request.
    static REGISTERED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

/// Makes the settings known to PHP, when the module starts.
pub(crate) fn register_ini(module_number: i32) {
    IniEntryDef::register(DEFINITIONS.as_slice(), module_number);
}

/// A setting changes: in PHP's configuration, by `ini_set()`, or back at the end of a request.
unsafe extern "C" fn changes(
    _entry: *mut zend_ini_entry,
    _value: *mut zend_string,
    _argument1: *mut c_void,
    _argument2: *mut c_void,
    _argument3: *mut c_void,
    _stage: c_int,
) -> c_int {
    count_change();
    SUCCESS
}

/// `tortoise.timeout` changes. `ini_set()` is told at once if that makes no sense. PHP would pass over such a value of
/// its configuration in silence: that one is taken, and the first use reports it.
unsafe extern "C" fn timeout_changes(
    _entry: *mut zend_ini_entry,
    value: *mut zend_string,
    _argument1: *mut c_void,
    _argument2: *mut c_void,
    _argument3: *mut c_void,
    stage: c_int,
) -> c_int {
    /// The engine's `ZEND_INI_STAGE_RUNTIME`: `ini_set()`.
    const RUNTIME: c_int = 1 << 4;
    // SAFETY: the engine passes the new value, or null for none.
    let is_sound = unsafe { !value.is_null() && text_of(value).is_some_and(|text| parse_timeout(text).is_ok()) };
    if stage == RUNTIME && !is_sound {
        return FAILURE;
    }
    count_change();
    SUCCESS
}

fn count_change() {
    VERSION.set(VERSION.get() + 1);
}

/// Another number than before if a setting has changed since.
pub(crate) fn version() -> u64 {
    VERSION.get()
}

/// Sets `tortoise.{key}` for the rest of this request.
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
    if key == "timeout" {
        parse_timeout(&value)?;
    }
    CONFIGURED.with_borrow_mut(|configured| configured[at] = Some(value));
    count_change();
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

/// Forgets what the request added and configured.
pub(crate) fn end_request() {
    REGISTERED.with_borrow_mut(Vec::clear);
    CONFIGURED.with_borrow_mut(|configured| {
        if configured.iter().any(Option::is_some) {
            *configured = Default::default();
            count_change();
        }
    });
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

/// The file with the token for a sidecar over TCP; None: not set.
pub(crate) fn token_file() -> Option<PathBuf> {
    Some(text(4)).filter(|path| !path.is_empty()).map(|path| absolute(path.into()))
}

/// Whether calls may go through shared memory. Without it they go over the socket: to compare, or to find out whether
/// the memory is at fault. Read as PHP reads truth values.
pub(crate) fn shared_memory() -> bool {
    let text = text(6);
    let text = text.trim();
    ["true", "yes", "on"].iter().any(|word| text.eq_ignore_ascii_case(word))
        || text.parse::<i64>().is_ok_and(|number| number != 0)
}

/// How long a call may take; None: as long as it takes.
///
/// # Errors
/// [`BridgeError::Access`] if the setting is not a number of seconds.
pub(crate) fn timeout() -> Result<Option<Duration>, BridgeError> {
    parse_timeout(&text(3))
}

fn parse_timeout(text: &str) -> Result<Option<Duration>, BridgeError> {
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
    match seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(MAX_TIMEOUT)) {
        Some(Duration::ZERO) => Ok(None),
        Some(timeout) => Ok(Some(timeout.min(MAX_TIMEOUT))),
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
