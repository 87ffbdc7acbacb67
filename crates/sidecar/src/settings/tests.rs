//! The settings of files and flags together.

use super::*;

fn flags(config: Option<PathBuf>) -> Flags {
    Flags { config, ..Flags::default() }
}

fn file(text: &str) -> (tempfile::TempDir, Flags) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("classes")).expect("a root");
    let path = folder.path().join("tortoise.toml");
    std::fs::write(&path, text).expect("written");
    (folder, flags(Some(path)))
}

const USUAL: &str = "path = ['classes']\nmodules = ['json']\npython = '/bin/sh'\nidle_exit = 7\nmax_sessions = 3\n\
                     spinning_sessions = 4\nlog_level = 'debug'\n[[listen]]\naddress = 'unix:///run/t.sock'\n";

#[test]
fn a_file_is_read_and_its_paths_count_from_its_folder() {
    let (folder, flags) = file(USUAL);
    let settings = Settings::load(&flags, false).expect("settings");
    let root = folder.path().canonicalize().expect("a path").join("classes");
    assert_eq!(settings.path[0].canonical, root.to_str().expect("UTF-8"));
    assert_eq!(settings.modules, ["json"]);
    assert_eq!(settings.python, Path::new("/bin/sh"));
    assert_eq!(settings.listen, [Address::Unix("/run/t.sock".into())]);
    assert_eq!(settings.idle_exit, Some(Duration::from_secs(7)));
    assert_eq!((settings.max_sessions, settings.log_level), (3, LogLevel::Debug));
    assert_eq!(settings.spinning_sessions, Some(4));
}

#[test]
fn a_flag_wins_over_the_file() {
    let (_folder, mut flags) = file(USUAL);
    flags.values.listen = Some(vec![Listen { address: Address::Unix("/run/other.sock".into()) }]);
    flags.values.idle_exit = Some(Seconds::whole(0));
    flags.values.python = Some("/bin/cat".into());
    let settings = Settings::load(&flags, false).expect("settings");
    assert_eq!(settings.listen, [Address::Unix("/run/other.sock".into())]);
    assert_eq!(settings.idle_exit, None);
    assert_eq!(settings.python, Path::new("/bin/cat"));
}

#[test]
fn errors_in_a_file_name_the_line_and_the_key() {
    for (text, line, expected) in [
        ("path = ['classes']\nidle_exitt = 3\n", "line 2", "unknown field `idle_exitt`"),
        ("[[listen]]\naddress = 'unix:///a'\ntls = true\n", "line 3", "unknown field `tls`"),
        ("\n\nidle_exit = 'soon'\n", "line 3", "a number of seconds"),
        ("grace = -1\n", "line 1", "from 0 to 316224000"),
        ("max_memory = '1T'\n", "line 1", "512M"),
        ("memory_limit = -1\n", "line 1", "512M"),
        ("isolation = 'fork'\n", "line 1", "`process` or `thread`"),
        ("reload = 'always'\n", "line 1", "on-change"),
        ("[[listen]]\naddress = 'tls://0.0.0.0:1'\n", "line 2", "not supported yet"),
        ("[[listen]]\naddress = 'tcp://0.0.0.0:1'\n", "line 2", "in the clear"),
        ("path = [\n", "line 1", "array"),
    ] {
        let (_folder, flags) = file(text);
        let error = Settings::load(&flags, false).expect_err(text).to_string();
        for part in [line, expected, "tortoise.toml"] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }
}

#[test]
fn what_is_not_set_has_its_default_and_a_private_sidecar_its_own() {
    let (_folder, flags) = file("path = ['classes']\npython = '/bin/sh'\n[[listen]]\naddress = 'unix:///run/t.sock'\n");
    let settings = Settings::load(&flags, false).expect("settings");
    assert_eq!((settings.isolation, settings.reload), (Isolation::Process, ReloadWhen::Never));
    assert_eq!((settings.max_sessions, settings.spare_sessions), (512, 2));
    assert!(settings.workers >= 1 && settings.preload.is_empty());
    assert_eq!((settings.max_requests, settings.max_age), (None, None));
    assert_eq!((settings.max_memory, settings.memory_limit), (None, None));
    assert_eq!((settings.grace, settings.drain), (Duration::from_secs(5), Duration::from_secs(30)));
    assert_eq!((settings.slow_log, settings.pid_file, settings.log_file), (None, None, None));
    let private = Settings::load(&flags, true).expect("settings");
    assert_eq!((private.spare_sessions, private.reload), (1, ReloadWhen::OnChange));
}

#[test]
fn sizes_and_spans_of_time_have_their_units() {
    let (folder, mut flags) = file(&format!(
        "isolation = 'thread'\nworkers = 3\npreload = ['numpy', 'app.models']\nspare_sessions = 0\nmax_requests = 9\n\
         max_age = 60\nmax_memory = '512M'\nmemory_limit = 1024\ngrace = 0.5\ndrain = 2\nreload = 'on-change'\n\
         slow_log = 'slow.log'\npid_file = '/run/t.pid'\nlog_file = 'log/t.log'\n{USUAL}"
    ));
    let settings = Settings::load(&flags, false).expect("settings");
    assert_eq!((settings.isolation, settings.workers), (Isolation::Thread, 3));
    assert_eq!(settings.preload, ["numpy", "app.models"]);
    assert_eq!((settings.spare_sessions, settings.max_requests), (0, Some(9)));
    assert_eq!(settings.max_age, Some(Duration::from_secs(60)));
    assert_eq!((settings.max_memory, settings.memory_limit), (Some(512 << 20), Some(1024)));
    assert_eq!((settings.grace, settings.drain), (Duration::from_millis(500), Duration::from_secs(2)));
    assert_eq!(settings.reload, ReloadWhen::OnChange);
    assert_eq!(settings.slow_log, Some(folder.path().join("slow.log")));
    assert_eq!(settings.pid_file, Some("/run/t.pid".into()));
    assert_eq!(settings.log_file, Some(folder.path().join("log/t.log")));
    flags.values.max_memory = Some(Size(0));
    assert_eq!(Settings::load(&flags, false).expect("settings").max_memory, None);
}

#[test]
fn a_session_for_each_request_serves_one() {
    let (_folder, mut flags) = file(&format!("session = 'request'\n{USUAL}"));
    assert_eq!(Settings::load(&flags, false).expect("settings").max_requests, Some(1));
    flags.values.max_requests = Some(2);
    let error = Settings::load(&flags, false).expect_err("both").to_string();
    assert!(error.contains("session is \"request\" and max_requests is 2"), "{error}");
}

#[test]
fn what_is_no_module_cannot_be_preloaded() {
    for name in ["", "a..b", "numpy, json", "../x"] {
        let (_folder, mut flags) = file(USUAL);
        flags.values.preload = Some(vec!["json".to_owned(), name.to_owned()]);
        let error = Settings::load(&flags, false).expect_err(name).to_string();
        assert!(error.contains(&format!("{name:?} is not the name of a module")), "{error}");
    }
}

const TCP: &str = "path = ['classes']\npython = '/bin/sh'\n[[listen]]\naddress = 'tcp://localhost:0'\n";

#[test]
fn tcp_needs_a_token_and_the_error_says_what_to_write() {
    let (folder, mut flags) = file(TCP);
    let error = Settings::load(&flags, false).expect_err("no token").to_string();
    for part in ["tcp://127.0.0.1:0", "--token-file FILE", "token_file = \"FILE\"", "tortoise.token_file"] {
        assert!(error.contains(part), "{part} is missing in: {error}");
    }
    let (_other, flagged) = file(&format!("token_file = 'secret'\n{TCP}"));
    let error = Settings::load(&flagged, false).expect_err("no such file").to_string();
    assert!(error.contains("/secret: No such file"), "{error}");
    // Later ones win.
    let path = folder.path().join("token");
    std::fs::write(&path, [b'x'; 32]).expect("written");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
    flags.values.token_file = Some(path);
    let settings = Settings::load(&flags, false).expect("settings");
    assert_eq!(settings.token, Some(AccessToken::from_file_content(&[b'x'; 32]).expect("a token")));
    assert!(!format!("{settings:?}").contains("xxx"), "{settings:?}");
}

#[test]
fn without_tcp_the_token_file_is_not_looked_at() {
    let (_folder, flags) = file(&format!("token_file = '/nowhere/secret'\n{USUAL}"));
    assert_eq!(Settings::load(&flags, false).expect("settings").token, None);
}

#[test]
fn a_private_sidecar_does_not_listen_over_tcp() {
    let (_folder, flags) = file(TCP);
    let error = Settings::load(&flags, true).expect_err("refused").to_string();
    assert!(error.contains("Unix sockets only"), "{error}");
}

#[test]
fn values_out_of_range_name_the_setting() {
    for value in ["0", "70000"] {
        let (_folder, flags) = file(&USUAL.replace("max_sessions = 3", &format!("max_sessions = {value}")));
        let error = Settings::load(&flags, false).expect_err(value).to_string();
        assert_eq!(error, format!("max_sessions is {value}, and must be from 1 to 65536"));
    }
}

#[test]
fn a_root_that_is_missing_or_a_file_is_named() {
    let (folder, flags) = file(&USUAL.replace("classes", "nowhere"));
    let error = Settings::load(&flags, false).expect_err("no such root").to_string();
    assert!(error.contains(&format!("{}/nowhere: No such file", folder.path().display())), "{error}");
    let (_folder, flags) = file(&USUAL.replace("classes", "tortoise.toml"));
    let error = Settings::load(&flags, false).expect_err("a file").to_string();
    assert!(error.contains("tortoise.toml: not a directory"), "{error}");
}

#[test]
fn without_addresses_or_roots_there_is_nothing_to_do() {
    let (_folder, flags) = file("path = ['classes']\npython = '/bin/sh'\n");
    assert!(matches!(Settings::load(&flags, false), Err(SettingsError::NoAddress)));
    let (_folder, flags) = file("python = '/bin/sh'\n[[listen]]\naddress = 'unix:///run/t.sock'\n");
    assert!(matches!(Settings::load(&flags, false), Err(SettingsError::NoRoots)));
    let settings = Settings::load(&flags, true).expect("a private sidecar needs no roots");
    assert_eq!(settings.idle_exit, Some(Duration::from_secs(300)));
}

#[test]
fn a_missing_file_is_named() {
    let error = Settings::load(&flags(Some("/nowhere/t.toml".into())), false).expect_err("missing").to_string();
    assert!(error.contains("/nowhere/t.toml: No such file"), "{error}");
}
