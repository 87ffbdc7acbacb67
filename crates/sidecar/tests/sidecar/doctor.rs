//! `tortoise doctor`: what it prints, and its exit status.

use std::process::{Command, Output};

use crate::support::{Installation, python};

fn doctor(installation: &Installation, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = installation.tortoise();
    command.arg("doctor").arg("--python").arg(python()).args(["--php", "/nowhere/php"]).args(arguments);
    output(command)
}

fn output(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("run");
    (status.code(), String::from_utf8(stdout).expect("UTF-8"), String::from_utf8(stderr).expect("UTF-8"))
}

#[test]
fn where_none_runs_it_fails_and_says_what_to_do() {
    let installation = Installation::new("answering");
    let address = format!("unix://{}", installation.socket().display());
    let (status, said, errors) = doctor(&installation, &["--listen", &address, "--path", "nowhere", "--json"]);
    assert_eq!(status, Some(1), "{said}");
    assert_eq!(errors, "error: 2 of the checks above failed\n");
    let checks: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let failures: Vec<_> =
        checks.as_array().expect("a list").iter().filter(|check| check["verdict"] == "failure").collect();
    assert!(failures[0]["finding"].as_str().expect("a text").contains("nowhere: No such file"), "{said}");
    assert_eq!(failures[1]["name"], address);
    assert!(failures[1]["advice"].as_str().expect("a text").contains("tortoise start"), "{said}");
    assert!(failures[1]["advice"].as_str().expect("a text").contains("its log is"), "{said}");
}

#[test]
fn a_port_without_its_token_is_not_tried() {
    let installation = Installation::new("answering");
    let (status, said, _) = doctor(&installation, &["--listen", "tcp://127.0.0.1:1"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("failure  token file: tcp://127.0.0.1:1 needs a token"), "{said}");
    assert!(said.contains("warning  tcp://127.0.0.1:1: not tried"), "{said}");
    let token = crate::tcp::token_file(&installation);
    let token = token.to_str().expect("UTF-8");
    let (_, said, _) = doctor(&installation, &["--listen", "tcp://127.0.0.1:1", "--token-file", token]);
    assert!(said.contains("failure  tcp://127.0.0.1:1: no sidecar answers (Connection refused"), "{said}");
}
