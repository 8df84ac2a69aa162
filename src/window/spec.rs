//! Which windows there are: [`WindowSpec`], and which of them an instant lies in: [`Window`].

use core::fmt;

/// Half-open intervals of equal length at equal distances: window k is
/// [offset + k·hop, offset + k·hop + length) for every integer k, in ns. Since each start is
/// computed from k, nothing drifts.
///
/// With hop < length the windows overlap, with hop > length there are gaps between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WindowSpec {
    /// From a window's start to its end, in ns; at least 1.
    pub length: u64,
    /// From a window's start to the next one's, in ns; at least 1.
    pub hop: u64,
    /// Where window 0 starts, in ns since the clock's origin.
    pub offset: u64,
}

/// One window. Its bounds may lie before the clock's origin or beyond the end of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Window {
    /// First instant in it, in ns.
    pub start_ns: i128,
    /// First instant after it, in ns.
    pub end_ns: i128,
}

/// Why a [`WindowSpec`] cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WindowError {
    /// The length is 0.
    ZeroLength,
    /// The hop is 0.
    ZeroHop,
    /// More windows are open at a time than [`Config::window_size`](crate::Config::window_size).
    TooManyOpen {
        /// How many are open at a time.
        open: u64,
        /// How many may be.
        most: usize,
    },
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WindowError::ZeroLength => {
                f.write_str("the windows' length is 0; it must be at least 1 ns")
            }
            WindowError::ZeroHop => f.write_str("the windows' hop is 0; it must be at least 1 ns"),
            WindowError::TooManyOpen { open, most } => write!(
                f,
                "{open} windows would be open at a time; Config::window_size allows {most}"
            ),
        }
    }
}

impl core::error::Error for WindowError {}

impl WindowSpec {
    /// Windows of `length` ns, one starting every `hop` ns, one of them at the clock's origin.
    #[must_use]
    pub const fn new(length: u64, hop: u64) -> Self {
        WindowSpec { length, hop, offset: 0 }
    }

    /// The windows that an instant in ns lies in, the earliest first. None if it is in a gap, or if
    /// length or hop is 0.
    pub fn windows_at(self, at_ns: i128) -> impl DoubleEndedIterator<Item = Window> {
        let (first, end) = match self.hop {
            0 => (0, 0),
            _ => (self.first_not_ended(at_ns), self.first_started_after(at_ns)),
        };
        // A range of i128 has no length, and counting from both ends is all that is needed.
        (first..end.max(first)).map(move |k| self.window(k))
    }

    /// Window k.
    pub(super) fn window(self, k: i128) -> Window {
        let start_ns = i128::from(self.offset) + k * i128::from(self.hop);
        Window { start_ns, end_ns: start_ns + i128::from(self.length) }
    }

    /// The first k whose window ends after `at_ns`.
    pub(super) fn first_not_ended(self, at_ns: i128) -> i128 {
        self.first_started_after(at_ns - i128::from(self.length))
    }

    /// The first k whose window starts after `at_ns`.
    fn first_started_after(self, at_ns: i128) -> i128 {
        (at_ns - i128::from(self.offset)).div_euclid(i128::from(self.hop)) + 1
    }

    /// The share of a window that the next one covers, too: (length − hop)/length, or 0.
    #[must_use]
    pub fn overlap(self) -> f64 {
        self.length.saturating_sub(self.hop) as f64 / self.length.max(1) as f64
    }

    pub(crate) fn validate(self, most: usize) -> Result<(), WindowError> {
        if self.length == 0 {
            return Err(WindowError::ZeroLength);
        }
        if self.hop == 0 {
            return Err(WindowError::ZeroHop);
        }
        let open = self.length.div_ceil(self.hop);
        if open > most as u64 {
            return Err(WindowError::TooManyOpen { open, most });
        }
        Ok(())
    }
}
