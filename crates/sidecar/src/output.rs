//! What Python prints: from a worker's pipe into the log, bounded in every direction.

use std::collections::VecDeque;
use std::fmt::Write;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Instant, sleep_until};

/// Bytes of one line; the rest of a longer one is left out.
const MAX_LINE_BYTES: usize = 8 << 10;

/// Bytes that are logged in one second, so that a program that prints without end does not fill the disk.
const MAX_BYTES_PER_SECOND: usize = 256 << 10;

/// Lines that are logged in one second: a line costs more than its bytes.
const MAX_LINES_PER_SECOND: usize = 1000;

const SECOND: Duration = Duration::from_secs(1);

/// Last lines that are kept, to explain why a worker did not start.
const KEPT_LINES: usize = 8;

/// Bytes that are kept of each of those.
const KEPT_LINE_BYTES: usize = 500;

/// The last lines that were printed.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastLines(Arc<Mutex<VecDeque<String>>>);

impl LastLines {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        let end = (0..=line.len().min(KEPT_LINE_BYTES)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        lines.push_back(line[..end].to_owned());
    }

    /// The lines as one text; empty if nothing was printed.
    pub(crate) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// A pipe for a worker's standard output and error, and the end that it inherits.
pub(crate) fn pipe() -> io::Result<(Receiver, OwnedFd)> {
    let (near, far) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    Ok((Receiver::from_owned_fd(near)?, far))
}

/// Logs every line until the last process that holds the pipe is gone.
pub(crate) async fn log_lines(pipe: impl AsyncRead + Unpin, last: LastLines) {
    copy_lines(pipe, |line| {
        tracing::info!("python: {line}");
        last.push(line);
    })
    .await;
}

async fn copy_lines(mut pipe: impl AsyncRead + Unpin, mut log: impl FnMut(&str)) {
    let mut lines = Lines::default();
    let mut budget = Budget::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        tokio::select! {
            read = pipe.read(&mut buffer) => match read {
                Ok(count @ 1..) => {
                    lines.split(&buffer[..count], |line| budget.spend(line, Instant::now(), &mut log));
                }
                _ => break,
            },
            () = sleep_until(budget.since + SECOND), if budget.suppressed > 0 => budget.renew(Instant::now(), &mut log),
        }
    }
    lines.finish(|line| budget.spend(line, Instant::now(), &mut log));
    budget.report(&mut log);
}

/// Cuts a stream of bytes into lines of bounded length.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
    /// Bytes of the present line that were left out.
    left_out: usize,
}

impl Lines {
    fn split(&mut self, bytes: &[u8], mut whole: impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            let room = MAX_LINE_BYTES - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            self.left_out += text.len().saturating_sub(room);
            if text.len() < part.len() {
                self.emit(&mut whole);
            }
        }
    }

    fn finish(&mut self, mut whole: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.emit(&mut whole);
        }
    }

    fn emit(&mut self, whole: &mut impl FnMut(&str)) {
        let mut text = printable(&self.line);
        if self.left_out > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, " … ({} more bytes)", self.left_out);
        }
        whole(&text);
        self.line.clear();
        self.left_out = 0;
    }
}

/// The bytes as text that can harm no terminal and fake no line of the log.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\t' => text.push('\t'),
                '\r' => {}
                control if control.is_control() => text.extend(control.escape_default()),
                usual => text.push(usual),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// What may still be logged in the present second.
#[derive(Debug)]
struct Budget {
    since: Instant,
    bytes: usize,
    lines: usize,
    suppressed: usize,
}

impl Budget {
    fn new() -> Self {
        Self { since: Instant::now(), bytes: MAX_BYTES_PER_SECOND, lines: MAX_LINES_PER_SECOND, suppressed: 0 }
    }

    fn spend(&mut self, line: &str, now: Instant, log: &mut impl FnMut(&str)) {
        if now.duration_since(self.since) >= SECOND {
            self.renew(now, log);
        }
        // Once something is left out, the rest of the second is too: scattered lines would only mislead.
        if self.suppressed > 0 || self.lines == 0 || line.len() > self.bytes {
            self.suppressed += 1;
        } else {
            self.lines -= 1;
            self.bytes -= line.len();
            log(line);
        }
    }

    fn renew(&mut self, now: Instant, log: &mut impl FnMut(&str)) {
        self.report(log);
        *self = Self { since: now, ..Self::new() };
    }

    fn report(&mut self, log: &mut impl FnMut(&str)) {
        if self.suppressed > 0 {
            log(&format!("({} lines suppressed: more than is logged in one second)", self.suppressed));
            self.suppressed = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn logged(bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        copy_lines(bytes, |line| lines.push(line.to_owned())).await;
        lines
    }

    #[tokio::test]
    async fn lines_come_out_one_by_one_and_the_last_needs_no_end() {
        assert_eq!(logged(b"one\n\ntwo\r\nthree").await, ["one", "", "two", "three"]);
    }

    #[tokio::test]
    async fn no_byte_is_interpreted() {
        assert_eq!(
            logged(b"\x1b[31mred\x00\x07 caf\xc3\xa9 \xff\xfe\ta").await,
            ["\\u{1b}[31mred\\u{0}\\u{7} café \\xff\\xfe\ta"]
        );
    }

    #[tokio::test]
    async fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut bytes = vec![b'a'; 100_000];
        bytes.extend_from_slice(b"\nnext\n");
        let lines = logged(&bytes).await;
        assert_eq!(lines[0], format!("{} … ({} more bytes)", "a".repeat(MAX_LINE_BYTES), 100_000 - MAX_LINE_BYTES));
        assert_eq!(lines[1], "next");
    }

    #[test]
    fn a_flood_is_counted_and_the_next_second_is_heard() {
        let start = Instant::now();
        let mut budget = Budget::new();
        let mut lines = Vec::new();
        let mut log = |line: &str| lines.push(line.to_owned());
        for _ in 0..MAX_LINES_PER_SECOND + 5 {
            budget.spend("x", start, &mut log);
        }
        budget.spend("later", start + Duration::from_secs(2), &mut log);
        assert_eq!(lines.len(), MAX_LINES_PER_SECOND + 2);
        assert_eq!(lines[MAX_LINES_PER_SECOND], "(5 lines suppressed: more than is logged in one second)");
        assert_eq!(lines[MAX_LINES_PER_SECOND + 1], "later");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_suppressed_is_said_when_the_flood_is_over() {
        let (near, far) = tokio::io::duplex(1 << 20);
        let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
        let copying = tokio::spawn(async move {
            copy_lines(far, |line| sender.send(line.to_owned()).expect("somebody listens")).await;
        });
        let mut near = near;
        tokio::io::AsyncWriteExt::write_all(&mut near, "x\n".repeat(MAX_LINES_PER_SECOND + 7).as_bytes())
            .await
            .expect("written");
        let last = loop {
            match lines.recv().await.as_deref() {
                Some("x") => {}
                other => break other.map(str::to_owned),
            }
        };
        assert_eq!(last.as_deref(), Some("(7 lines suppressed: more than is logged in one second)"));
        drop(near);
        copying.await.expect("ended");
    }

    #[test]
    fn long_lines_use_up_the_second_sooner() {
        let line = "x".repeat(MAX_LINE_BYTES);
        let mut budget = Budget::new();
        let mut count = 0;
        for _ in 0..MAX_LINES_PER_SECOND {
            let now = budget.since;
            budget.spend(&line, now, &mut |_| count += 1);
        }
        assert_eq!(count, MAX_BYTES_PER_SECOND / MAX_LINE_BYTES);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let last = LastLines::default();
        (0..20).for_each(|number| last.push(&format!("line {number}")));
        last.push(&"é".repeat(KEPT_LINE_BYTES));
        let text = last.text();
        assert!(text.starts_with("line 13\nline 14\n"), "{text}");
        assert_eq!(text.lines().last().map(str::len), Some(KEPT_LINE_BYTES));
    }
}
