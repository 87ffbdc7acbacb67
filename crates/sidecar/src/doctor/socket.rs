//! Who can connect to a Unix socket of the settings, or make it.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::unistd::{AccessFlags, Uid, User, access};

use super::Check;

/// Looks at the socket, or at the folder that it will stand in.
pub(super) fn check(path: &Path) -> Check {
    let name = format!("rights of unix://{}", path.display());
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.file_type().is_socket() => Check::failure(
            name,
            "it is no socket, and the sidecar does not take its place",
            "remove it, or choose another address",
        ),
        Ok(metadata) => {
            let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
            let finding = format!("it belongs to {}, with mode {mode:04o}: PHP must run as that user", user(owner));
            if owner == Uid::effective().as_raw() {
                Check::ok(name, finding)
            } else {
                Check::warning(
                    name,
                    finding,
                    "run the sidecar as the user of PHP (User= in tortoise.service, `user` in the pool of PHP-FPM)",
                )
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => folder(name, path.parent().unwrap_or(Path::new("/"))),
        Err(error) => Check::failure(
            name,
            format!("it cannot be looked at ({error})"),
            "run the doctor as the user of the sidecar, as whom PHP must run too",
        ),
    }
}

fn folder(name: String, folder: &Path) -> Check {
    let shown = folder.display();
    let me = user(Uid::effective().as_raw());
    match access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
        Ok(()) => Check::ok(name, format!("there is none yet, and {me} can make it in {shown}")),
        Err(error) => Check::failure(
            name,
            format!("there is none, and {me} cannot make it in {shown} ({error})"),
            format!(
                "make the folder, for the user of the sidecar alone: install -d -m 0700 -o USER {shown} (systemd: RuntimeDirectory=)"
            ),
        ),
    }
}

/// A user's name and number.
fn user(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => format!("user {} ({id})", user.name),
        _ => format!("user {id}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_socket_and_its_place_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.sock");
        let none = check(&path);
        assert!(!none.is_failure() && none.finding.contains("there is none yet"), "{none:?}");
        let _listener = UnixListener::bind(&path).expect("bound");
        let socket = check(&path);
        assert!(!socket.is_failure() && socket.finding.contains("PHP must run as that user"), "{socket:?}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        assert!(check(&file).is_failure());
        let nowhere = check(Path::new("/nowhere/t.sock"));
        assert!(nowhere.is_failure() && nowhere.advice.contains("install -d -m 0700"), "{nowhere:?}");
    }
}
