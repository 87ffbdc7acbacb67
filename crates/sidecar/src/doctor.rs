//! `tortoise doctor`: looks at what the settings name and what the system gives, and says what to do.
//!
//! A check is a function that gives one [`Check`] or more; [`examine`] is the list of them.

mod call;
mod interpreter;
mod listeners;
mod memory;
mod output;
mod php;
mod socket;

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::cli::Flags;
use crate::environment;
use crate::settings::{Given, Root, SettingsError};

/// How good something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could, or not yet.
    Warning,
    /// It does not work.
    Failure,
}

/// What was looked at, what was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    name: String,
    verdict: Verdict,
    finding: String,
    /// Empty if there is nothing to do.
    advice: String,
}

impl Check {
    fn ok(name: impl Into<String>, finding: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Ok, finding: finding.into(), advice: String::new() }
    }

    fn warning(name: impl Into<String>, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Warning, finding: finding.into(), advice: advice.into() }
    }

    fn failure(name: impl Into<String>, finding: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Failure, finding: finding.into(), advice: advice.into() }
    }

    fn is_ok(&self) -> bool {
        self.verdict == Verdict::Ok
    }

    /// Whether something does not work.
    pub(crate) fn is_failure(&self) -> bool {
        self.verdict == Verdict::Failure
    }
}

/// Runs every check. `php`: the PHP to ask.
pub(crate) async fn examine(flags: &Flags, php: &Path) -> Vec<Check> {
    let mut checks = vec![memory::check()];
    match Given::read(flags, false) {
        Ok(given) => {
            checks.push(settings(flags, &given));
            checks.extend(unknown_variables());
            checks.push(interpreter::check(&given.python).await);
            checks.extend(php::check(php, &given.listen).await);
            checks.extend(listeners::check(&given).await);
            if given.listen.is_empty() {
                checks.push(call::through_a_private_one(given).await);
            }
        }
        Err(error) => checks.push(wrong_settings(&error)),
    }
    checks
}

fn unknown_variables() -> Option<Check> {
    let names = environment::unknown();
    (!names.is_empty()).then(|| {
        Check::warning(
            "environment",
            format!("{} mean nothing to the sidecar", names.join(", ")),
            "look at how they are spelt",
        )
    })
}

fn settings(flags: &Flags, given: &Given) -> Check {
    match given.path.iter().try_for_each(|path| Root::new(path).map(drop)) {
        Ok(()) => {
            let origin = match &flags.config {
                Some(path) => format!("from {}", path.display()),
                None => "from flags and the environment; no settings file is named (--config)".to_owned(),
            };
            Check::ok(
                "settings",
                format!("{origin}; {} class roots, {} addresses", given.path.len(), given.listen.len()),
            )
        }
        Err(error) => wrong_settings(&error),
    }
}

fn wrong_settings(error: &SettingsError) -> Check {
    Check::failure("settings", error.to_string(), "correct it: `tortoise serve` does not start with it")
}

/// A line for each check, and the advice under it.
pub(crate) fn as_text(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { name, verdict, finding, advice } in checks {
        let verdict = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failure => "failure",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{verdict:<8} {name}: {}", indented(finding));
        if !advice.is_empty() {
            let _ = writeln!(text, "{:<8} → {}", "", indented(advice));
        }
    }
    text
}

/// A list of objects.
pub(crate) fn as_json(checks: &[Check]) -> String {
    // Texts and a word: there is nothing that JSON could not say.
    let mut text = serde_json::to_string_pretty(checks).unwrap_or_default();
    text.push('\n');
    text
}

/// Further lines stand under the first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n           ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_for_people_or_for_programs() {
        let checks = [Check::ok("one", "as it should be"), Check::failure("two", "broken\nhere", "mend it")];
        assert_eq!(
            as_text(&checks),
            "ok       one: as it should be\nfailure  two: broken\n           here\n         → mend it\n"
        );
        let json: serde_json::Value = serde_json::from_str(&as_json(&checks)).expect("JSON");
        assert_eq!(json[1]["verdict"], "failure");
        assert_eq!(json[1]["finding"], "broken\nhere");
        assert_eq!(json[0]["advice"], "");
    }

    #[tokio::test]
    async fn wrong_settings_are_one_line_and_the_other_checks_go_on() {
        let checks =
            examine(&Flags { config: Some("/nowhere/t.toml".into()), ..Flags::default() }, Path::new("php")).await;
        let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["shared memory", "settings"]);
        assert!(checks[1].is_failure() && checks[1].finding.contains("/nowhere/t.toml: No such file"), "{checks:?}");
    }
}
