//! What the module asks of JavaScript: `js/host.js`. None of these functions throws.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./host.js")]
extern "C" {
    /// The time in ms.
    pub(crate) fn now() -> f64;

    /// Runs the function in a slot of a scheduler, which is free from now on. The generation is 32 bits
    /// without a sign.
    #[wasm_bindgen(js_name = runOnce)]
    pub(crate) fn run_once(scheduler: i32, slot: i32, generation: i32);

    /// Runs the function in a slot.
    #[wasm_bindgen(js_name = runAgain)]
    pub(crate) fn run_again(scheduler: i32, slot: i32, generation: i32);

    /// Notes that a job of a task has missed its deadline; it is to call nobody's function meanwhile.
    pub(crate) fn missed(scheduler: i32, task: f64, expected_ms: f64, actual_ms: f64);

    /// Takes the next figure of a report.
    pub(crate) fn figure(value: f64);
}
