//! Latencies of a run, and how they are told.

use std::time::Duration;

/// Every latency of a run, in ns.
#[derive(Default)]
pub(crate) struct Latencies(Vec<u64>);

impl Latencies {
    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn over(&self, limit: Duration) -> usize {
        self.0.iter().filter(|latency| u128::from(**latency) > limit.as_nanos()).count()
    }

    /// The median, the 99th and 99.9th percentile, and the greatest, in µs.
    pub(crate) fn quantiles_us(&mut self) -> [(&'static str, f64); 4] {
        self.0.sort_unstable();
        let at = |permille: usize| {
            let rank = (self.0.len() * permille).div_ceil(1000).max(1);
            self.0.get(rank - 1).map_or(0.0, |latency| *latency as f64 / 1e3)
        };
        [("p50", at(500)), ("p99", at(990)), ("p99.9", at(999)), ("max", at(1000))]
    }
}

/// Prints the scheduler's run beside the bare loop's: how often the deadline was missed, and the
/// quantiles. What the bare loop shows is the machine's share, the difference the scheduler's.
pub(crate) fn print_beside(
    what: &str,
    deadline: Duration,
    ours: &mut Latencies,
    bare: &mut Latencies,
) {
    println!("{what:<32}{:>12}{:>12}{:>12}", "scheduler", "bare loop", "difference");
    let (late, bare_late) = (ours.over(deadline) as i64, bare.over(deadline) as i64);
    let over = format!("over the deadline of {deadline:?}");
    println!("{over:<32}{late:>12}{bare_late:>12}{:>+12}", late - bare_late);
    for ((name, ours), (_, bare)) in ours.quantiles_us().into_iter().zip(bare.quantiles_us()) {
        let name = format!("{name} in µs");
        println!("{name:<32}{ours:>12.2}{bare:>12.2}{:>+12.2}", ours - bare);
    }
}
