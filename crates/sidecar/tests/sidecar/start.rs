//! What does not start says why, in words that name the place.

use crate::support::{Installation, fails};

#[test]
fn a_worker_that_leaves_is_quoted_with_its_interpreter() {
    let error = fails(Installation::new("leaves").serve());
    for part in
        ["error: the Python interpreter /", "exit status 1", "tortoise needs CPython 3.11 or newer, and this is 3.9.2"]
    {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
}

#[test]
fn a_worker_of_another_build_is_named_with_its_folder() {
    let installation = Installation::new("other_version");
    let error = fails(installation.serve());
    let folder = installation.path("lib/tortoise");
    assert!(error.contains(&format!("{} is of version 9.9.9", folder.display())), "{error}");
    assert!(!installation.socket().exists());
}

#[test]
fn a_missing_library_or_interpreter_is_named() {
    let installation = Installation::new("answering");
    std::fs::remove_file(installation.path("lib/tortoise")).expect("removed");
    let error = fails(installation.serve());
    let entry = installation.path("lib/tortoise/tortoise_worker/__main__.py");
    assert!(error.contains(&format!("{} is missing", entry.display())), "{error}");

    let mut command = installation.serve();
    command.args(["--python", "/nowhere/python3"]);
    assert!(fails(command).contains("cannot be used multiple times"));
    let mut command = installation.tortoise();
    command.args(["serve", "--path", "classes", "--listen", "unix:///tmp/t.sock", "--python", "/nowhere/python3"]);
    let error = fails(command);
    assert!(error.contains("/nowhere/python3 does not exist or is not executable"), "{error}");
}

#[test]
fn a_python_that_is_none_is_quoted() {
    let installation = Installation::new("answering");
    let mut command = installation.tortoise();
    command.args(["serve", "--path", "classes", "--python", "/bin/cat"]);
    command.arg("--listen").arg(format!("unix://{}", installation.socket().display()));
    let error = fails(command);
    assert!(error.contains("the Python interpreter /bin/cat could not start a worker"), "{error}");
    assert!(error.contains("cat: "), "{error}");
}

#[test]
fn settings_are_refused_with_the_line_and_the_flag() {
    let installation = Installation::new("answering");
    let file = installation.path("tortoise.toml");
    std::fs::write(&file, "path = ['classes']\nidle_exitt = 3\n").expect("written");
    let mut command = installation.tortoise();
    command.arg("serve").env("TORTOISE_CONFIG", &file);
    let error = fails(command);
    for part in [file.to_str().expect("UTF-8"), "line 2", "unknown field `idle_exitt`", "idle_exit"] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    for (flag, value, expected) in [
        ("--listen", "tls://127.0.0.1:9000", "not supported yet"),
        ("--listen", "tcp://0.0.0.0:9000", "in the clear"),
        ("--listen", "here", "write unix:///absolute/path.sock"),
        ("--idle-exit", "soon", "--idle-exit"),
        ("--max-sessions", "0", "1..=65536"),
        ("--log-level", "loud", "[possible values: error"),
        ("--path", "nowhere", "classes/nowhere"),
    ] {
        let mut command = installation.tortoise();
        command.arg("serve").args([flag, value]).current_dir(installation.path("classes"));
        let error = fails(command);
        assert!(error.contains(expected), "{flag} {value}: {error}");
    }
    let mut command = installation.tortoise();
    command.arg("serve").env("TORTOISE_MAX_SESSIONS", "many");
    let error = fails(command);
    assert!(error.contains("--max-sessions"), "{error}");
}

#[test]
fn a_settings_file_is_all_that_is_needed() {
    let installation = Installation::new("answering");
    let text = format!(
        "path = ['classes']\npython = '{}'\n[[listen]]\naddress = 'unix://{}'\n",
        crate::support::python().display(),
        installation.socket().display()
    );
    std::fs::write(installation.path("tortoise.toml"), text).expect("written");
    let mut command = installation.tortoise();
    command.args(["serve", "--config", "tortoise.toml"]);
    let _sidecar = crate::support::Running::until_ready(command);
    installation.client();
}

#[test]
fn versions_and_help_are_there() {
    let installation = Installation::new("answering");
    let said = |arguments: &[&str]| {
        let output = installation.tortoise().args(arguments).output().expect("it runs");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert_eq!(said(&["--version"]), format!("tortoise {}\n", tortoise_protocol::PRODUCT_VERSION));
    let help = said(&["serve", "--help"]);
    for part in ["--config", "--path", "--listen", "TORTOISE_IDLE_EXIT", "TORTOISE_PYTHON"] {
        assert!(help.contains(part), "{part} is missing in: {help}");
    }
    assert!(!help.contains("--ready-fd"), "{help}");
}
