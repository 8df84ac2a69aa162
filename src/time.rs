//! Instants: unsigned nanoseconds since a clock's origin.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// An instant on a [`Clock`](crate::Clock): nanoseconds since that clock's origin.
///
/// The range is 2⁶⁴ ns, about 584 years. Operators saturate at both ends; use
/// [`checked_add`](Self::checked_add) where saturation would hide a mistake.
///
/// ```
/// use core::time::Duration;
/// use nanosecond_scheduler::TimePoint;
///
/// let start = TimePoint::from_nanos(1_000);
/// let end = start + Duration::from_micros(2);
/// assert_eq!(end.as_nanos(), 3_000);
/// assert_eq!(end.duration_since(start), Duration::from_micros(2));
/// assert_eq!(start.duration_since(end), Duration::ZERO); // saturates
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TimePoint(u64);

impl TimePoint {
    /// The clock's origin.
    pub const ZERO: TimePoint = TimePoint(0);
    /// The last representable instant.
    pub const MAX: TimePoint = TimePoint(u64::MAX);

    /// The instant `nanos` ns after the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        TimePoint(nanos)
    }

    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This instant plus `duration`, or `None` past [`TimePoint::MAX`].
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(checked_nanos(duration)?).map(TimePoint)
    }

    /// Time passed since `earlier`, or zero if `earlier` is later than `self`.
    #[must_use]
    pub const fn duration_since(self, earlier: TimePoint) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// `duration` in ns where it fits a `u64`.
#[inline]
pub(crate) fn checked_nanos(duration: Duration) -> Option<u64> {
    // A comparison, because 32-bit targets check a multiplication by one of 128 bits.
    const NANOS_PER_SEC: u64 = 1_000_000_000;
    let secs = Some(duration.as_secs()).filter(|secs| *secs <= u64::MAX / NANOS_PER_SEC)?;
    (secs * NANOS_PER_SEC).checked_add(u64::from(duration.subsec_nanos()))
}

/// `duration` in ns, or `u64::MAX` (584 years) if it is longer.
#[inline]
pub(crate) fn saturating_nanos(duration: Duration) -> u64 {
    checked_nanos(duration).unwrap_or(u64::MAX)
}

/// Saturates at [`TimePoint::MAX`].
impl Add<Duration> for TimePoint {
    type Output = TimePoint;
    fn add(self, duration: Duration) -> TimePoint {
        TimePoint(self.0.saturating_add(saturating_nanos(duration)))
    }
}

/// Saturates at [`TimePoint::MAX`].
impl AddAssign<Duration> for TimePoint {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

/// Saturates at [`TimePoint::ZERO`].
impl Sub<Duration> for TimePoint {
    type Output = TimePoint;
    fn sub(self, duration: Duration) -> TimePoint {
        TimePoint(self.0.saturating_sub(saturating_nanos(duration)))
    }
}

/// Seconds with nine decimals: `1.000002500s`.
impl fmt::Display for TimePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_saturate_and_checked_add_refuses() {
        let day = Duration::from_secs(86_400);
        assert_eq!(TimePoint::MAX + day, TimePoint::MAX);
        assert_eq!(TimePoint::ZERO - day, TimePoint::ZERO);
        assert_eq!(TimePoint::ZERO + Duration::MAX, TimePoint::MAX);
        assert_eq!(TimePoint::MAX.checked_add(Duration::from_nanos(1)), None);
        assert_eq!(TimePoint::ZERO.checked_add(Duration::MAX), None);
        assert_eq!(
            TimePoint::ZERO.checked_add(Duration::from_nanos(u64::MAX)),
            Some(TimePoint::MAX)
        );
    }

    #[test]
    fn display_is_seconds() {
        use std::string::ToString;
        assert_eq!(TimePoint::from_nanos(1_000_002_500).to_string(), "1.000002500s");
    }
}
