//! What the figures were measured on, and the threads that they were measured with.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use nanosecond_realtime::os::{self, Outcome, SchedClass};
use nanosecond_scheduler::TscClock;
use rustix::time::{clock_gettime, ClockId};

/// The core of the thread that measures, and another for threads that it works with, if there is
/// one. The first core serves most interrupts, so it measures on the last.
pub(crate) fn cores() -> (usize, Option<usize>) {
    static CORES: OnceLock<Vec<usize>> = OnceLock::new();
    // Once, before the thread is pinned.
    match CORES.get_or_init(os::available_cores).as_slice() {
        [others @ .., last] => (*last, others.first().copied()),
        [] => (0, None),
    }
}

/// Prepares the calling thread, and says what the figures depend on.
pub(crate) fn describe() -> String {
    let count = os::available_cores().len();
    let [pinned, class, slack] = prepare_thread(cores().0);
    let clock = match TscClock::new() {
        Ok(clock) => format!(
            "time stamp counter at {:.6} GHz, calibrated to {:.2} ppm",
            clock.frequency_hz() as f64 / 1e9,
            clock.calibration_error_ppm()
        ),
        Err(reason) => format!("the system's monotonic clock ({reason})"),
    };
    let throttling = os::throttling().map_or("no".into(), |throttling| throttling.to_string());
    let load = read("/proc/loadavg");
    let load = load.rsplitn(3, ' ').last().unwrap_or("unknown");
    [
        ("date", date()),
        ("cpu", format!("{}, {count} cores", cpu_info("model name"))),
        ("virtual machine", if is_virtual() { "yes".into() } else { "not that it says".into() }),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("clock", clock),
        ("pinned to a core", pinned.to_string()),
        ("class FIFO 50", class.to_string()),
        ("timer slack 1 ns", slack.to_string()),
        ("throttling", throttling),
        ("load, 1 5 15 min", load.into()),
    ]
    .map(|(name, value)| format!("{name:<18} {value}"))
    .join("\n")
}

/// Pins the calling thread, and makes it as real-time as the system permits.
pub(crate) fn prepare_thread(core: usize) -> [Outcome; 3] {
    [os::pin_to_core(core), os::set_class(SchedClass::Fifo(50)), os::set_timer_slack(1)]
}

/// Processor time that the calling thread has taken.
pub(crate) fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("no thread takes negative time")
}

fn is_virtual() -> bool {
    cpu_info("flags").split(' ').any(|flag| flag == "hypervisor")
}

/// The first value of a field.
fn cpu_info(field: &str) -> String {
    let info = read("/proc/cpuinfo");
    let value = info.lines().find_map(|line| line.strip_prefix(field)?.split_once(": "));
    value.map_or("unknown".into(), |(_, value)| value.into())
}

fn date() -> String {
    let output = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    output.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().into())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or("unknown".into(), |text| text.trim().into())
}
