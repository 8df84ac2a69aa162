//! Learning and deciding as tasks of the runtime.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nanosecond_realtime::{Error, Job, NanosecondScheduler, TaskHandle};
use nanosecond_scheduler::{Clock, DefaultClock, Priority, TimePoint};

use crate::knowledge::{Decision, Knowledge};
use crate::latencies::Latencies;
use crate::message::{Message, Order};

/// Decides by what it knows. What it learns with a higher priority than that of decisions, the next
/// decision is made with.
pub(crate) struct Planner {
    runtime: Arc<NanosecondScheduler>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    knowledge: Knowledge,
    /// How long messages took to be known.
    alarms: Latencies,
    estimates: Latencies,
}

impl Planner {
    pub(crate) fn new(runtime: Arc<NanosecondScheduler>) -> Self {
        Planner { runtime, state: Arc::default() }
    }

    /// Plans how to carry out an order, within `deadline` from now. The handle is to be awaited.
    pub(crate) fn make_decision_with_deadline(
        &self,
        order: Order,
        deadline: Duration,
    ) -> Result<TaskHandle<Decision>, Error> {
        let state = Arc::clone(&self.state);
        let decide = move || state.lock().expect("no job panics").knowledge.decide(order);
        Ok(self.runtime.schedule_with_deadline(decide, deadline, Priority::Normal)?)
    }

    /// Updates the knowledge, without waiting for it.
    pub(crate) fn learn(
        &self,
        message: Message,
        sent: TimePoint,
        priority: Priority,
    ) -> Result<(), Error> {
        let (state, clock) = (Arc::clone(&self.state), DefaultClock::new());
        let learn = move || {
            let state = &mut *state.lock().expect("no job panics");
            state.knowledge.learn(message);
            let latencies = match priority {
                Priority::Low => &mut state.estimates,
                _ => &mut state.alarms,
            };
            latencies.record(clock.now().duration_since(sent));
        };
        drop(self.runtime.schedule(Job::new(learn).with_priority(priority))?);
        Ok(())
    }

    /// The latencies of alarms and estimates so far, which are handed out.
    pub(crate) fn learned(&self) -> (Latencies, Latencies) {
        let state = &mut *self.state.lock().expect("no job panics");
        (std::mem::take(&mut state.alarms), std::mem::take(&mut state.estimates))
    }
}
