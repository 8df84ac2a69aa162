//! Figures as plain numbers, told to the host one by one; `js/reports.js` gives them their names, in the
//! same order.

use nanosecond_scheduler::strange_loop::Estimates;
use nanosecond_scheduler::{Metrics, WindowSummary};

use crate::host::figure;

/// The counters and times of a scheduler.
pub(crate) fn metrics(metrics: &Metrics) {
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
    whole.iter().for_each(|whole| figure(*whole as f64));
    figure(metrics.tasks_per_second);
}

/// What the strange loop has found out.
pub(crate) fn estimates(estimates: &Estimates) {
    let figures = [
        estimates.load,
        estimates.tick_time_ns,
        estimates.interval_ns,
        estimates.dispatch_latency_ns,
        estimates.residual_ns,
        estimates.error_bound_ns,
        f64::from(u8::from(estimates.is_converged)),
        estimates.observations as f64,
    ];
    figures.into_iter().for_each(figure);
}

/// Five figures for each window: start, end, jobs started, their mean and greatest latency.
pub(crate) fn windows<'a>(windows: impl Iterator<Item = &'a WindowSummary>) {
    for summary in windows {
        let latency_ns = summary.latency_ns;
        figure(to_f64(summary.window.start_ns));
        figure(to_f64(summary.window.end_ns));
        figure(latency_ns.count as f64);
        figure(latency_ns.mean().unwrap_or(0.0));
        figure(if latency_ns.count > 0 { latency_ns.max } else { 0.0 });
    }
}

/// The nearest double; a bound that is no instant is that near to one.
fn to_f64(ns: i128) -> f64 {
    let magnitude = ns.unsigned_abs() as u64 as f64;
    if ns < 0 {
        -magnitude
    } else {
        magnitude
    }
}
