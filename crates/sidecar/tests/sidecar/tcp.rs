//! `tortoise serve` over TCP: who may come, and what the session is told.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tortoise_protocol::handshake::{AccessToken, Hello};
use tortoise_sidecar::limits::Limits;
use tortoise_testkit::client::{Answer, answer, ask_frame, hello, hello_frame};

use crate::supervise::Hosted;
use crate::support::{Installation, PATIENCE, Running, fails};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A sidecar on a Unix socket and on two ports.
fn start(installation: &Installation) -> (Running, [SocketAddr; 2]) {
    let mut command = installation.serve();
    command.args(["--listen", "tcp://127.0.0.1:0", "--listen", "tcp://[::1]:0", "--max-sessions", "1"]);
    command.env("TORTOISE_TOKEN_FILE", token_file(installation));
    let mut sidecar = Running::until_ready(command);
    let port = |line: String| line.rsplit_once("tcp://").and_then(|(_, place)| place.parse().ok()).expect("an address");
    let ports = ["127.0.0.1", "[::1]"].map(|host| port(sidecar.wait_for(&format!("listening on tcp://{host}:"))));
    (sidecar, ports)
}

pub(crate) fn token_file(installation: &Installation) -> std::path::PathBuf {
    let path = installation.path("token");
    std::fs::write(&path, format!("{SECRET}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    path
}

fn ask(place: SocketAddr, token: Option<&str>) -> (TcpStream, Answer) {
    let token = token.map(|token| AccessToken::from_file_content(token.as_bytes()).expect("a token"));
    say(place, &hello_frame(&Hello { token, shared_memory: true, ..hello(&[]) }))
}

fn say(place: SocketAddr, bytes: &[u8]) -> (TcpStream, Answer) {
    let mut stream = TcpStream::connect(place).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(bytes).expect("written");
    let answer = answer(&mut stream);
    (stream, answer)
}

#[test]
fn who_has_the_token_is_handed_over_and_gets_no_shared_memory() {
    let installation = Installation::new("answering");
    let (_sidecar, ports) = start(&installation);
    for place in ports {
        // The one place is free again as soon as the session before has gone.
        let (stream, order) = loop {
            match ask(place, Some(SECRET)) {
                (stream, Answer::Welcome(welcome)) => break (stream, welcome.python),
                (_, Answer::Refusal(refusal)) if refusal.retry => {}
                (_, other) => panic!("{other:?}"),
            }
        };
        assert!(order.contains(&format!(r#""client": {}"#, std::process::id())), "{order}");
        assert!(!order.contains("shared_memory") && !order.contains("token") && !order.contains(SECRET), "{order}");
        drop(stream);
    }
}

#[test]
fn at_a_port_status_is_told_to_who_has_the_token_and_nothing_is_done() {
    let installation = Installation::new("answering");
    let (_sidecar, [place, _]) = start(&installation);
    let token = || Some(AccessToken::from_file_content(SECRET.as_bytes()).expect("a token"));
    let (_, Answer::Told(told)) = say(place, &ask_frame("status", token())) else { panic!("no answer") };
    assert!(told.json.contains(r#""state":"ready""#) && !told.json.contains(SECRET), "{}", told.json);
    for command in ["stop", "reload", "restart"] {
        let (_, Answer::Told(told)) = say(place, &ask_frame(command, token())) else { panic!("no answer") };
        assert!(told.json.contains("only done for who comes over a Unix socket"), "{}", told.json);
    }
    for command in ["status", "stop"] {
        let (_, Answer::Refusal(refusal)) = say(place, &ask_frame(command, None)) else { panic!("no refusal") };
        assert!(refusal.message.contains("this one sent none"), "{}", refusal.message);
    }
}

#[test]
fn who_has_not_is_refused_named_in_the_log_and_takes_no_place() {
    let installation = Installation::new("answering");
    let (mut sidecar, [place, _]) = start(&installation);
    let wrong = SECRET.replace('f', "e");
    for (token, expected) in [(None, "sent none"), (Some(wrong.as_str()), "not the sidecar's")] {
        let (stream, Answer::Refusal(refusal)) = ask(place, token) else { panic!("no refusal") };
        assert!(refusal.message.contains(expected) && !refusal.retry, "{}", refusal.message);
        let line = sidecar.wait_for(expected);
        assert!(line.contains(&format!("client at tcp://{} ", stream.local_addr().expect("an address"))), "{line}");
        for secret in [SECRET, &wrong] {
            assert!(!line.contains(secret) && !refusal.message.contains(secret));
        }
    }
    // HTTP, and a hello that never ends.
    assert_eq!(say(place, b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: nobody\r\n\r\n").1, Answer::Closed);
    // The only place is still free, also for a client that brings a wrong token to the Unix socket.
    let token = Some(AccessToken::from_file_content(wrong.as_bytes()).expect("a token"));
    let (_stream, answer) = installation.say(&hello_frame(&Hello { token, shared_memory: true, ..hello(&[]) }));
    let Answer::Welcome(welcome) = answer else { panic!("{answer:?}") };
    assert!(welcome.python.contains(r#""shared_memory": true"#), "{}", welcome.python);
}

#[test]
fn clients_that_say_nothing_at_a_port_keep_nobody_from_the_socket() {
    let installation = Installation::new("answering");
    let limits = Limits { handshakes: 1, hello: PATIENCE, ..Limits::default() };
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let sidecar = Hosted::start_with(&installation, "answering", limits, Some((port, token_file(&installation))))
        .expect("started");
    let silent = [(); 3].map(|()| TcpStream::connect(port).expect("connected"));
    installation.client();
    drop(silent);
    sidecar.stop();
}

#[test]
fn a_client_that_says_nothing_is_given_up_on() {
    let installation = Installation::new("answering");
    let limits = Limits { hello: Duration::from_millis(50), ..Limits::default() };
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let sidecar = Hosted::start_with(&installation, "answering", limits, Some((port, token_file(&installation))))
        .expect("started");
    for bytes in [&b""[..], &hello_frame(&hello(&[]))[..20]] {
        let (_, Answer::Refusal(refusal)) = say(port, bytes) else { panic!("no refusal") };
        assert!(refusal.message.contains("no hello within 0.05 s") && refusal.retry, "{}", refusal.message);
    }
    sidecar.stop();
    TcpStream::connect(port).expect_err("nobody listens any more");
}

#[test]
fn it_does_not_start_on_a_port_without_a_sound_token_or_beside_another() {
    let installation = Installation::new("answering");
    let with = |arguments: &[&str]| {
        let mut command = installation.serve();
        command.args(arguments);
        fails(command)
    };
    let error = with(&["--listen", "tcp://localhost:0"]);
    assert!(error.contains("tcp://127.0.0.1:0 needs a token") && error.contains("--token-file FILE"), "{error}");
    let open = installation.path("open");
    std::fs::write(&open, SECRET).expect("written");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o640)).expect("set");
    let error = with(&["--listen", "tcp://localhost:0", "--token-file", "open"]);
    assert!(error.contains("mode 0640") && error.contains("chmod 600 open"), "{error}");
    let error = with(&["--listen", "tcp://192.168.1.1:1990", "--token-file", "open"]);
    assert!(error.contains("in the clear") && error.contains("tunnel"), "{error}");
    token_file(&installation);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = format!("tcp://{}", taken.local_addr().expect("an address"));
    let error = with(&["--listen", &address, "--token-file", "token"]);
    assert!(error.contains(&format!("another process already listens on {address}")), "{error}");
    assert!(!installation.socket().exists(), "what was bound before is tidied up");
}
