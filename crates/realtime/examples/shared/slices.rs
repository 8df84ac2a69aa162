//! Work cut in slices of time, so that two ways to do it can take turns on one machine.

use std::time::Duration;

/// Slices of `length`, with the times in each from the slice's start; `work` is in order of time.
pub(crate) fn of<T: Copy>(
    work: &[(Duration, T)],
    length: Duration,
) -> impl Iterator<Item = Vec<(Duration, T)>> + '_ {
    let number = move |at: Duration| at.as_nanos() / length.as_nanos();
    let start = move |at: Duration| length * number(at) as u32;
    work.chunk_by(move |(one, _), (next, _)| number(*one) == number(*next))
        .map(move |slice| slice.iter().map(|&(at, what)| (at - start(at), what)).collect())
}
