//! Measuring several contenders in turn, so that what disturbs the machine disturbs them all.

use std::time::Instant;

/// A name and what runs `count` times.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnMut(u64) + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut(u64) + 'a) -> Self {
        Contender { name, run: Box::new(run) }
    }
}

/// The median of each contender's ns per run over `rounds` interleaved rounds of `count` runs.
pub(crate) fn medians(contenders: &mut [Contender<'_>], rounds: usize, count: u64) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (contender.run)(count);
            times.push(start.elapsed().as_nanos() as f64 / count as f64);
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
