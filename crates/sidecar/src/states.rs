//! The states of a worker, and the one function that says which follows from which.
//!
//! ```text
//!            │ Launched   IsReady   Failed    Tripped   Ended     Dismissed
//! ───────────┼──────────────────────────────────────────────────────────────
//! Starting   │    –        Ready    Backoff   Broken    Backoff   Left
//! Ready      │    –          –         –      Broken    Backoff   Retiring
//! Retiring   │    –          –         –         –      Left         –
//! Backoff    │ Starting      –         –         –         –      Left
//! Broken     │ Starting      –         –         –         –      Left
//! Left       │    –          –         –         –         –         –
//! ```
//!
//! `–`: cannot happen, and is an error in the supervisor.

use std::fmt;

use serde::Serialize;

/// What a worker is doing, or the place of one that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerState {
    /// Its process runs and imports; it takes no sessions yet.
    Starting,
    /// It takes sessions.
    Ready,
    /// It takes none any more, and ends when its last session has left.
    Retiring,
    /// It did not start, or has died. It is started again after a pause, which clients wait out.
    Backoff,
    /// It has failed too often in a row. It is started again after a long pause, and clients are refused at once.
    Broken,
    /// It is gone for good.
    Left,
}

/// What can happen to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// Its process has been started.
    Launched,
    /// It has said that it is ready.
    IsReady,
    /// It did not become ready.
    Failed,
    /// It did not become ready, or died soon, and it was once too often.
    Tripped,
    /// Its process has ended.
    Ended,
    /// It is not wanted any more.
    Dismissed,
}

/// What cannot happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a worker that is {state} cannot be {happening}")]
pub struct Impossible {
    /// The state.
    pub state: WorkerState,
    /// What was said to have happened.
    pub happening: Happening,
}

impl WorkerState {
    /// The state that follows.
    ///
    /// # Errors
    /// [`Impossible`] if that cannot happen in this state.
    pub fn after(self, happening: Happening) -> Result<Self, Impossible> {
        match (self, happening) {
            (Self::Backoff | Self::Broken, Happening::Launched) => Ok(Self::Starting),
            (Self::Starting, Happening::IsReady) => Ok(Self::Ready),
            (Self::Starting, Happening::Failed | Happening::Ended) | (Self::Ready, Happening::Ended) => {
                Ok(Self::Backoff)
            }
            (Self::Starting | Self::Ready, Happening::Tripped) => Ok(Self::Broken),
            (Self::Ready, Happening::Dismissed) => Ok(Self::Retiring),
            (Self::Starting | Self::Backoff | Self::Broken, Happening::Dismissed)
            | (Self::Retiring, Happening::Ended) => Ok(Self::Left),
            (state, happening) => Err(Impossible { state, happening }),
        }
    }

    /// Goes on to the state that follows. The impossible is logged, and changes nothing.
    pub(crate) fn turn(&mut self, happening: Happening) {
        match self.after(happening) {
            Ok(state) => *self = state,
            Err(error) => {
                debug_assert!(false, "{error}");
                tracing::error!("{error}; this is an error in Tortoise's supervisor");
            }
        }
    }
}

impl fmt::Display for WorkerState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Retiring => "retiring",
            Self::Backoff => "waiting for its next start",
            Self::Broken => "broken",
            Self::Left => "gone",
        })
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Launched => "launched",
            Self::IsReady => "ready",
            Self::Failed => "unable to start",
            Self::Tripped => "given up on",
            Self::Ended => "ended",
            Self::Dismissed => "dismissed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Happening::*;
    use WorkerState::*;

    const HAPPENINGS: [Happening; 6] = [Launched, IsReady, Failed, Tripped, Ended, Dismissed];

    #[test]
    fn every_state_and_happening_is_as_the_table_says() {
        for (state, after) in [
            (Starting, [None, Some(Ready), Some(Backoff), Some(Broken), Some(Backoff), Some(Left)]),
            (Ready, [None, None, None, Some(Broken), Some(Backoff), Some(Retiring)]),
            (Retiring, [None, None, None, None, Some(Left), None]),
            (Backoff, [Some(Starting), None, None, None, None, Some(Left)]),
            (Broken, [Some(Starting), None, None, None, None, Some(Left)]),
            (Left, [None; 6]),
        ] {
            for (happening, expected) in HAPPENINGS.into_iter().zip(after) {
                let impossible = Impossible { state, happening };
                assert_eq!(state.after(happening), expected.ok_or(impossible), "{state:?}, {happening:?}");
            }
        }
    }

    #[test]
    fn the_impossible_is_said_in_words() {
        let error = Left.after(Launched).expect_err("impossible").to_string();
        assert_eq!(error, "a worker that is gone cannot be launched");
    }
}
