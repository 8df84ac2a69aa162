//! The clock of browsers, workers and Node.

use js_sys::{global, Date, Reflect};
use wasm_bindgen::prelude::*;

use super::Clock;
use crate::time::TimePoint;

#[wasm_bindgen]
extern "C" {
    /// The object behind `globalThis.performance`.
    #[derive(Clone, Debug)]
    type Performance;

    #[wasm_bindgen(method)]
    fn now(this: &Performance) -> f64;
}

/// `performance.now()` of the window, the worker or the Node process that runs this module.
///
/// # Design
///
/// The object is looked up once from `globalThis`, so a read is one call into JavaScript. Instants
/// count from the `performance.timeOrigin` of the context; those of two contexts do not compare.
///
/// # Platform
///
/// `wasm32-unknown-unknown` only. Where a context has no `performance`, the clock is `Date.now()`:
/// milliseconds since 1970, which step when somebody sets the computer's time. The scheduler copes
/// with that, late.
///
/// # Caveats
///
/// Browsers coarsen `performance.now()`, typically to 100 µs, or to 5 µs in a cross-origin isolated
/// page: between two steps it stalls.
#[derive(Clone, Debug)]
pub struct PerformanceClock {
    performance: Option<Performance>,
}

/// The clock of those who do not choose one: here, that of the JavaScript context.
pub type DefaultClock = PerformanceClock;

impl PerformanceClock {
    /// The clock of the current context; never fails.
    #[must_use]
    pub fn new() -> Self {
        let object = Reflect::get(&global(), &"performance".into()).ok();
        // `Reflect::get` throws on what is no object, and `new` must not: hence the `ok`s.
        let usable = object.filter(|object| {
            Reflect::get(object, &"now".into()).is_ok_and(|method| method.is_function())
        });
        Self { performance: usable.map(JsCast::unchecked_into) }
    }
}

impl Default for PerformanceClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for PerformanceClock {
    #[inline]
    fn now(&self) -> TimePoint {
        let millis = match &self.performance {
            Some(performance) => performance.now(),
            None => Date::now(),
        };
        // The cast saturates at both ends and takes NaN for 0.
        TimePoint::from_nanos((millis * 1e6) as u64)
    }
}
