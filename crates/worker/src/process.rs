//! What a process of a worker asks of the system about its family.

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;

/// How often [`end_descendants`] looks, and what it waits in between: who is ended takes a moment, and may leave children.
const LOOKS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(1);

/// Makes this process the parent of those of its descendants whose parents end, so that they can be found and ended.
///
/// # Errors
/// The system's refusal.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: takes a number and changes nothing but the process's attribute.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })?;
    Ok(())
}

/// Ends the processes that descend from this one, also those that have left its group. For one that ends itself next: it takes
/// their statuses from whoever waits for them.
pub(crate) fn end_descendants() {
    for _ in 0..LOOKS {
        let children = children();
        if children.is_empty() {
            return;
        }
        // SAFETY: system calls on numbers only; those of children that nobody has waited for are no other's.
        unsafe {
            for child in children {
                libc::kill(child, libc::SIGKILL);
            }
            while libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) > 0 {}
        }
        thread::sleep(PAUSE);
    }
}

/// The children of all threads of this process, as far as the system says.
fn children() -> Vec<libc::pid_t> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}
