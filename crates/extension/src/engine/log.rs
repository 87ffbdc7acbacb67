//! PHP's error log.

use std::ffi::CString;

use nix::libc::LOG_WARNING;

use super::ffi::php_log_err_with_severity;

/// Writes a warning to PHP's error log (the ini setting `error_log`, else what the server keeps). No PHP code runs.
pub(crate) fn log(message: &str) {
    // A text without NUL is C text.
    let Ok(message) = CString::new(format!("PHP Warning:  {message}")) else { return };
    // SAFETY: the engine reads the text, which ends with NUL, and keeps nothing of it.
    unsafe { php_log_err_with_severity(message.as_ptr(), LOG_WARNING) };
}
