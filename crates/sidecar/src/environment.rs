//! Every environment variable that the sidecar reads.
//!
//! Each is the setting of the same name in `tortoise.toml`. A flag wins over a variable, a variable over the file.

/// The settings file, as `--config`.
pub const CONFIG: &str = "TORTOISE_CONFIG";

/// Class roots with `:` between them, as `--path`.
pub const PATH: &str = "TORTOISE_PATH";

/// Patterns of modules that clients may open, with `,` between them, as `--modules`.
pub const MODULES: &str = "TORTOISE_MODULES";

/// The Python interpreter, as `--python`.
pub const PYTHON: &str = "TORTOISE_PYTHON";

/// Addresses to listen on, with `,` between them, as `--listen`.
pub const LISTEN: &str = "TORTOISE_LISTEN";

/// The file with the token that clients over TCP must know, as `--token-file`.
pub const TOKEN_FILE: &str = "TORTOISE_TOKEN_FILE";

/// Seconds without a session after which the sidecar leaves, as `--idle-exit`. A sidecar that PHP starts by itself
/// inherits PHP's environment, so this reaches it too.
pub const IDLE_EXIT: &str = "TORTOISE_IDLE_EXIT";

/// Sessions at once, as `--max-sessions`.
pub const MAX_SESSIONS: &str = "TORTOISE_MAX_SESSIONS";

/// Sessions at once that may spin, as `--spinning-sessions`.
pub const SPINNING_SESSIONS: &str = "TORTOISE_SPINNING_SESSIONS";

/// How much is logged, as `--log-level`.
pub const LOG_LEVEL: &str = "TORTOISE_LOG_LEVEL";

/// All of them.
pub const ALL: [&str; 10] =
    [CONFIG, PATH, MODULES, PYTHON, LISTEN, TOKEN_FILE, IDLE_EXIT, MAX_SESSIONS, SPINNING_SESSIONS, LOG_LEVEL];
