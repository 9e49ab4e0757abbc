//! The `cfgctl` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cfgctl::cli::run(std::env::args_os()) as u8)
}
