//! What the tests of the runtime share.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use nanosecond_realtime::{NanosecondScheduler, SchedulerConfig};

pub(crate) fn runtime(num_workers: usize) -> NanosecondScheduler {
    with_config(SchedulerConfig { num_workers, ..SchedulerConfig::default() })
}

pub(crate) fn with_config(config: SchedulerConfig) -> NanosecondScheduler {
    NanosecondScheduler::new(config).unwrap()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The least executor there is.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// A gate that jobs wait at until it is opened, and that tells who has arrived.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    is_open: bool,
    arrived: Vec<Option<usize>>,
}

impl Gate {
    /// Called by a job.
    pub(crate) fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.arrived.push(NanosecondScheduler::current_worker());
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.is_open).unwrap());
    }

    pub(crate) fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().is_open = true;
        changed.notify_all();
    }

    /// Waits until so many have arrived; tells at which workers.
    pub(crate) fn arrived(&self, count: usize) -> Vec<usize> {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap();
        let state = changed.wait_while(state, |state| state.arrived.len() < count).unwrap();
        state.arrived.iter().map(|worker| worker.expect("on a worker")).collect()
    }
}

/// Blocks every worker in a job of its own; gives each one's gate, by worker.
pub(crate) fn block_all(runtime: &NanosecondScheduler) -> Vec<Gate> {
    let mut gates: Vec<(usize, Gate)> = (0..runtime.num_workers())
        .map(|_| {
            let gate = Gate::default();
            let job = gate.clone();
            // A job that finds its worker blocked is moved to one that is not.
            drop(runtime.schedule(move || job.pass()).unwrap());
            (gate.arrived(1)[0], gate)
        })
        .collect();
    gates.sort_by_key(|(worker, _)| *worker);
    gates.into_iter().map(|(_, gate)| gate).collect()
}

/// Waits until it is so, without a limit: a test that hangs is one that fails.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}
