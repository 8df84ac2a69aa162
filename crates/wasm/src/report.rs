//! Figures as plain numbers; `js/reports.js` gives them their names, in the same order.

use alloc::vec;
use alloc::vec::Vec;

use nanosecond_scheduler::strange_loop::Estimates;
use nanosecond_scheduler::{Metrics, WindowSummary};

/// The counters and times of a scheduler.
pub(crate) fn metrics(metrics: &Metrics) -> Vec<f64> {
    let whole = [
        metrics.elapsed_ns,
        metrics.ticks,
        metrics.idle_ticks,
        metrics.executed,
        metrics.cancelled,
        metrics.missed_deadlines,
        metrics.missed_ticks,
        metrics.pending as u64,
        metrics.memory_bytes as u64,
        metrics.avg_tick_time_ns,
        metrics.min_tick_time_ns,
        metrics.max_tick_time_ns,
    ];
    let mut figures: Vec<f64> = whole.iter().map(|figure| *figure as f64).collect();
    figures.push(metrics.tasks_per_second);
    figures
}

/// What the strange loop has found out.
pub(crate) fn estimates(estimates: &Estimates) -> Vec<f64> {
    vec![
        estimates.load,
        estimates.tick_time_ns,
        estimates.interval_ns,
        estimates.dispatch_latency_ns,
        estimates.residual_ns,
        estimates.error_bound_ns,
        f64::from(u8::from(estimates.is_converged)),
        estimates.observations as f64,
    ]
}

/// Five figures for each window: start, end, jobs started, their mean and greatest latency.
pub(crate) fn windows<'a>(windows: impl Iterator<Item = &'a WindowSummary>) -> Vec<f64> {
    windows
        .flat_map(|summary| {
            let latency_ns = summary.latency_ns;
            [
                summary.window.start_ns as f64,
                summary.window.end_ns as f64,
                latency_ns.count as f64,
                latency_ns.mean().unwrap_or(0.0),
                if latency_ns.count > 0 { latency_ns.max } else { 0.0 },
            ]
        })
        .collect()
}
