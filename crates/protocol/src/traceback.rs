//! Where an exception comes from: Python's traceback as a text, and as frames that PHP can put into a trace.
//!
//! ```text
//! traceback   text · frames, the innermost first                                    (array of 2)
//! frame       function · class or nil · file · line that it stood at, 0: unknown    (array of 4)
//! ```

use crate::codec::{Malformed, Reader, Writer};
use crate::limits::{MAX_FRAMES, MAX_MESSAGE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES};

/// The traceback of one exception, without those of its causes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traceback {
    /// As Python prints it.
    pub text: String,
    /// The innermost first: where it was raised. Of very many only the innermost and the outermost.
    pub frames: Vec<Frame>,
}

/// A function that was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its name, without that of its class.
    pub function: String,
    /// The name of the class that defines it, if it is a method.
    pub class: Option<String>,
    /// The file of its source, or what Python calls a source without a file: `<string>`.
    pub file: String,
    /// The line that it stood at, from 1; 0 if unknown.
    pub line: u64,
}

impl Traceback {
    /// Writes it. What is over a limit is cut by whoever makes it.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.array(2);
        writer.text(&self.text);
        writer.array(self.frames.len());
        for frame in &self.frames {
            writer.array(4);
            writer.text(&frame.function);
            match &frame.class {
                Some(class) => writer.text(class),
                None => writer.nil(),
            }
            writer.text(&frame.file);
            writer.unsigned(frame.line);
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.array("a traceback", 2)?;
        let text = reader.text("a traceback", MAX_MESSAGE_BYTES)?.to_owned();
        let count = reader.array("frames", MAX_FRAMES)?;
        let frames = (0..count).map(|_| Frame::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { text, frames })
    }
}

impl Frame {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.array("a frame", 4)?;
        Ok(Self {
            function: reader.text("a function", MAX_NAME_BYTES)?.to_owned(),
            class: reader.optional_text("a class", MAX_NAME_BYTES)?.map(str::to_owned),
            file: reader.text("a file", MAX_PATH_BYTES)?.to_owned(),
            line: reader.unsigned("a line number")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let frame = |function: &str, class: Option<&str>, file: &str| Frame {
            function: function.to_owned(),
            class: class.map(str::to_owned),
            file: file.to_owned(),
            line: 1,
        };
        let (name, path) = ("n".repeat(MAX_NAME_BYTES + 1), "p".repeat(MAX_PATH_BYTES + 1));
        let tracebacks = [
            Traceback { text: "t".repeat(MAX_MESSAGE_BYTES + 1), frames: Vec::new() },
            Traceback { text: String::new(), frames: vec![frame("f", None, "a.py"); MAX_FRAMES + 1] },
            Traceback { text: String::new(), frames: vec![frame(&name, None, "a.py")] },
            Traceback { text: String::new(), frames: vec![frame("f", Some(&name), "a.py")] },
            Traceback { text: String::new(), frames: vec![frame("f", None, &path)] },
        ];
        for traceback in tracebacks {
            let mut bytes = Vec::new();
            traceback.write(&mut Writer::new(&mut bytes));
            let read = Traceback::read(&mut Reader::new(&bytes)).expect_err("over a limit");
            assert!(matches!(read, Malformed::OverLimit { .. }), "{read}");
        }
    }
}
