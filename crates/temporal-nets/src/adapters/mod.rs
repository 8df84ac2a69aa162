//! Networks as periodic tasks of a scheduler.

mod inference;
mod phase_coding;
mod plasticity;

use std::cell::RefCell;
use std::rc::Rc;

pub use inference::InferenceTask;
pub use phase_coding::{PhaseCodingTask, PhaseCycle, PhasedSpike, SpikeSource};
pub use plasticity::PlasticityTask;

/// A network that several tasks of one scheduler work on.
pub type Shared<N> = Rc<RefCell<N>>;

/// Makes a network shared.
pub fn shared<N>(network: N) -> Shared<N> {
    Rc::new(RefCell::new(network))
}
