//! The `cfgctl` binary: parse, run, exit code.

fn main() {}
