//! Tracebacks as `tortoise_worker.errors` gives them.

use pyo3::prelude::*;
use tortoise_protocol::limits::MAX_FRAMES;
use tortoise_protocol::traceback::{Frame, Traceback};

/// The text, and the frames with function, class, file and line, the innermost first.
#[derive(FromPyObject, Default)]
pub(crate) struct Told(String, Vec<(String, Option<String>, String, u64)>);

impl Told {
    /// As the wire has it.
    pub(crate) fn on_wire(self) -> Traceback {
        let frames = self.1.into_iter().take(MAX_FRAMES);
        let frames = frames.map(|(function, class, file, line)| Frame { function, class, file, line }).collect();
        Traceback { text: self.0, frames }
    }
}
