//! Settings that are one of a few words.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What keeps sessions apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Each session is a process.
    #[default]
    Process,
    /// Sessions are threads of a few processes.
    Thread,
}

/// How long a session serves its PHP process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SessionSpan {
    /// As long as the connection lasts, one request after another.
    #[default]
    Connection,
    /// One request of PHP.
    Request,
}

/// When changed code is loaded without being told to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ReloadWhen {
    /// At a reload or a restart only.
    #[default]
    Never,
    /// Before a request, if a file has changed.
    OnChange,
}
