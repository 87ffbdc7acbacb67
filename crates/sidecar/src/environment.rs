//! The environment variables of the sidecar: `TORTOISE_` and the name of a setting, or of the settings file.

use std::ffi::OsString;

use clap::CommandFactory;

use crate::cli::FlagsOnly;

/// What the names of all of them begin with.
pub const PREFIX: &str = "TORTOISE_";

/// The settings file, as `--config`.
pub const CONFIG: &str = "TORTOISE_CONFIG";

/// All that are read.
#[must_use]
pub fn known() -> Vec<String> {
    let command = FlagsOnly::command();
    command.get_arguments().filter_map(|flag| Some(flag.get_env()?.to_str()?.to_owned())).collect()
}

/// Those of this process that are set but empty.
pub(crate) fn empty() -> Vec<String> {
    known().into_iter().filter(|name| std::env::var_os(name).is_some_and(|value| value.is_empty())).collect()
}

/// Those of this process that look like ours and mean nothing, such as misspelt ones.
pub(crate) fn unknown() -> Vec<String> {
    unknown_among(std::env::vars_os().map(|(name, _)| name))
}

fn unknown_among(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let known = known();
    let names = names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(PREFIX));
    let mut unknown: Vec<_> = names.filter(|name| !known.contains(name)).collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ours_and_is_not_is_found() {
        let names = ["PATH", "TORTOISE_PATH", "TORTOISE_PAHT", "TORTOISE_CONFIG", "TORTOISE_GRACE_"];
        assert_eq!(unknown_among(names.into_iter().map(OsString::from)), ["TORTOISE_GRACE_", "TORTOISE_PAHT"]);
    }
}
