//! Passing the time until the next release.

#[cfg(feature = "std")]
use core::time::Duration;

use crate::config::Wait;
use crate::time::TimePoint;

/// Least margin that [`Wait::Hybrid`] keeps to spin before a release.
#[cfg(feature = "std")]
const MIN_MARGIN_NS: u64 = 2_000;
/// Greatest: what a sleep overshoots beyond it is the system's to answer for, not ours to spin for.
#[cfg(feature = "std")]
const MAX_MARGIN_NS: u64 = 200_000;

/// Waits as [`Config::wait`](crate::Config::wait) says, until an instant or a wake-up by a
/// [`Remote`](crate::Remote). Handed to [`Clock::wait_until`](crate::Clock::wait_until).
#[derive(Debug)]
pub struct Waiter {
    #[cfg_attr(not(feature = "std"), allow(dead_code, reason = "nothing to sleep with"))]
    strategy: Wait,
    #[cfg(feature = "std")]
    margin_ns: u64,
    /// The door that may be knocked at meanwhile.
    #[cfg(feature = "std")]
    pub(crate) bell: crate::remote::Bell,
}

impl Waiter {
    pub(crate) fn new(strategy: Wait) -> Self {
        Waiter {
            strategy,
            #[cfg(feature = "std")]
            margin_ns: 60_000,
            #[cfg(feature = "std")]
            bell: crate::remote::Bell::new(),
        }
    }

    /// Returns when `now()` has reached `until`, or a remote has called.
    #[cfg(feature = "std")]
    pub fn wait(&mut self, now: impl Fn() -> TimePoint, until: TimePoint) {
        loop {
            let at = now();
            if at >= until || self.bell.has_rung() {
                return;
            }
            let left = until.duration_since(at);
            match self.strategy {
                Wait::Sleep => self.bell.sleep(left),
                Wait::Hybrid => match left.checked_sub(Duration::from_nanos(self.margin_ns)) {
                    Some(coarse) if !coarse.is_zero() => self.sleep_and_learn(&now, at, coarse),
                    _ => core::hint::spin_loop(),
                },
                Wait::Spin => core::hint::spin_loop(),
            }
        }
    }

    /// Returns when `now()` has reached `until`. Without an operating system, every wait spins.
    #[cfg(not(feature = "std"))]
    pub fn wait(&mut self, now: impl Fn() -> TimePoint, until: TimePoint) {
        while now() < until {
            core::hint::spin_loop();
        }
    }

    /// Sleeps, and moves the margin towards what the sleep overshot: up by half the difference, so
    /// that few sleeps end late; down by a 32nd, so that one outlier is forgotten within ~100.
    #[cfg(feature = "std")]
    fn sleep_and_learn(&mut self, now: &impl Fn() -> TimePoint, from: TimePoint, time: Duration) {
        self.bell.sleep(time);
        let (at, wanted) = (now(), from + time);
        if at < wanted || self.bell.has_rung() {
            return; // Woken early: that tells nothing.
        }
        let overshoot = at.duration_since(wanted).as_nanos();
        let overshoot = u64::try_from(overshoot).unwrap_or(u64::MAX).min(MAX_MARGIN_NS);
        let margin = self.margin_ns;
        self.margin_ns = if overshoot > margin {
            margin + (overshoot - margin).div_ceil(2)
        } else {
            margin - (margin - overshoot) / 32
        }
        .max(MIN_MARGIN_NS);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use core::cell::Cell;

    /// A clock that only sleeping moves, by what was asked for and `overshoot`, is beyond the
    /// bell's real sleep; so the margin is tested by feeding `sleep_and_learn` a clock that lies.
    fn learn(waiter: &mut Waiter, overshoot_ns: u64) {
        let time = Duration::from_nanos(1);
        let late = TimePoint::from_nanos(1 + overshoot_ns);
        waiter.sleep_and_learn(&|| late, TimePoint::ZERO, time);
    }

    #[test]
    fn margin_follows_overshoot_within_its_bounds() {
        let mut waiter = Waiter::new(Wait::Hybrid);
        for _ in 0..20 {
            learn(&mut waiter, 150_000);
        }
        assert!((149_000..=150_000).contains(&waiter.margin_ns), "{}", waiter.margin_ns);
        for _ in 0..50 {
            learn(&mut waiter, 10_000_000);
        }
        assert_eq!(waiter.margin_ns, MAX_MARGIN_NS);
        for _ in 0..500 {
            learn(&mut waiter, 0);
        }
        assert_eq!(waiter.margin_ns, MIN_MARGIN_NS);
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
