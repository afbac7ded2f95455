//! The program: the reading child, or the command line.

use std::process::ExitCode;
use vankho::{cli, content};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == content::child::WORD) {
        return content::child::main(args);
    }
    cli::main()
}
