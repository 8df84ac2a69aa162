//! The processor's time stamp counter: the only file that reads it.

use alloc::string::String;
use core::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::calibrate::{calibrate, FREQUENCIES_HZ};
use super::Clock;
use crate::time::{saturating_nanos, TimePoint};

/// How long the first clock of a process measures the counter's frequency.
const CALIBRATION: Duration = Duration::from_millis(10);

/// The time stamp counter of an x86-64 processor, the cheapest clock there is.
///
/// # Design
///
/// A read is one plain `RDTSC`, a subtraction and a multiplication; no system call, no lock, no
/// fence. On a 2-core x86-64 VM (2026-11-21) it took 9.5 ns, as much as the bare instruction, and
/// `MonotonicClock` 26. Origin and scale belong to the process and are set by its first `TscClock`,
/// so the instants of all `TscClock`s of a process compare.
///
/// # Platform
///
/// The type exists on every target with `std`, so that code compiles everywhere; [`new`](Self::new)
/// succeeds on x86-64 only, and there only if the processor states that its counter is invariant
/// (CPUID leaf `0x8000_0007`, EDX bit 8), that is, ticks at one rate in all power states. On Linux
/// and Android the kernel must also use the counter as its own clocksource: a kernel that distrusts
/// the counter has watched it longer than we have. Where `/sys` does not tell, the answer is no.
/// Under Miri there is no counter.
///
/// # Calibration
///
/// The first `new` of a process measures the frequency against [`Instant`] over 10 ms, mostly
/// asleep; concurrent callers wait for it, later ones do not. Each reading of the counter is
/// bracketed by two of the reference. The 25 narrowest of 200 brackets count at each end, and their
/// width over the interval bounds the error:
/// [`calibration_error_ppm`](Self::calibration_error_ppm). On the same VM 200 processes had an
/// error of 0.08 ppm in the median and 0.36 at worst, and a bound of 5.2 ppm in the median.
///
/// A frequency that the processor states in full (CPUID leaf `0x15` with all three figures) is
/// preferred where it agrees with the measurement within that bound, and ignored where it does not,
/// as in virtual machines that were given another host's. Leaf `0x16` is a marketing figure in MHz
/// and never used.
///
/// # Caveats
///
/// - Against the system's clock it drifts by the error of the calibration (0.1 ppm are 9 ms a day)
///   and by whatever time synchronisation changes later: nothing re-anchors it. For instants that
///   must keep up with the system's clock over hours use `MonotonicClock`.
/// - The processor may run `RDTSC` ahead of the instructions before it, so reads of two threads can
///   come out in the wrong order: on the same VM by up to 0.5 µs under a lock, 3.5 µs without. In
///   one thread 3·10⁸ reads showed no step back; the scheduler clamps what it reads anyway.
/// - Suspending a machine to memory may restart the counter. The clock then stalls, at worst at
///   its origin, until the counter has caught up. Where machines sleep, use `MonotonicClock`.
///
/// ```
/// use nanosecond_scheduler::{Clock, TscClock};
///
/// match TscClock::new() {
///     Ok(clock) => assert!(clock.now() <= clock.now()),
///     Err(reason) => println!("another clock, then: {reason}"),
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TscClock {
    counter: Counter,
    origin: u64,
    scale: Scale,
    frequency_hz: u64,
    error_ppm: f64,
}

impl TscClock {
    /// The process's time stamp clock; the first call takes about 10 ms.
    ///
    /// # Errors
    ///
    /// The reason why the counter is no sound clock here. It is found once: every later call
    /// gives the same answer.
    pub fn new() -> Result<Self, ClockError> {
        static PROCESS: OnceLock<Result<TscClock, ClockError>> = OnceLock::new();
        PROCESS.get_or_init(Self::measure).clone()
    }

    fn measure() -> Result<Self, ClockError> {
        let counter = Counter::find()?;
        let start = Instant::now();
        let measured = calibrate(
            || counter.read(),
            || saturating_nanos(start.elapsed()),
            || std::thread::sleep(CALIBRATION),
        )
        .ok_or(ClockError::CalibrationFailed)?;
        let chosen = counter.stated_hz().map_or(measured, |hz| measured.refined_by(hz));
        let scale = Scale::from_hz(chosen.frequency_hz).ok_or(ClockError::CalibrationFailed)?;
        Ok(Self {
            counter,
            origin: chosen.origin,
            scale,
            frequency_hz: chosen.frequency_hz,
            error_ppm: chosen.error_ppm,
        })
    }

    /// Ticks of the counter per second.
    #[must_use]
    pub fn frequency_hz(&self) -> u64 {
        self.frequency_hz
    }

    /// Bound on the error of [`frequency_hz`](Self::frequency_hz) against the system's monotonic
    /// clock at the time of the calibration, in parts per million; at most 100.
    #[must_use]
    pub fn calibration_error_ppm(&self) -> f64 {
        self.error_ppm
    }
}

impl Clock for TscClock {
    #[inline]
    fn now(&self) -> TimePoint {
        let ticks = self.counter.read().saturating_sub(self.origin);
        TimePoint::from_nanos(self.scale.nanos(ticks))
    }
}

/// Why there is no [`TscClock`] here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockError {
    /// The target is not x86-64.
    Unsupported,
    /// The processor does not state that its counter ticks at one rate in all power states.
    NoInvariantTsc,
    /// The kernel keeps time by something else, so it does not trust the counter.
    Unstable {
        /// What the kernel keeps time by, for example `hpet`.
        clocksource: String,
    },
    /// The kernel does not say what it keeps time by: its `/sys` cannot be read.
    UnknownClocksource,
    /// The measured frequency was implausible or its error too large.
    CalibrationFailed,
}

impl fmt::Display for ClockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("no time stamp counter on this target"),
            Self::NoInvariantTsc => {
                f.write_str("the processor has no invariant time stamp counter")
            }
            Self::Unstable { clocksource } => {
                write!(f, "the kernel's clocksource is `{clocksource}`, not `tsc`")
            }
            Self::UnknownClocksource => f.write_str("the kernel's clocksource cannot be read"),
            Self::CalibrationFailed => {
                f.write_str("the time stamp counter's frequency could not be measured")
            }
        }
    }
}

impl core::error::Error for ClockError {}

/// Ticks to nanoseconds: `ns = ticks · mult / 2^SHIFT`.
#[derive(Clone, Copy, Debug)]
struct Scale {
    mult: u64,
}

impl Scale {
    /// At the lowest frequency a tick is 10 ns, so `mult` needs 64 bits; at the highest it is
    /// 0.1 ns and rounding `mult` costs less than 1e-11 ppm.
    const SHIFT: u32 = 60;

    /// `None` outside [`FREQUENCIES_HZ`].
    fn from_hz(hz: u64) -> Option<Self> {
        const NANOS: u128 = 1_000_000_000 << Scale::SHIFT;
        let hz = u128::from(Some(hz).filter(|hz| FREQUENCIES_HZ.contains(hz))?);
        u64::try_from((NANOS + hz / 2) / hz).ok().map(|mult| Self { mult })
    }

    /// Within 1 ns of the exact product over three years, within 9 ns over all `u64` ticks;
    /// saturates after 584 years.
    #[inline]
    fn nanos(self, ticks: u64) -> u64 {
        let nanos = (u128::from(ticks) * u128::from(self.mult)) >> Self::SHIFT;
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
use absent::Counter;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use x86_64::Counter;

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86_64 {
    use alloc::borrow::ToOwned;
    use alloc::string::String;
    use core::arch::x86_64::{__cpuid, _rdtsc, CpuidResult};

    use super::ClockError;

    /// Where Linux tells what it keeps time by.
    const CLOCKSOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    /// Proof that the counter is sound, and the way to read it.
    #[derive(Clone, Copy, Debug)]
    pub(super) struct Counter(());

    impl Counter {
        pub(super) fn find() -> Result<Self, ClockError> {
            let power = cpuid(0x8000_0007).ok_or(ClockError::NoInvariantTsc)?;
            if power.edx & (1 << 8) == 0 {
                return Err(ClockError::NoInvariantTsc);
            }
            if cfg!(any(target_os = "linux", target_os = "android")) {
                trusted_by_kernel(std::fs::read_to_string(CLOCKSOURCE).ok())?;
            }
            Ok(Self(()))
        }

        #[inline]
        pub(super) fn read(self) -> u64 {
            // SAFETY: every x86-64 processor has RDTSC, and it touches no memory.
            unsafe { _rdtsc() }
        }

        /// The frequency that the processor states, if it states one in full.
        pub(super) fn stated_hz(self) -> Option<u64> {
            cpuid(0x15).and_then(crystal_hz)
        }
    }

    /// The processor's answer for `leaf`, or `None` if it has no such leaf.
    #[allow(unused_unsafe)] // `__cpuid` became safe after our minimum Rust version
    fn cpuid(leaf: u32) -> Option<CpuidResult> {
        // SAFETY: every x86-64 processor has CPUID, and it touches no memory.
        let last = unsafe { __cpuid(leaf & 0x8000_0000) }.eax;
        // SAFETY: as above.
        (leaf <= last).then(|| unsafe { __cpuid(leaf) })
    }

    /// Leaf `0x15`: crystal frequency in ECX, the counter's ratio to it as EBX / EAX; 0 is unknown.
    fn crystal_hz(leaf: CpuidResult) -> Option<u64> {
        let CpuidResult { eax, ebx, ecx, .. } = leaf;
        let hz = (u64::from(ecx) * u64::from(ebx)).checked_div(u64::from(eax))?;
        (hz > 0).then_some(hz)
    }

    /// Judges the text of [`CLOCKSOURCE`], `None` if it could not be read.
    fn trusted_by_kernel(clocksource: Option<String>) -> Result<(), ClockError> {
        match clocksource.as_deref().map(str::trim) {
            Some("tsc") => Ok(()),
            Some("") | None => Err(ClockError::UnknownClocksource),
            Some(other) => Err(ClockError::Unstable { clocksource: other.to_owned() }),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_a_kernel_on_tsc_is_trusted() {
            let judge = |text: &str| trusted_by_kernel(Some(text.to_owned()));
            assert_eq!(judge("tsc\n"), Ok(()));
            assert_eq!(
                judge("hpet\n"),
                Err(ClockError::Unstable { clocksource: "hpet".to_owned() })
            );
            assert!(judge("hyperv_clocksource_tsc_page\n").is_err());
            assert_eq!(judge("\n"), Err(ClockError::UnknownClocksource));
            assert_eq!(trusted_by_kernel(None), Err(ClockError::UnknownClocksource));
        }

        #[test]
        fn leaf_0x15_counts_only_in_full() {
            let leaf = |eax, ebx, ecx| crystal_hz(CpuidResult { eax, ebx, ecx, edx: 0 });
            assert_eq!(leaf(2, 176, 24_000_000), Some(2_112_000_000)); // a Skylake's
            assert_eq!(leaf(2, 200, 0), None); // crystal not stated
            assert_eq!(leaf(2, 0, 24_000_000), None);
            assert_eq!(leaf(0, 176, 24_000_000), None);
            assert_eq!(leaf(1, u32::MAX, u32::MAX), Some(u64::from(u32::MAX).pow(2)));
        }

        #[test]
        fn absent_leaves_are_none() {
            assert!(cpuid(0).is_some());
            assert!(cpuid(0x7FFF_FFFF).is_none());
            assert!(cpuid(0xFFFF_FFFF).is_none());
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod absent {
    use super::ClockError;

    /// No counter, no value.
    #[derive(Clone, Copy, Debug)]
    pub(super) enum Counter {}

    impl Counter {
        pub(super) fn find() -> Result<Self, ClockError> {
            Err(ClockError::Unsupported)
        }

        pub(super) fn read(self) -> u64 {
            match self {}
        }

        pub(super) fn stated_hz(self) -> Option<u64> {
            match self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    fn scale(hz: u64) -> Scale {
        Scale::from_hz(hz).unwrap()
    }

    #[test]
    fn scale_takes_exactly_the_plausible_frequencies() {
        let (low, high) = (*FREQUENCIES_HZ.start(), *FREQUENCIES_HZ.end());
        assert!(Scale::from_hz(low).is_some() && Scale::from_hz(high).is_some());
        for hz in [0, 1, low - 1, high + 1, u64::MAX] {
            assert!(Scale::from_hz(hz).is_none(), "{hz} Hz");
        }
    }

    #[test]
    fn scale_at_its_ends() {
        for hz in [100_000_000, 1_000_000_000, 2_599_999_123, 10_000_000_000] {
            assert_eq!(scale(hz).nanos(0), 0, "{hz} Hz");
        }
        assert_eq!(scale(1_000_000_000).nanos(u64::MAX), u64::MAX); // exactly representable
        assert_eq!(scale(100_000_000).nanos(u64::MAX), u64::MAX); // saturates
        assert_eq!(scale(100_000_000).nanos(u64::MAX / 10), u64::MAX - 5); // the last that fits
        assert_eq!(scale(100_000_000).nanos(u64::MAX / 10 + 1), u64::MAX); // and the next
        assert_eq!(scale(100_000_000).nanos(3), 30);
    }

    #[test]
    fn scale_agrees_with_exact_division() {
        const THREE_YEARS_S: u64 = 3 * 366 * 86_400;
        for hz in
            [100_000_000, 333_333_333, 999_999_999, 2_599_999_123, 4_200_000_001, 10_000_000_000]
        {
            for shift in 0..64 {
                let ticks = u64::MAX >> shift;
                let exact = u128::from(ticks) * 1_000_000_000 / u128::from(hz);
                let exact = u64::try_from(exact).unwrap_or(u64::MAX);
                let allowed = if ticks / hz < THREE_YEARS_S { 1 } else { 9 };
                let off = scale(hz).nanos(ticks).abs_diff(exact);
                assert!(off <= allowed, "{ticks} ticks at {hz} Hz: off by {off} ns");
            }
        }
    }

    #[test]
    fn scale_never_steps_back() {
        let scale = scale(2_599_999_123);
        for start in [0, 1 << 32, 1 << 60, u64::MAX - 1_000] {
            for ticks in start..start + 1_000 {
                assert!(scale.nanos(ticks) <= scale.nanos(ticks + 1), "{ticks}");
            }
        }
    }

    #[test]
    fn errors_say_why() {
        let hpet = ClockError::Unstable { clocksource: "hpet".to_string() };
        assert_eq!(hpet.to_string(), "the kernel's clocksource is `hpet`, not `tsc`");
    }
}
