//! Work cut in slices of time, so that two ways to do it can take turns on one machine.

use std::io::{self, IsTerminal};
use std::time::Duration;

/// Gives `turn` slice after slice of `length`, with the times in each from the slice's start. `work` is
/// in order of time. Progress is shown on a terminal.
pub(crate) fn for_each<T: Copy, E>(
    work: &[(Duration, T)],
    length: Duration,
    mut turn: impl FnMut(&[(Duration, T)]) -> Result<(), E>,
) -> Result<(), E> {
    let number = |at: Duration| at.as_nanos() / length.as_nanos();
    let shows_progress = io::stderr().is_terminal();
    let mut done = 0;
    for slice in work.chunk_by(|(one, _), (next, _)| number(*one) == number(*next)) {
        let start = length * number(slice[0].0) as u32;
        let slice: Vec<_> = slice.iter().map(|&(at, what)| (at - start, what)).collect();
        turn(&slice)?;
        done += slice.len();
        if shows_progress {
            eprint!("\r{:3} %\r", done * 100 / work.len());
        }
    }
    Ok(())
}
