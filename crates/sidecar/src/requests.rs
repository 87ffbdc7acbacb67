//! What the sidecar as a whole is asked to do: by signals, and by the operator.

use serde_json::Value;
use tokio::sync::oneshot;

/// A request, and who is told what comes of it: an object of JSON.
#[derive(Debug)]
pub enum Request {
    /// Leave, when the sessions have ended their requests.
    Stop(Answer),
    /// Read the settings again, and start a worker with them and with new code.
    Reload(Answer),
    /// Start the binary anew, and let it take over.
    Restart(Answer),
}

/// Who is told.
#[derive(Debug, Default)]
pub struct Answer(Option<oneshot::Sender<Value>>);

impl Answer {
    /// Nobody: it came by a signal.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Somebody, who waits for it.
    #[must_use]
    pub fn awaited() -> (Self, oneshot::Receiver<Value>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// Tells him.
    pub(crate) fn tell(self, value: Value) {
        if let Some(sender) = self.0 {
            // Who has left does not need to know.
            let _ = sender.send(value);
        }
    }
}

/// An answer that says what went wrong.
pub(crate) fn error(message: &impl ToString) -> Value {
    serde_json::json!({ "error": message.to_string() })
}

/// The answer to who asks the sidecar to stop.
pub(crate) fn stopping() -> Value {
    serde_json::json!({ "stopping": std::process::id() })
}
