//! What the module asks of JavaScript.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The object that holds the functions of the tasks, by slot. None of its methods throws.
    #[derive(Debug)]
    pub type Host;

    /// The time in ms.
    #[wasm_bindgen(method)]
    pub fn now(this: &Host) -> f64;

    /// Runs the function in a slot, which is free from now on.
    #[wasm_bindgen(method, js_name = runOnce)]
    pub fn run_once(this: &Host, slot: u32, generation: u32);

    /// Runs the function in a slot.
    #[wasm_bindgen(method, js_name = runAgain)]
    pub fn run_again(this: &Host, slot: u32, generation: u32);

    /// Notes a missed deadline; it is to call nobody's function meanwhile.
    #[wasm_bindgen(method)]
    pub fn missed(this: &Host, number: f64, expected_ms: f64, actual_ms: f64);

    /// A checked configuration.
    #[derive(Debug)]
    pub type Settings;

    /// Up to 2²¹.
    #[wasm_bindgen(method, getter)]
    pub fn capacity(this: &Settings) -> u32;

    /// At least 1.
    #[wasm_bindgen(method, getter, js_name = maxTasksPerTick)]
    pub fn max_tasks_per_tick(this: &Settings) -> u32;

    /// 0 burst, 1 delay, 2 skip.
    #[wasm_bindgen(method, getter, js_name = missedTick)]
    pub fn missed_tick(this: &Settings) -> u32;

    /// Whether the scheduler observes itself.
    #[wasm_bindgen(method, getter, js_name = strangeLoop)]
    pub fn strange_loop(this: &Settings) -> bool;

    /// The strange loop's k.
    #[wasm_bindgen(method, getter, js_name = lipschitzConstant)]
    pub fn lipschitz_constant(this: &Settings) -> f64;

    /// Windows kept.
    #[wasm_bindgen(method, getter, js_name = windowSize)]
    pub fn window_size(this: &Settings) -> u32;

    /// Length of a window; 0 for no windows.
    #[wasm_bindgen(method, getter, js_name = lengthNs)]
    pub fn length_ns(this: &Settings) -> u64;

    /// From window to window.
    #[wasm_bindgen(method, getter, js_name = hopNs)]
    pub fn hop_ns(this: &Settings) -> u64;

    /// Start of window 0.
    #[wasm_bindgen(method, getter, js_name = offsetNs)]
    pub fn offset_ns(this: &Settings) -> u64;
}
