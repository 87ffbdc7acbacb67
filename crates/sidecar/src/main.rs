//! The `tortoise` binary: parses its command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use tortoise_sidecar::cli::Cli;

fn main() -> ExitCode {
    match tortoise_sidecar::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
