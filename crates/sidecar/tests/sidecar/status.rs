//! What a sidecar says of itself.

use crate::support::{Installation, Running};
use tortoise_testkit::client::{Answer, ask_frame};

#[test]
fn sessions_are_shown_with_what_they_do_and_counted_when_they_are_gone() {
    let installation = Installation::new("answering");
    let mut command = installation.serve();
    command.args(["--max-sessions", "7"]);
    let mut sidecar = Running::until_ready(command);
    let mut busy = installation.client();
    let mut idle = installation.client();
    for command in ["begin", "end", "begin"] {
        assert_eq!(busy.tell(command).as_deref(), Some("done"));
    }
    // The welcome comes before the worker's report.
    let status = loop {
        let status = installation.status();
        if status["sessions_started"] == 2 {
            break status;
        }
    };
    assert_eq!(status["pid"], sidecar.process());
    assert_eq!((&status["state"], &status["version"]), (&"ready".into(), &"0.1.0".into()), "{status}");
    let sessions = &status["sessions"];
    let expected = serde_json::json!({"max": 7, "all": 2, "busy": 1, "idle": 1, "spare": 0, "leaving": 0});
    assert_eq!(sessions, &expected);
    assert_eq!((&status["requests"], &status["calls"]), (&2.into(), &2.into()), "{status}");
    assert_eq!(status["addresses"], serde_json::json!([format!("unix://{}", installation.socket().display())]));
    let list = status["list"].as_array().expect("sessions");
    let pid = |text: String| text.split(' ').next().and_then(|pid| pid.parse::<u32>().ok()).expect("a number");
    let number = pid(busy.tell("pid").expect("an answer"));
    let line = list.iter().find(|line| line["pid"] == number).expect("the busy one");
    assert_eq!(
        (&line["state"], &line["requests"], &line["client"]),
        (&"busy".into(), &2.into(), &std::process::id().into())
    );
    assert!(line["since"].as_f64().expect("seconds") >= 0.0);

    assert_eq!((busy.tell("exit 0"), idle.tell("exit 0")), (None, None));
    let status = loop {
        let status = installation.status();
        if status["sessions"]["all"] == 0 {
            break status;
        }
    };
    assert_eq!((&status["requests"], &status["calls"]), (&2.into(), &2.into()), "{status}");
    let worker = &status["workers"][0];
    assert_eq!((&worker["pid"], &worker["state"]), (&sidecar.worker().into(), &"ready".into()));
    sidecar.signal("HUP");
    sidecar.wait_for("retires");
    assert_eq!(installation.status()["reloads"], 1);
}

#[test]
fn a_question_that_nobody_knows_is_answered_with_those_that_are() {
    let installation = Installation::new("answering");
    let _sidecar = installation.start();
    let (_, Answer::Told(told)) = installation.say(&ask_frame("explode", None)) else { panic!("no answer") };
    assert_eq!(told.json, r#"{"error":"\"explode\" is not known here; known: status, reload, restart, stop"}"#);
}
