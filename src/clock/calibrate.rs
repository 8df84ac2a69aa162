//! The frequency of a tick counter, measured against a reference clock.
//!
//! A reading of the counter between two readings of the reference happened somewhere in that
//! bracket. The narrowest of many brackets at both ends of an interval give the frequency, and
//! their widths bound its error. No hardware is touched here: both clocks are closures.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// Brackets taken at each end: a reference with coarse steps leaves most of them without a width.
const BRACKETS: usize = 200;

/// Brackets that count at each end, the narrowest: few enough that no interrupt is among them, and
/// enough to average out the steps of both clocks.
const NARROWEST: usize = 25;

/// Frequencies in Hz that a counter may have; anything else is a failed measurement.
pub(super) const FREQUENCIES_HZ: RangeInclusive<u64> = 100_000_000..=10_000_000_000;

/// A measurement whose error may exceed this, in parts per million, is refused.
const MAX_ERROR_PPM: f64 = 50.0;

/// What a measurement yields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calibration {
    /// The counter's first reading: no later one of a synchronised counter is below it.
    pub(super) origin: u64,
    pub(super) frequency_hz: u64,
    /// Bound on the frequency's error against the reference clock.
    pub(super) error_ppm: f64,
}

impl Calibration {
    /// Takes the frequency that the processor states over the measured one, if the measurement
    /// cannot tell them apart: then the stated one is the truth without the noise.
    pub(super) fn refined_by(self, stated_hz: u64) -> Self {
        let distance = stated_hz.abs_diff(self.frequency_hz) as f64;
        let distance_ppm = distance / self.frequency_hz as f64 * 1e6;
        if distance_ppm > self.error_ppm {
            return self;
        }
        Self { frequency_hz: stated_hz, error_ppm: self.error_ppm + distance_ppm, ..self }
    }
}

/// Measures the counter `ticks` against `nanos` over the time that `pause` takes.
///
/// `None` if a clock does not move, if the frequency is implausible or the error too large.
pub(super) fn calibrate(
    ticks: impl Fn() -> u64,
    nanos: impl Fn() -> u64,
    pause: impl FnOnce(),
) -> Option<Calibration> {
    let origin = ticks();
    let first = End::take(&ticks, &nanos)?;
    pause();
    let last = End::take(&ticks, &nanos)?;

    // Sums over equally many brackets: their quotients are those of the means.
    let elapsed_ticks = last.ticks.checked_sub(first.ticks)? as f64;
    let elapsed_ns = last.twice_ns.checked_sub(first.twice_ns)? as f64 / 2.0;
    let frequency_hz = (elapsed_ticks / elapsed_ns * 1e9).round() as u64;
    let error_ppm = (first.width_ns + last.width_ns) as f64 / elapsed_ns * 1e6;
    // No elapsed time gives an infinite error, which is refused as well.
    (FREQUENCIES_HZ.contains(&frequency_hz) && error_ppm <= MAX_ERROR_PPM).then_some(Calibration {
        origin,
        frequency_hz,
        error_ppm,
    })
}

/// One end of the interval: sums over its [`NARROWEST`] brackets.
struct End {
    ticks: u128,
    /// Start plus end of each bracket, so twice its middle.
    twice_ns: u128,
    width_ns: u128,
}

impl End {
    /// `None` if too few brackets have a width.
    ///
    /// A reference with steps of g ns puts a bracket of width w within (w + g) / 2 of its middle,
    /// up to an offset that cancels between two ends. As 0 < w implies g <= w, the width bounds it
    /// whatever g is; an empty bracket bounds nothing and does not count.
    fn take(ticks: &impl Fn() -> u64, nanos: &impl Fn() -> u64) -> Option<Self> {
        let mut brackets: Vec<[u64; 3]> = (0..BRACKETS)
            .map(|_| [nanos(), ticks(), nanos()])
            .filter(|[start, _, end]| end > start)
            .collect();
        brackets.sort_unstable_by_key(|[start, _, end]| end - start);
        let narrowest = brackets.get(..NARROWEST)?;
        let sum = |part: usize| narrowest.iter().map(|b| u128::from(b[part])).sum::<u128>();
        let [starts, ticks, ends] = [0, 1, 2].map(sum);
        Some(Self { ticks, twice_ns: starts + ends, width_ns: ends - starts })
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    /// A counter and a reference on one simulated time line; each read takes 12 ns.
    struct Machine {
        time_ns: Cell<u64>,
        reads: Cell<u64>,
        frequency_hz: u64,
        /// Step of the reference.
        step_ns: u64,
        /// Every so many reads an interrupt takes 20 µs; 0 for never.
        interrupt_every: u64,
    }

    impl Machine {
        fn new(frequency_hz: u64) -> Self {
            let (time_ns, reads) = (Cell::new(1_000_000), Cell::new(0));
            Machine { time_ns, reads, frequency_hz, step_ns: 1, interrupt_every: 0 }
        }

        fn pass(&self, ns: u64) {
            self.time_ns.set(self.time_ns.get() + ns);
        }

        fn read(&self) -> u64 {
            self.reads.set(self.reads.get() + 1);
            let interrupted =
                self.interrupt_every > 0 && self.reads.get() % self.interrupt_every == 0;
            self.pass(if interrupted { 20_000 } else { 12 });
            self.time_ns.get()
        }

        fn ticks(&self) -> u64 {
            let ticks = u128::from(self.read()) * u128::from(self.frequency_hz) / 1_000_000_000;
            u64::try_from(ticks).unwrap()
        }

        fn nanos(&self) -> u64 {
            self.read() / self.step_ns * self.step_ns
        }

        fn calibrate(&self, interval_ns: u64) -> Option<Calibration> {
            calibrate(|| self.ticks(), || self.nanos(), || self.pass(interval_ns))
        }
    }

    fn off_by_ppm(calibration: Calibration, truth_hz: u64) -> f64 {
        calibration.frequency_hz.abs_diff(truth_hz) as f64 / truth_hz as f64 * 1e6
    }

    #[test]
    fn finds_the_frequency_within_the_bound_it_states() {
        for frequency_hz in [101_000_000, 1_000_000_007, 2_599_999_123, 9_900_000_000] {
            for (step_ns, interrupt_every) in [(1, 0), (1, 4), (7, 7), (100, 0), (100, 7)] {
                let machine = Machine { step_ns, interrupt_every, ..Machine::new(frequency_hz) };
                let found = machine.calibrate(50_000_000).unwrap();
                assert!(found.error_ppm <= 10.0, "{found:?}");
                assert!(off_by_ppm(found, frequency_hz) <= found.error_ppm, "{found:?}");
            }
        }
    }

    #[test]
    fn origin_is_the_first_reading() {
        let machine = Machine::new(1_000_000_000);
        let found = machine.calibrate(10_000_000).unwrap();
        assert_eq!(found.origin, 1_000_012); // a read takes 12 ns
    }

    #[test]
    fn refuses_what_it_cannot_measure() {
        let fine = Machine::new(2_000_000_000);
        assert!(fine.calibrate(10_000_000).is_some());
        assert!(fine.calibrate(0).is_none(), "interval too short for the error bound");
        assert!(Machine::new(99_000_000).calibrate(10_000_000).is_none(), "too slow");
        assert!(Machine::new(10_100_000_000).calibrate(10_000_000).is_none(), "too fast");

        // A bracket has three reads.
        let busy = Machine { interrupt_every: 2, ..Machine::new(2_000_000_000) };
        assert!(busy.calibrate(10_000_000).is_none(), "no bracket without an interrupt");

        let frozen_reference = calibrate(|| fine.ticks(), || 5, || fine.pass(10_000_000));
        assert!(frozen_reference.is_none());
        let frozen_counter = calibrate(|| 5, || fine.nanos(), || fine.pass(10_000_000));
        assert!(frozen_counter.is_none());
        let backwards =
            calibrate(|| u64::MAX - fine.ticks(), || fine.nanos(), || fine.pass(1 << 24));
        assert!(backwards.is_none());
    }

    #[test]
    fn a_stated_frequency_wins_only_within_the_error() {
        let measured = Calibration { origin: 7, frequency_hz: 2_000_000_000, error_ppm: 5.0 };
        let near = measured.refined_by(2_000_008_000); // 4 ppm off
        assert_eq!((near.origin, near.frequency_hz), (7, 2_000_008_000));
        assert!((near.error_ppm - 9.0).abs() < 1e-9);
        let far = measured.refined_by(1_999_988_000); // 6 ppm off
        assert_eq!(far.frequency_hz, 2_000_000_000);
        assert!((far.error_ppm - 5.0).abs() < 1e-9);
    }
}
