//! Answers an operator's question.

use std::os::fd::IntoRawFd;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tortoise_protocol::ask::Ask;

use crate::handshake::told;
use crate::reception::Reception;
use crate::requests::{Answer, Request, error};
use crate::status::{self, Surroundings};
use crate::stream::Stream;

/// How long an operator may take to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long sessions that are idle may take to leave before an operator is told that the new code serves.
const LEAVING: Duration = Duration::from_secs(1);

/// How often is looked whether they have.
const LOOK: Duration = Duration::from_millis(5);

/// Does what is asked and says what came of it.
pub(crate) async fn answer(mut stream: Stream, ask: &Ask, reception: &Reception) {
    let peer = stream.peer();
    tracing::debug!("client {peer} asks for: {}", ask.command);
    let is_far = matches!(stream, Stream::Tcp(_));
    let mut is_last = false;
    let value = match ask.command.as_str() {
        "status" => status(reception).await,
        "reload" | "restart" | "stop" if is_far => error(&format!(
            "{} is only done for who comes over a Unix socket: at a port the sidecar cannot know who asks",
            ask.command
        )),
        "reload" => {
            let reloaded = request(reception, Request::Reload).await;
            // What the operator does next, such as opening a page, is to see the new code.
            let _ = timeout(LEAVING, idle_ones_have_left(reception)).await;
            reloaded
        }
        "restart" => request(reception, Request::Restart).await,
        "stop" => {
            tracing::info!("leaving: client {peer} asked for it");
            is_last = true;
            request(reception, Request::Stop).await
        }
        other => error(&format!("{other:?} is not known here; known: status, reload, restart, stop")),
    };
    // Who has left does not need an answer.
    let said = timeout(PATIENCE, stream.write_all(&told(&value))).await;
    if is_last
        && matches!(said, Ok(Ok(())))
        && let Ok(socket) = stream.into_socket()
    {
        // Its end is that of the process, which the operator waits for.
        let _ = socket.into_raw_fd();
    }
}

async fn request(reception: &Reception, request: fn(Answer) -> Request) -> Value {
    let (answer, told) = Answer::awaited();
    let leaving = || error(&"the sidecar is leaving");
    if reception.desk.send(request(answer)).await.is_err() {
        return leaving();
    }
    told.await.unwrap_or_else(|_| leaving())
}

/// Waits until no session of an old worker could begin a request any more. That they leave is written on a board only.
async fn idle_ones_have_left(reception: &Reception) {
    while reception.keeper.describe().await.is_some_and(|keeper| keeper.has_idle_among_retiring()) {
        sleep(LOOK).await;
    }
}

async fn status(reception: &Reception) -> Value {
    let Some(keeper) = reception.keeper.describe().await else { return json!({ "error": "the sidecar is leaving" }) };
    let sessions = &reception.sessions;
    let around = Surroundings {
        uptime: reception.since.elapsed(),
        addresses: reception.addresses.clone(),
        log: reception.log.clone(),
        max_sessions: sessions.limit(),
        sessions: sessions.count(),
        waiting: sessions.waiting(),
        refused: reception.refusals.all(),
        totals: sessions.totals(),
    };
    status::as_json(&keeper, &around)
}
