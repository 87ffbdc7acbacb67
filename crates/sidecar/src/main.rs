//! The `tortoise` binary: hands its command line over.

use std::process::ExitCode;

fn main() -> ExitCode {
    let result = tortoise_sidecar::cli::parse(std::env::args_os()).map(tortoise_sidecar::run);
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        // Help and versions come this way too.
        Err(answer) => answer.exit(),
    }
}
