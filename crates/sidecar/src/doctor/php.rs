//! Whether PHP has the extension, of this version, and looks for the sidecar where it is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tortoise_protocol::PRODUCT_VERSION;

use super::{Check, output};
use crate::address::Address;

const NAME: &str = "PHP extension";

/// The oldest that the extension can be built for.
const OLDEST: (u32, u32) = (8, 2);

/// What stands in front of PHP's answer: its warnings come first, on the same stream.
const MARK: &str = "tortoise-doctor:";

const QUESTION: &str = r#"$facts = json_encode([
    'version' => [PHP_MAJOR_VERSION, PHP_MINOR_VERSION, PHP_RELEASE_VERSION],
    'extension' => phpversion('tortoise') ?: null,
    'folder' => ini_get('extension_dir'),
    'file' => php_ini_loaded_file() ?: null,
    'scanned' => getenv('PHP_INI_SCAN_DIR') ?: PHP_CONFIG_FILE_SCAN_DIR,
    'settings' => extension_loaded('tortoise') ? array_map('strval', ini_get_all('tortoise', false)) : new stdClass(),
]);
echo "\ntortoise-doctor:", $facts;"#;

/// What PHP says of itself.
#[derive(Debug, Deserialize)]
struct Facts {
    version: (u32, u32, u32),
    /// The extension's version; None: it is not loaded.
    extension: Option<String>,
    /// Where PHP looks for extensions.
    folder: PathBuf,
    /// The `php.ini` that it has read.
    file: Option<PathBuf>,
    /// Where it looks for further ini files; empty: nowhere.
    scanned: PathBuf,
    /// The extension's ini settings.
    settings: BTreeMap<String, String>,
}

/// Asks a PHP, with the configuration that it has of its own. `listen`: where the sidecar is to listen.
pub(super) async fn check(php: &Path, listen: &[Address]) -> Vec<Check> {
    let asked = ask(php).await;
    match asked {
        Ok((facts, complaint)) => judge(php, &facts, &complaint, listen),
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![Check::warning(
            NAME,
            format!("not looked at: there is no {}", php.display()),
            "name the PHP that is to call Python by --php FILE",
        )],
        Err(error) => {
            vec![Check::failure(NAME, format!("{} does not run: {error}", php.display()), "name another by --php FILE")]
        }
    }
}

/// What PHP says of itself, and what it complained about while it started.
async fn ask(php: &Path) -> io::Result<(Facts, String)> {
    let said = output::of(php, &["-d", "display_startup_errors=1", "-d", "display_errors=1", "-r", QUESTION]).await?;
    let text = String::from_utf8_lossy(&said.output);
    let (before, facts) = text.rsplit_once(MARK).ok_or_else(|| said.failure())?;
    let is_ours = |line: &&str| line.contains("tortoise");
    let complaint =
        before.lines().chain(String::from_utf8_lossy(&said.errors).lines()).find(is_ours).map(str::to_owned);
    Ok((serde_json::from_str(facts)?, complaint.unwrap_or_default()))
}

fn judge(php: &Path, facts: &Facts, complaint: &str, listen: &[Address]) -> Vec<Check> {
    let (major, minor, patch) = facts.version;
    let what = format!("{} is PHP {major}.{minor}.{patch}", php.display());
    if (major, minor) < OLDEST {
        let oldest = format!("{}.{}", OLDEST.0, OLDEST.1);
        return vec![Check::failure(NAME, format!("{what}, older than {oldest}"), "name a newer one by --php FILE")];
    }
    match &facts.extension {
        None if complaint.is_empty() => {
            vec![Check::failure(NAME, format!("{what} and does not load tortoise.so"), how_to_load(facts))]
        }
        None => vec![Check::failure(
            NAME,
            format!("{what} and cannot load tortoise.so: {complaint}"),
            "build it for this PHP: `make build` with its php-config in PATH, then `make install`",
        )],
        Some(version) if version != PRODUCT_VERSION => vec![Check::failure(
            NAME,
            format!("{what} with tortoise.so of version {version}; this binary is of version {PRODUCT_VERSION}"),
            "install both from the same build (`make install`), then restart PHP and the sidecar",
        )],
        Some(version) => {
            let mut checks = vec![Check::ok(NAME, format!("{what} with tortoise.so of version {version}"))];
            checks.extend(settings(facts, listen));
            checks
        }
    }
}

/// The line to write, and the file to write it into.
fn how_to_load(facts: &Facts) -> String {
    let installed = facts.folder.join("tortoise.so");
    let (step, line) = match (installed.is_file(), beside_us()) {
        (true, _) => (String::new(), "extension=tortoise".to_owned()),
        (false, Some(ours)) => (String::new(), format!("extension={}", ours.display())),
        (false, None) => (
            format!("run `make install`, which puts it at {}; then ", installed.display()),
            "extension=tortoise".to_owned(),
        ),
    };
    let file = match (&facts.file, facts.scanned.as_os_str().is_empty()) {
        (_, false) => facts.scanned.join("tortoise.ini").display().to_string(),
        (Some(file), true) => file.display().to_string(),
        (None, true) => "the php.ini that `php --ini` says is looked for".to_owned(),
    };
    format!("{step}write the line `{line}` into {file}; PHP-FPM reads a folder of its own, and is restarted then")
}

/// The extension of the same build: it stands in the folder above the binary's.
fn beside_us() -> Option<PathBuf> {
    let executable = std::env::current_exe().and_then(|path| path.canonicalize()).ok()?;
    let extension = executable.parent()?.parent()?.join("tortoise.so");
    extension.is_file().then_some(extension)
}

fn settings(facts: &Facts, listen: &[Address]) -> Vec<Check> {
    let of = |name: &str| facts.settings.get(name).map(String::as_str).unwrap_or_default();
    let (server, path) = (of("tortoise.server"), of("tortoise.path"));
    let shown = facts.settings.iter().filter(|(_, value)| !value.is_empty());
    let shown = shown.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    let name = "PHP settings";
    if path.is_empty() {
        return vec![Check::warning(
            name,
            "tortoise.path is empty in PHP's configuration, so no Python class is found",
            "set tortoise.path to the class roots, unless the program calls Tortoise\\configure() or register()",
        )];
    }
    let is_same = |address: &Address| server.parse().is_ok_and(|server: Address| server == *address);
    if !listen.is_empty() && !listen.iter().any(is_same) {
        let addresses = listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        return vec![Check::warning(
            name,
            format!("tortoise.server is {server}, and the sidecar's settings listen at {addresses}"),
            format!("set tortoise.server = {} in PHP's configuration", listen[0]),
        )];
    }
    vec![Check::ok(name, shown)]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What a script in PHP's place leads to.
    async fn checked(script: &str, listen: &[Address]) -> Vec<Check> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("php");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("set");
        check(&path, listen).await
    }

    fn answer(minor: u32, extension: &str, folder: &Path, settings: &str) -> String {
        let folder = folder.display();
        format!(
            "echo; echo 'tortoise-doctor:{{\"version\": [8, {minor}, 1], \"extension\": {extension}, \"folder\": \
             \"{folder}\", \"file\": \"/etc/php.ini\", \"scanned\": \"/etc/php/conf.d\", \"settings\": {{{settings}}}}}'"
        )
    }

    #[tokio::test]
    async fn without_the_extension_it_says_which_line_to_write_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let checks = checked(&answer(2, "null", folder.path(), ""), &[]).await;
        assert!(checks[0].is_failure() && checks[0].finding.contains("does not load tortoise.so"), "{checks:?}");
        let place = folder.path().join("tortoise.so");
        for part in
            ["`make install`", &place.display().to_string(), "`extension=tortoise` into /etc/php/conf.d/tortoise.ini"]
        {
            assert!(checks[0].advice.contains(part), "{part}: {checks:?}");
        }
        fs::write(&place, "").expect("written");
        let checks = checked(&answer(2, "null", folder.path(), ""), &[]).await;
        assert!(checks[0].advice.starts_with("write the line `extension=tortoise` into"), "{checks:?}");
    }

    #[tokio::test]
    async fn what_does_not_fit_is_a_failure_that_says_so() {
        let nowhere = Path::new("/nowhere");
        let warning = "echo 'PHP Warning:  PHP Startup: Unable to load dynamic library tortoise.so (module API)'";
        for (script, finding, advice) in [
            (answer(1, "null", nowhere, ""), "8.1.1, older than 8.2", "--php FILE"),
            (answer(2, "\"0.0.9\"", nowhere, ""), "tortoise.so of version 0.0.9; this binary", "same build"),
            (
                format!("{warning}; {}", answer(2, "null", nowhere, "")),
                "cannot load tortoise.so: PHP Warning",
                "php-config",
            ),
            ("echo 'no such option' >&2; exit 64".to_owned(), "exit status: 64; no such option", "--php FILE"),
        ] {
            let checks = checked(&script, &[]).await;
            assert!(checks[0].is_failure() && checks[0].finding.contains(finding), "{finding}: {checks:?}");
            assert!(checks[0].advice.contains(advice), "{checks:?}");
        }
        let checks = check(Path::new("/nowhere/php"), &[]).await;
        assert!(!checks[0].is_failure() && checks[0].finding.contains("there is no /nowhere/php"), "{checks:?}");
    }

    #[tokio::test]
    async fn php_and_the_settings_are_compared() {
        let version = format!("\"{PRODUCT_VERSION}\"");
        let listen = [Address::Unix("/run/t.sock".into())];
        let of = |server: &str| {
            let settings = format!("\"tortoise.path\": \"/srv/classes\", \"tortoise.server\": \"{server}\"");
            answer(3, &version, Path::new("/nowhere"), &settings)
        };
        let checks = checked(&of("unix:///run/t.sock"), &listen).await;
        assert_eq!(
            checks[1],
            Check::ok("PHP settings", "tortoise.path=/srv/classes tortoise.server=unix:///run/t.sock")
        );
        let checks = checked(&of("auto"), &listen).await;
        assert!(
            checks[1].finding.contains("tortoise.server is auto, and the sidecar's settings listen at unix:///run")
        );
        assert!(!checks[1].is_failure() && checks[1].advice.contains("tortoise.server = unix:///run/t.sock"));
        let checks = checked(&of("auto"), &[]).await;
        assert!(checks[1].finding.contains("tortoise.server=auto"), "{checks:?}");
        let checks = checked(&answer(3, &version, Path::new("/nowhere"), ""), &listen).await;
        assert!(checks[1].finding.contains("tortoise.path is empty"), "{checks:?}");
    }
}
