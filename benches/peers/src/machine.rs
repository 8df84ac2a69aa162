//! What the figures were measured on.

use std::fs;
use std::thread::available_parallelism;

use nanosecond_scheduler::TscClock;

pub fn describe() -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let tsc = match TscClock::new() {
        Ok(clock) => format!("{:.3} GHz", clock.frequency_hz() as f64 / 1e9),
        Err(reason) => format!("none ({reason})"),
    };
    format!(
        "cpu    {}, {cores} cores\ntsc    {tsc}\nkernel {}\nrustc  {}",
        cpu_model(),
        read("/proc/sys/kernel/osrelease"),
        env!("RUSTC_VERSION"),
    )
}

fn cpu_model() -> String {
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or("unknown".into(), |(_, model)| model.trim().into())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or("unknown".into(), |text| text.trim().into())
}
