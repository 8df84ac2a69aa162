//! What the operating system answered.

use std::borrow::Cow;
use std::fmt;

/// The operating system's answer to a request. A request never fails otherwise: a program goes on
/// with what it got, or insists by [`require`](Self::require).
#[must_use = "a request may be denied"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in force.
    Applied,
    /// The operating system refused.
    Denied {
        /// Its error code: `errno`, a `kern_return_t` of macOS, or `GetLastError` of Windows.
        errno: i32,
        /// What is missing.
        hint: Cow<'static, str>,
    },
    /// This operating system has no such thing.
    Unsupported {
        /// What to do instead.
        hint: Cow<'static, str>,
    },
}

impl Outcome {
    pub(super) fn denied(errno: i32, hint: impl Into<Cow<'static, str>>) -> Self {
        Outcome::Denied { errno, hint: hint.into() }
    }

    pub(super) fn unsupported(hint: &'static str) -> Self {
        Outcome::Unsupported { hint: hint.into() }
    }

    /// Whether the request is in force.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        *self == Outcome::Applied
    }

    /// For those who cannot go on without it.
    ///
    /// # Errors
    ///
    /// [`OsError`], with code and hint, unless the request is [`Applied`](Self::Applied).
    pub fn require(self) -> Result<(), OsError> {
        match self {
            Outcome::Applied => Ok(()),
            refused => Err(OsError(refused)),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Applied => f.write_str("applied"),
            Outcome::Denied { errno, hint } => write!(f, "denied (error {errno}): {hint}"),
            Outcome::Unsupported { hint } => write!(f, "unsupported: {hint}"),
        }
    }
}

/// A required request that is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsError(Outcome);

impl OsError {
    /// The answer, which is not [`Outcome::Applied`].
    pub fn outcome(&self) -> &Outcome {
        &self.0
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for OsError {}
