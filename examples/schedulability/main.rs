//! Checks task sets: which of them keep all their deadlines on one processor, and with what response
//! times?
//!
//! `cargo run --release --example schedulability -- FILE.json` reads sets of tasks and prints one line
//! of JSON for each. Without a file it takes the one that ships with it.

mod check;
mod options;
mod sets;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use options::{Options, HELP};

fn main() -> ExitCode {
    let options = match options::parse(std::env::args_os()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("schedulability: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let sets = match sets::read(&options.file) {
        Ok(sets) => sets,
        Err(error) => {
            eprintln!("schedulability: {}: {error}", options.file.display());
            return ExitCode::from(2);
        }
    };
    match print(&options, &sets) {
        // The reader of a pipe may leave when it has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("schedulability: cannot write: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn print(options: &Options, sets: &[sets::TaskSet]) -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    for set in sets {
        serde_json::to_writer(&mut output, &check::verdicts(set, options))?;
        writeln!(output)?;
        output.flush()?; // The next set may take its time.
    }
    Ok(())
}
