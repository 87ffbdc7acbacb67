//! What a process of a worker asks of the system about its family.

use std::io;

use nix::errno::Errno;
use nix::libc;

/// Makes this process the parent of those of its descendants whose parents end, so that they can be found and ended.
///
/// # Errors
/// The system's refusal.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: takes a number and changes nothing but the process's attribute.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })?;
    Ok(())
}
