//! Where the user's Python is, and where our Python side is.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Why the interpreter, or our library for it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// No such file, or not an executable one.
    #[error("the Python interpreter {} does not exist or is not executable; set --python (in PHP: tortoise.python)", .0.display())]
    NotExecutable(PathBuf),
    /// A bare name that stands in no folder of PATH.
    #[error(
        "there is no {} in PATH ({search}); set --python (in PHP: tortoise.python) to the interpreter's path",
        .name.display()
    )]
    NotInPath {
        /// The name.
        name: PathBuf,
        /// PATH.
        search: String,
    },
    /// We do not know where we are.
    #[error("cannot find the sidecar's own file: {0}")]
    Executable(io::Error),
    /// The library does not stand beside the binary.
    #[error("{} is missing; it belongs beside the sidecar's binary: install both from the same build", .0.display())]
    NoLibrary(PathBuf),
}

/// Whether `python` is a path rather than a name that is looked up in PATH.
pub(crate) fn is_path(python: &Path) -> bool {
    python.as_os_str().as_bytes().contains(&b'/')
}

/// The absolute path of the interpreter. Its links are kept: a venv is known by the link that starts it.
pub(crate) fn find(python: &Path) -> Result<PathBuf, InterpreterError> {
    if is_path(python) {
        return std::path::absolute(python)
            .ok()
            .filter(|path| is_executable(path))
            .ok_or_else(|| InterpreterError::NotExecutable(python.to_owned()));
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    find_in(python, &search).ok_or_else(|| InterpreterError::NotInPath {
        name: python.to_owned(),
        search: search.to_string_lossy().into_owned(),
    })
}

fn find_in(name: &Path, search: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(search)
        .filter_map(|folder| std::path::absolute(folder.join(name)).ok())
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The folder with our Python package: `../lib/tortoise` from the folder of our binary, links resolved.
///
/// # Errors
/// [`InterpreterError::NoLibrary`] names the file that is missing.
pub fn library() -> Result<PathBuf, InterpreterError> {
    let executable =
        std::env::current_exe().and_then(|path| path.canonicalize()).map_err(InterpreterError::Executable)?;
    library_of(&executable)
}

fn library_of(executable: &Path) -> Result<PathBuf, InterpreterError> {
    let prefix = executable.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let library = prefix.join("lib/tortoise");
    let entry = library.join("tortoise_worker/__main__.py");
    if entry.is_file() { Ok(library) } else { Err(InterpreterError::NoLibrary(entry)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_stands_beside_the_folder_of_the_binary() {
        let prefix = tempfile::tempdir().expect("a folder");
        let executable = prefix.path().join("bin/tortoise");
        let package = prefix.path().join("lib/tortoise/tortoise_worker");
        let error = library_of(&executable).expect_err("no library").to_string();
        assert!(error.starts_with(&format!("{}/__main__.py is missing", package.display())), "{error}");
        std::fs::create_dir_all(&package).expect("made");
        std::fs::write(package.join("__main__.py"), "").expect("written");
        assert_eq!(library_of(&executable).expect("the library"), prefix.path().join("lib/tortoise"));
    }

    #[test]
    fn an_interpreter_is_a_file_that_can_run_and_its_links_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("python");
        std::os::unix::fs::symlink("/bin/sh", &link).expect("a link");
        assert_eq!(find(&link).expect("the link"), link);
        let search = format!("/nowhere:{}", folder.path().display());
        assert_eq!(find_in(Path::new("python"), OsStr::new(&search)), Some(link));
        assert_eq!(find_in(Path::new("python"), OsStr::new("/nowhere")), None);
        for wrong in ["/nowhere/python", "/etc/passwd", "/etc/"] {
            let error = find(Path::new(wrong)).expect_err(wrong).to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
