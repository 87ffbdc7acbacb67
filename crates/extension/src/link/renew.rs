//! A session that has gone between two requests is replaced before anything is sent, and one that retires under the first frame
//! of a request is replaced, and the frame sent again.

use std::thread;
use std::time::{Duration, Instant};

use tortoise_protocol::frame::Kind;

use super::pipeline::{self, Write};
use super::state::{Link, forsake, generation, with};
use super::{Buffer, Reply, connect, follow_settings, later, lose_if_broken, loss, scopes};
use crate::error::BridgeError;
use crate::settings;

/// Sessions that may retire one after another under one frame, before anything is done.
const MAX_RETIRED: u32 = 8;

/// The pause before the third session is asked for; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// How long the first call of a PHP request waits for a session that is still at work for the one before it. Beyond it a
/// new session is had sooner.
const LATE_PATIENCE: Duration = Duration::from_secs(1);

/// How long the last word of a session that has gone is waited for. It was said before.
const LAST_WORD: Duration = Duration::from_millis(1);

/// A session for a request that any can answer: the one that there is (`current`, or 0), or a new one if that has gone.
///
/// # Errors
/// [`BridgeError`]: there is none to be had.
#[cold]
#[inline(never)]
pub(super) fn living(current: u32) -> Result<u32, BridgeError> {
    if current != 0 {
        let gone = with(|link| link.map_or(Ok(None), Link::has_gone));
        match gone {
            Ok(None) => return Ok(current),
            Ok(Some(error)) | Err(error) => {
                loss::remember(&error);
                forsake();
            }
        }
    }
    connect::establish()?;
    Ok(generation())
}

/// What must be looked at before the next frame of the link of this generation is sent.
///
/// # Errors
/// [`BridgeError::Retired`] if the session is no more; nothing was sent then. [`BridgeError::Timeout`]: the time is over.
#[cold]
#[inline(never)]
pub(super) fn attend(current: u32) -> Result<(), BridgeError> {
    with(|link| link.map_or(Ok(()), Link::begin_request)).map_err(lose_if_broken)?;
    // PHP code runs here.
    later::drop_due();
    if generation() != current {
        return Err(BridgeError::Retired);
    }
    scopes::follow_before_sending()?;
    with(|link| {
        if let Some(link) = link {
            link.needs_care = link.owes_drops || scopes::are_open();
        }
    });
    Ok(())
}

/// Makes a request anew that a session has not done, because it retired.
///
/// # Errors
/// [`BridgeError`].
#[cold]
#[inline(never)]
pub(super) fn exchange_anew(kind: Kind, expected: Kind, write: &Write<'_>) -> Result<Reply, BridgeError> {
    let mut pause = FIRST_PAUSE;
    for attempt in 1..MAX_RETIRED {
        if attempt > 1 {
            thread::sleep(pause);
            pause *= 2;
        }
        follow_settings()?;
        let current = living(generation())?;
        let reply = attend(current).and_then(|()| pipeline::exchange_among(current, kind, expected, write));
        match reply {
            Err(BridgeError::Retired) => {}
            reply => return reply,
        }
    }
    Err(BridgeError::Connection(format!(
        "{MAX_RETIRED} Python sessions retired one after another before they did anything; `tortoise status` and the sidecar's \
         log say why"
    )))
}

impl Link {
    /// Why the session is lost, if nobody is there any more.
    ///
    /// Not looked at where an answer is to come, which may lie there still: whoever waits for it hears of the end.
    fn has_gone(&mut self) -> Result<Option<BridgeError>, BridgeError> {
        if self.is_used && !(self.flight.is_idle() && self.flight.depth() == 0) {
            return Ok(None);
        }
        let is_gone = self.channel.is_peer_gone()?;
        let error = BridgeError::Connection("it ended while nothing was asked of it".to_owned());
        Ok(is_gone.then(|| self.explain(error)))
    }

    /// Begins to use the link in this PHP request, unless that has begun.
    fn begin_request(&mut self) -> Result<(), BridgeError> {
        if self.is_used {
            return Ok(());
        }
        self.first_call = self.next_call + 1;
        self.pass_over_late()?;
        self.is_used = true;
        Ok(())
    }

    /// Takes in what is still to come for a PHP request that is over.
    ///
    /// # Errors
    /// [`BridgeError::Retired`] if the session takes too long for it, or is gone: nothing of the request that is about to be
    /// sent is done, and it can go to a new one.
    fn pass_over_late(&mut self) -> Result<(), BridgeError> {
        if !self.flight.queue.has_late() {
            return Ok(());
        }
        let end = Instant::now() + LATE_PATIENCE;
        while self.flight.queue.has_late() {
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.channel.set_timeout(Some(left))?;
            // Callbacks of that request are refused where they come.
            self.take_in().map_err(|_| BridgeError::Retired)?;
        }
        Ok(self.channel.set_timeout(settings::timeout()?)?)
    }

    /// Why a frame could not be sent. The first one of a request may have come too late: what the session said last, lies there.
    #[cold]
    pub(super) fn unsent(&mut self, error: BridgeError) -> BridgeError {
        let is_first = self.next_call == self.first_call;
        if is_first && matches!(error, BridgeError::Connection(_)) {
            let _ = self.channel.set_timeout(Some(LAST_WORD));
            let last = self.channel.receive(&mut Buffer::take(), 0);
            if last.is_ok_and(|header| header.kind == Kind::Retired) {
                return BridgeError::Retired;
            }
        }
        self.explain(error)
    }

    /// What it means that the session says that it retires.
    #[cold]
    pub(super) fn retired(&self) -> BridgeError {
        if self.next_call <= self.first_call {
            BridgeError::Retired
        } else {
            self.explain(BridgeError::Connection("it retired in the middle of a request".to_owned()))
        }
    }
}
