//! What a supervisor says of itself, as tables for people.
//!
//! It may be of another version: what it does not say is left out, and what is new is seen with `--json`.

use std::fmt::Write;

use serde_json::Value;

use super::display::{size, span, table};

/// The status as text.
pub(super) fn as_text(status: &Value) -> String {
    let mut text =
        format!("tortoise {}, process {}: {}", word(status, "version"), word(status, "pid"), word(status, "state"));
    if let Some(uptime) = status.get("uptime").and_then(Value::as_f64) {
        // Writing to a String cannot fail.
        let _ = write!(text, ", up {}", span(uptime));
    }
    text.push_str("\n\n");
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push(vec![format!("{name:<9}{value}")]);
        }
    };
    row("error", word(status, "error"));
    row("listens", list(status, "addresses").iter().map(plain).collect::<Vec<_>>().join(", "));
    row("python", word(status, "python"));
    row("log", status.get("log").and_then(Value::as_str).unwrap_or("standard error").to_owned());
    if let Some(sessions) = status.get("sessions") {
        let counts =
            counts(sessions, &[("busy", "busy"), ("idle", "idle"), ("spare", "spare"), ("leaving", "leaving")]);
        let most = sessions.get("max").map(|most| format!(", of {}", plain(most))).unwrap_or_default();
        row("sessions", format!("{counts}{most}"));
    }
    row("clients", counts(status, &[("waiting", "waiting"), ("refused", "refused")]));
    row("served", counts(status, &[("requests", "requests"), ("calls", "calls")]));
    row(
        "ended",
        counts(
            status,
            &[("recycled", "recycled"), ("recalled", "recalled"), ("overdue", "overdue"), ("killed", "killed")],
        ),
    );
    row("workers", counts(status, &[("reloads", "reloads"), ("worker_restarts", "restarts after a crash")]));
    text.push_str(&table(&rows));
    let columns: [Column; 5] = [
        ("WORKER", "pid", plain),
        ("STATE", "state", plain),
        ("FOR", "since", seconds),
        ("SESSIONS", "sessions", plain),
        ("PYTHON", "python", plain),
    ];
    text.push_str(&listed(&list(status, "workers"), &columns));
    let columns: [Column; 7] = [
        ("SESSION", "pid", plain),
        ("CLIENT", "client", plain),
        ("STATE", "state", plain),
        ("FOR", "since", seconds),
        ("REQUESTS", "requests", plain),
        ("CALLS", "calls", plain),
        ("MEMORY", "resident", bytes),
    ];
    text.push_str(&listed(&list(status, "list"), &columns));
    text
}

/// A title, the key of what stands under it, and how that is written.
type Column = (&'static str, &'static str, fn(&Value) -> String);

/// A table of the columns that there is something for.
fn listed(items: &[Value], columns: &[Column]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let is_told = |(_, key, _): &&Column| items.iter().any(|item| item.get(*key).is_some_and(|value| !value.is_null()));
    let columns: Vec<_> = columns.iter().filter(is_told).collect();
    let mut rows = vec![columns.iter().map(|(title, ..)| (*title).to_owned()).collect()];
    rows.extend(items.iter().map(|item| {
        columns.iter().map(|(_, key, write)| item.get(*key).map(write).unwrap_or_default()).collect::<Vec<_>>()
    }));
    format!("\n{}", table(&rows))
}

fn counts(value: &Value, names: &[(&str, &str)]) -> String {
    let count = |(key, name): &(&str, &str)| value.get(*key).map(|count| format!("{} {name}", plain(count)));
    names.iter().filter_map(count).collect::<Vec<_>>().join(", ")
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn seconds(value: &Value) -> String {
    value.as_f64().map(span).unwrap_or_default()
}

fn bytes(value: &Value) -> String {
    match value.as_u64() {
        None | Some(0) => String::new(),
        Some(count) => size(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_tables() {
        let status = serde_json::json!({
            "version": "0.1.0", "pid": 7, "state": "ready", "uptime": 3723.5, "error": null,
            "addresses": ["unix:///run/t.sock", "tcp://127.0.0.1:1990"], "log": null, "python": "3.11.2 at /usr/bin/python3",
            "sessions": {"busy": 1, "idle": 2, "spare": 3, "leaving": 0, "max": 512}, "waiting": 0, "refused": 4,
            "requests": 10, "calls": 200, "recycled": 5, "recalled": 1, "overdue": 6, "killed": 0, "reloads": 1, "worker_restarts": 0,
            "workers": [{"pid": 8, "state": "ready", "since": 60.0, "sessions": 3}],
            "list": [{"pid": 9, "client": 10, "state": "busy", "since": 0.25, "requests": 3, "calls": 17, "resident": 17 << 20}],
        });
        let expected = "tortoise 0.1.0, process 7: ready, up 1 h 2 min\n\n\
            listens  unix:///run/t.sock, tcp://127.0.0.1:1990\n\
            python   3.11.2 at /usr/bin/python3\n\
            log      standard error\n\
            sessions 1 busy, 2 idle, 3 spare, 0 leaving, of 512\n\
            clients  0 waiting, 4 refused\n\
            served   10 requests, 200 calls\n\
            ended    5 recycled, 1 recalled, 6 overdue, 0 killed\n\
            workers  1 reloads, 0 restarts after a crash\n\n\
            WORKER  STATE    FOR  SESSIONS\n\
            8       ready  1 min         3\n\n\
            SESSION  CLIENT  STATE     FOR  REQUESTS  CALLS  MEMORY\n\
            9            10   busy  250 ms         3     17  17 MiB\n";
        assert_eq!(as_text(&status), expected);
    }

    #[test]
    fn what_is_not_said_is_left_out() {
        let status =
            serde_json::json!({"version": "9.9.9", "pid": 7, "state": "broken", "error": "no Python", "list": []});
        let text = as_text(&status);
        assert_eq!(text, "tortoise 9.9.9, process 7: broken\n\nerror    no Python\nlog      standard error\n");
    }
}
