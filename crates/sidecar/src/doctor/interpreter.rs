//! Whether the Python interpreter is one that can run sessions.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::{Check, output};
use crate::interpreter;

const NAME: &str = "interpreter";

const ADVICE: &str = "set python (--python, TORTOISE_PYTHON; in PHP: tortoise.python) to a CPython 3.11 or newer";

/// The oldest that our module is built for.
const OLDEST: (u32, u32) = (3, 11);

/// Old interpreters understand this too.
const QUESTION: &str = "import json, sys, sysconfig
print(json.dumps({'implementation': getattr(sys, 'implementation', sys).__dict__.get('name', 'python2'),
    'version': list(sys.version_info[:3]), 'gil': not sysconfig.get_config_var('Py_GIL_DISABLED')}))";

/// What an interpreter says of itself.
#[derive(Debug, Deserialize)]
struct Facts {
    implementation: String,
    version: (u32, u32, u32),
    gil: bool,
}

/// Asks the interpreter what it is.
pub(super) async fn check(python: &Path) -> Check {
    let path = match interpreter::find(python) {
        Ok(path) => path,
        Err(error) => return Check::failure(NAME, error.to_string(), ADVICE),
    };
    match ask(&path).await {
        Ok(facts) => judge(&path, &facts),
        Err(error) => Check::failure(NAME, format!("{} does not run: {error}", path.display()), ADVICE),
    }
}

fn judge(path: &Path, facts: &Facts) -> Check {
    let (major, minor, patch) = facts.version;
    let what = format!("{} is {} {major}.{minor}.{patch}", path.display(), facts.implementation);
    if facts.implementation != "cpython" {
        Check::failure(NAME, format!("{what}, and not CPython"), ADVICE)
    } else if (major, minor) < OLDEST {
        Check::failure(NAME, format!("{what}, older than {}.{}", OLDEST.0, OLDEST.1), ADVICE)
    } else if !facts.gil {
        Check::failure(NAME, format!("{what} without the GIL (a free-threaded build), which is not supported"), ADVICE)
    } else {
        Check::ok(NAME, format!("{what}, with the GIL"))
    }
}

async fn ask(path: &Path) -> io::Result<Facts> {
    let said = output::of(path, &["-I", "-c", QUESTION]).await?;
    match serde_json::from_slice(&said.output) {
        Ok(facts) if said.status.success() => Ok(facts),
        _ => Err(said.failure()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What a script in the interpreter's place leads to.
    async fn checked(script: &str) -> Check {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("python");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("set");
        check(&path).await
    }

    #[tokio::test]
    async fn a_real_one_is_named_with_its_version() {
        let python = std::env::var_os("TORTOISE_PYTHON").unwrap_or_else(|| "python3".into());
        let check = check(Path::new(&python)).await;
        assert!(!check.is_failure() && check.finding.contains("cpython 3."), "{check:?}");
    }

    #[tokio::test]
    async fn what_cannot_run_sessions_is_a_failure_that_says_why() {
        let fact = |implementation: &str, version: &str, gil: bool| {
            format!(r#"echo '{{"implementation": "{implementation}", "version": [{version}], "gil": {gil}}}'"#)
        };
        for (script, expected) in [
            (fact("cpython", "3, 10, 9", true), "older than 3.11"),
            (fact("python2", "2, 7, 18", true), "not CPython"),
            (fact("pypy", "3, 11, 0", true), "not CPython"),
            (fact("cpython", "3, 14, 0", false), "free-threaded"),
            ("echo '  File x' >&2; echo 'no json' >&2; exit 3".to_owned(), "exit status: 3; no json"),
            ("echo nonsense".to_owned(), "it printed no error"),
        ] {
            let check = checked(&script).await;
            assert!(check.is_failure() && check.finding.contains(expected), "{expected}: {check:?}");
            assert!(check.advice.contains("--python"), "{check:?}");
        }
        assert!(!checked(&fact("cpython", "3, 13, 1", true)).await.is_failure());
        let check = check(Path::new("/nowhere/python")).await;
        assert!(check.is_failure() && check.finding.contains("/nowhere/python does not exist"), "{check:?}");
    }
}
