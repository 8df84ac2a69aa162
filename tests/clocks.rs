//! The clocks of the operating system and the processor.
#![cfg(feature = "std")]

use std::thread;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Clock, ClockError, DefaultClock, MonotonicClock, TimePoint, TscClock};

/// The time stamp clock, or `None` where this machine has none that is sound; then it is also
/// checked that the answer stays the same and that the default clock does without.
fn tsc() -> Option<TscClock> {
    let found = TscClock::new();
    if let Err(reason) = &found {
        eprintln!("no time stamp clock here: {reason}");
        assert_eq!(TscClock::new().err().as_ref(), Some(reason));
        assert_advances(&DefaultClock::new());
    }
    found.ok()
}

fn assert_advances(clock: &impl Clock) {
    let (start, patience) = (clock.now(), Instant::now());
    while clock.now() <= start {
        assert!(patience.elapsed() < Duration::from_secs(5), "the clock stands at {start}");
    }
}

/// A reading of `clock` between two of the reference.
fn bracket(clock: &impl Clock) -> (Instant, TimePoint, Instant) {
    (Instant::now(), clock.now(), Instant::now())
}

#[test]
fn tsc_keeps_pace_with_instant() {
    /// Covers readings that the processor reorders by some tens of nanoseconds.
    const REORDERING_NS: f64 = 500.0;
    let Some(clock) = tsc() else { return };
    // The measured bound, plus what the time synchronisation may change meanwhile.
    let tolerance = (clock.calibration_error_ppm() + 40.0) * 1e-6;

    let (first_start, first, first_end) = bracket(&clock);
    thread::sleep(Duration::from_millis(200));
    let (last_start, last, last_end) = bracket(&clock);

    // However long the brackets were interrupted, the truth lies between these two.
    let least = last_start.duration_since(first_end).as_nanos() as f64;
    let most = last_end.duration_since(first_start).as_nanos() as f64;
    let elapsed = last.duration_since(first).as_nanos() as f64;
    assert!(
        elapsed >= least * (1.0 - tolerance) - REORDERING_NS,
        "{elapsed} ns of {least}..{most}"
    );
    assert!(elapsed <= most * (1.0 + tolerance) + REORDERING_NS, "{elapsed} ns of {least}..{most}");
}

#[test]
fn tsc_states_a_plausible_frequency_and_error() {
    let Some(clock) = tsc() else { return };
    let hz = clock.frequency_hz();
    assert!((100_000_000..=10_000_000_000).contains(&hz), "{hz} Hz");
    let ppm = clock.calibration_error_ppm();
    assert!(ppm > 0.0 && ppm <= 100.0, "{ppm} ppm");
}

#[test]
fn tsc_clocks_share_origin_and_scale() {
    let Some(a) = tsc() else { return };
    let b = TscClock::new().expect("the answer is the process's");
    assert_eq!(a.frequency_hz(), b.frequency_hz());
    for _ in 0..1_000 {
        let readings = [a.now(), b.now(), a.now()];
        assert!(readings.is_sorted(), "{readings:?}");
    }
}

/// The kernel's own view of the counter decides whether `new` may fail here.
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
#[test]
fn tsc_is_taken_exactly_where_processor_and_kernel_vouch_for_it() {
    use std::fs::read_to_string;
    let Ok(cpuinfo) = read_to_string("/proc/cpuinfo") else {
        eprintln!("no /proc here: nothing to compare with");
        return;
    };
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or("");
    let invariant = flags.split_whitespace().any(|flag| flag == "nonstop_tsc");
    let clocksource = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let clocksource = read_to_string(clocksource).ok();

    let found = TscClock::new();
    match clocksource.as_deref().map(str::trim) {
        _ if !invariant => assert_eq!(found.err(), Some(ClockError::NoInvariantTsc)),
        Some("tsc") => assert!(found.is_ok(), "{found:?}"),
        Some(other) => {
            assert_eq!(found.err(), Some(ClockError::Unstable { clocksource: other.to_owned() }));
        }
        None => assert_eq!(found.err(), Some(ClockError::UnknownClocksource)),
    }
}

#[cfg(any(not(target_arch = "x86_64"), miri))]
#[test]
fn tsc_is_refused_elsewhere() {
    assert_eq!(TscClock::new().err(), Some(ClockError::Unsupported));
}

/// Readings of other threads lie between two readings around their lives.
fn assert_shared<C: Clock + 'static>(new: fn() -> C) {
    let before = new().now();
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(move || new().now())).collect();
    let readings: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let after = new().now();
    for reading in readings {
        assert!(before <= reading && reading <= after, "{reading} not in {before}..{after}");
    }
}

#[test]
fn instants_of_several_threads_compare() {
    assert_shared(MonotonicClock::new);
    assert_shared(DefaultClock::new);
    if tsc().is_some() {
        assert_shared(|| TscClock::new().expect("the answer is the process's"));
    }
}

#[test]
fn monotonic_clock_never_decreases_and_advances() {
    let (a, b) = (MonotonicClock::new(), MonotonicClock::default());
    let mut last = TimePoint::ZERO;
    for _ in 0..if cfg!(miri) { 100 } else { 100_000 } {
        for now in [a.now(), b.now()] {
            assert!(now >= last, "{now} after {last}");
            last = now;
        }
    }
    assert_advances(&a);
}

#[test]
fn monotonic_clock_keeps_pace_with_instant() {
    let clock = MonotonicClock::new();
    let (first_start, first, first_end) = bracket(&clock);
    thread::sleep(Duration::from_millis(5));
    let (last_start, last, last_end) = bracket(&clock);
    let elapsed = last.duration_since(first);
    assert!(elapsed >= last_start.duration_since(first_end));
    assert!(elapsed <= last_end.duration_since(first_start));
}

#[test]
fn default_clock_is_the_tsc_where_sound_and_always_advances() {
    let clock = DefaultClock::new();
    assert_advances(&clock);
    assert_advances(&DefaultClock::default());
    match tsc() {
        Some(tsc) => {
            let readings = [clock.now(), tsc.now(), clock.now()];
            assert!(readings.is_sorted(), "{readings:?}");
        }
        None => {
            let monotonic = MonotonicClock::new();
            let readings = [clock.now(), monotonic.now(), clock.now()];
            assert!(readings.is_sorted(), "{readings:?}");
        }
    }
}

#[test]
fn instants_count_from_the_first_use_in_the_process() {
    let age = TimePoint::from_nanos(600_000_000_000); // of this process, generously
    let now = [DefaultClock::new().now(), MonotonicClock::new().now()];
    assert!(now.iter().all(|now| *now < age), "{now:?}");
}

#[test]
fn clocks_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<TscClock>();
    crosses::<MonotonicClock>();
    crosses::<DefaultClock>();
    crosses::<ClockError>();
}
