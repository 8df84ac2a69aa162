//! Passing the time until the next release.

#[cfg(feature = "std")]
use core::time::Duration;

use crate::clock::Clock;
use crate::config::Wait;
#[cfg(feature = "std")]
use crate::time::saturating_nanos;
use crate::time::TimePoint;

/// Waits as [`Config::wait`](crate::Config::wait) says, until an instant or a wake-up by a
/// [`Remote`](crate::Remote). Handed to [`Clock::wait_until`](crate::Clock::wait_until).
#[derive(Debug)]
pub struct Waiter {
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "nothing to sleep with"))]
    strategy: Wait,
    /// What the last wait was for and the reading that ended it, if a clock waited by itself.
    last_seen: Option<(TimePoint, TimePoint)>,
    #[cfg(feature = "std")]
    margin: Margin,
    /// How late ticks are by the strange loop's estimate, once that has converged.
    #[cfg(feature = "std")]
    lateness_ns: u64,
    /// The door that may be knocked at meanwhile.
    #[cfg(feature = "std")]
    pub(crate) bell: crate::remote::Bell,
}

impl Waiter {
    pub(crate) fn new(strategy: Wait) -> Self {
        Waiter {
            strategy,
            last_seen: None,
            #[cfg(feature = "std")]
            margin: Margin::default(),
            #[cfg(feature = "std")]
            lateness_ns: 0,
            #[cfg(feature = "std")]
            bell: crate::remote::Bell::new(),
        }
    }

    /// Has [`Wait::Hybrid`] wake earlier by how late ticks are. 0 leaves it to its own margin.
    #[cfg(feature = "std")]
    pub(crate) fn make_up_for(&mut self, lateness_ns: u64) {
        self.lateness_ns = lateness_ns;
    }

    /// Returns when `now()` has reached `until`, or a remote has called. Both may be of another clock
    /// than the scheduler's, which is read afterwards.
    pub fn wait(&mut self, now: impl Fn() -> TimePoint, until: TimePoint) {
        self.pass(now, until);
        self.last_seen = None;
    }

    /// As [`wait`](Self::wait), by a clock's own readings.
    pub(crate) fn wait_on(&mut self, clock: &(impl Clock + ?Sized), until: TimePoint) {
        let seen = self.pass(|| clock.now(), until);
        self.last_seen = Some((until, seen));
    }

    /// Returns the last reading of `now()`: it has reached `until`, or a remote has called.
    #[cfg(feature = "std")]
    fn pass(&mut self, now: impl Fn() -> TimePoint, until: TimePoint) -> TimePoint {
        let from = now();
        let left = until.duration_since(from);
        let time = match self.strategy {
            Wait::Spin => Duration::ZERO,
            Wait::Hybrid => self.margin.time_to_sleep(left, self.lateness_ns),
            Wait::Sleep => left,
        };
        let mut at = self.sleep(&now, from, time);
        // Without a hint at spinning: see `Bell::spin`.
        while at < until && !self.bell.has_rung() {
            at = now();
        }
        at
    }

    /// Returns the last reading of `now()`. Without an operating system, every wait spins.
    #[cfg(not(feature = "std"))]
    fn pass(&mut self, now: impl Fn() -> TimePoint, until: TimePoint) -> TimePoint {
        let mut at = now();
        while at < until {
            core::hint::spin_loop();
            at = now();
        }
        at
    }

    /// What the clock said when the last wait ended, so that the tick need not read it again; once. `None`
    /// if that wait was not for `until`: a clock that has another wait for it counts in another way.
    #[inline]
    pub(crate) fn take_last_seen(&mut self, until: TimePoint) -> Option<TimePoint> {
        let (waited_for, seen) = self.last_seen.take()?;
        (waited_for == until).then_some(seen)
    }

    /// Waits for a remote's call; `false` at once if none is alive.
    #[cfg(feature = "std")]
    pub(crate) fn wait_for_call(&self) -> bool {
        match self.strategy {
            Wait::Spin => self.bell.spin(),
            Wait::Hybrid | Wait::Sleep => self.bell.park(),
        }
    }

    /// Sleeps for `time`, unless a remote calls, and has the margin learn how much longer it took.
    /// Tells until when.
    #[cfg(feature = "std")]
    fn sleep(
        &mut self,
        now: &impl Fn() -> TimePoint,
        from: TimePoint,
        time: Duration,
    ) -> TimePoint {
        let until = from + time;
        let mut at = from;
        while at < until {
            self.bell.sleep(until.duration_since(at));
            at = now();
            if self.bell.has_rung() {
                return at; // Woken early: that tells nothing.
            }
        }
        if !time.is_zero() {
            self.margin.learn(saturating_nanos(at.duration_since(until)));
        }
        at
    }
}

/// How much of a wait [`Wait::Hybrid`] spins through after it has slept: a quantile of what sleeps
/// overshoot, tracked by steps up and down in the manner of Robbins and Monro (1951).
///
/// A sleep that overshoots the margin raises it by a [`RISE`](Self::RISE)th, any other lowers it by
/// a [`FALL`](Self::FALL)th. Both balance when one sleep of `FALL / RISE + 1` = 1025 overshoots it.
/// By how much it does is of no account, so that the stalls of a busy or a virtual machine cost
/// little. A lasting change is followed by a doubling in 6 sleeps, or a halving in 5,678.
#[cfg(feature = "std")]
#[derive(Debug)]
struct Margin {
    ns: u64,
}

#[cfg(feature = "std")]
impl Default for Margin {
    /// Until more is known: the 50 µs that Linux adds to a sleep unless told otherwise, and a little.
    fn default() -> Self {
        Margin { ns: 60_000 }
    }
}

#[cfg(feature = "std")]
impl Margin {
    const RISE: u64 = 8;
    const FALL: u64 = 8192;
    const LEAST_NS: u64 = 2_000;
    /// What a sleep overshoots beyond it is the system's to answer for, not ours to spin for.
    const GREATEST_NS: u64 = 200_000;
    /// Waits up to this are spun through: many a sleep would overshoot them whole.
    const SHORT_NS: u64 = 50_000;

    /// How long to sleep before spinning: until the margin and `more_ns` are left, but for no less than
    /// half of a wait that is not short, which bounds the cost of spinning.
    fn time_to_sleep(&self, left: Duration, more_ns: u64) -> Duration {
        let left_ns = saturating_nanos(left);
        if left_ns <= Self::SHORT_NS {
            return Duration::ZERO;
        }
        let margin = self.ns.saturating_add(more_ns).min(Self::GREATEST_NS);
        Duration::from_nanos(left_ns - margin.min(left_ns / 2))
    }

    fn learn(&mut self, overshoot_ns: u64) {
        let margin = if overshoot_ns > self.ns {
            self.ns + self.ns / Self::RISE
        } else {
            self.ns - self.ns.div_ceil(Self::FALL)
        };
        self.ns = margin.clamp(Self::LEAST_NS, Self::GREATEST_NS);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use core::cell::Cell;

    /// The margin after `count` sleeps, of which the n-th overshoots by `overshoot_ns(n)`.
    fn after(margin: &mut Margin, count: u64, overshoot_ns: impl Fn(u64) -> u64) -> u64 {
        (0..count).for_each(|n| margin.learn(overshoot_ns(n)));
        margin.ns
    }

    #[test]
    fn margin_is_the_quantile_that_it_promises() {
        let mut margin = Margin::default();
        // One sleep in 200 overshoots by 90 to 99 µs, the others by 20 to 30.
        let overshoot_ns = |n: u64| match n % 200 {
            0 => 90_000 + n / 200 % 10 * 1_000,
            _ => 20_000 + n * 7_919 % 10_000,
        };
        after(&mut margin, 40_000, overshoot_ns);
        let mut late = 0;
        for n in 0..100_000 {
            late += u64::from(overshoot_ns(n) > margin.ns);
            margin.learn(overshoot_ns(n));
        }
        assert!((75..125).contains(&late), "{late} of 100,000 sleeps, and not 98, ended late");
    }

    #[test]
    fn margin_follows_lasting_changes_within_its_bounds() {
        let mut margin = Margin::default();
        assert!((25_000..29_000).contains(&after(&mut margin, 20_000, |_| 25_000)));
        assert!((120_000..135_000).contains(&after(&mut margin, 20, |_| 120_000)));
        assert_eq!(after(&mut margin, 100, |_| u64::MAX), Margin::GREATEST_NS);
        assert_eq!(after(&mut margin, 80_000, |_| 0), Margin::LEAST_NS);
        assert!(after(&mut margin, 1, |_| 2_001) > Margin::LEAST_NS, "it can leave its floor");
    }

    #[test]
    fn rare_stalls_move_the_margin_little() {
        let mut margin = Margin::default();
        let stalls = |n: u64| if n % 1_000 == 0 { 5_000_000 } else { 25_000 };
        let ns = after(&mut margin, 100_001, stalls);
        assert!((25_000..33_000).contains(&ns), "{ns}");
    }

    #[test]
    fn at_most_half_of_a_wait_is_spun_unless_it_is_short() {
        let sleeps = |margin_ns, left_ns| {
            Margin { ns: margin_ns }.time_to_sleep(Duration::from_nanos(left_ns), 0).as_nanos()
        };
        assert_eq!(sleeps(40_000, 100_000), 60_000);
        assert_eq!(sleeps(80_000, 100_000), 50_000);
        assert_eq!(sleeps(80_000, 1_000_000), 920_000);
        assert_eq!(sleeps(2_000, 50_000), 0);
        assert_eq!(sleeps(200_000, 50_001), 25_001);
        assert_eq!(sleeps(2_000, 0), 0);
        let longest = Margin { ns: 2_000 }.time_to_sleep(Duration::MAX, 0);
        assert_eq!(longest.as_nanos(), u128::from(u64::MAX) - 2_000);
    }

    /// A clock that steps on by `step_ns` at each reading.
    fn stepping(step_ns: u64) -> impl Fn() -> TimePoint {
        let ns = Cell::new(0);
        move || TimePoint::from_nanos(ns.replace(ns.get() + step_ns))
    }

    #[test]
    fn a_sleep_teaches_the_margin_by_how_much_it_was_too_long() {
        // It sleeps from 0 until 40,000, and reads 190,000 afterwards.
        let mut waiter = Waiter::new(Wait::Hybrid);
        waiter.wait(stepping(190_000), TimePoint::from_nanos(100_000));
        assert_eq!(waiter.margin.ns, 67_500);
        // What ends before the margin does lowers it.
        waiter.wait(stepping(90_000), TimePoint::from_nanos(100_000));
        assert_eq!(waiter.margin.ns, 67_500 - 9);
        // A short wait teaches nothing, and neither does one that a remote ends.
        waiter.wait(stepping(50_000), TimePoint::from_nanos(50_000));
        waiter.bell.ring();
        waiter.wait(stepping(190_000), TimePoint::from_nanos(100_000));
        assert_eq!(waiter.margin.ns, 67_500 - 9);
    }

    #[test]
    fn estimated_lateness_adds_to_the_margin_within_its_bounds() {
        let ms = Duration::from_millis(1);
        let spun = |more_ns| {
            let slept = Margin { ns: 60_000 }.time_to_sleep(ms, more_ns);
            (ms - slept).as_nanos()
        };
        assert_eq!([0, 5_000, 1_000_000, u64::MAX].map(spun), [60_000, 65_000, 200_000, 200_000]);
        let mut waiter = Waiter::new(Wait::Hybrid);
        waiter.make_up_for(5_000);
        assert_eq!(waiter.lateness_ns, 5_000);
    }

    #[test]
    fn wait_never_returns_before_its_instant() {
        for strategy in [Wait::Spin, Wait::Hybrid, Wait::Sleep] {
            let origin = std::time::Instant::now();
            let reads = Cell::new(0u32);
            let now = || {
                reads.set(reads.get() + 1);
                TimePoint::ZERO + origin.elapsed()
            };
            let until = TimePoint::from_nanos(500_000);
            Waiter::new(strategy).wait(now, until);
            assert!(TimePoint::ZERO + origin.elapsed() >= until);
            assert!(reads.get() >= 2);
        }
    }
}
