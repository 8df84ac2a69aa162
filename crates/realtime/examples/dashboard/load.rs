//! Something to look at.

use std::time::Duration;

use nanosecond_realtime::{Job, NanosecondScheduler, Refused, TaskHandle};
use nanosecond_scheduler::{DefaultClock, Priority, SendTask};

use crate::spin;

/// Of each worker's periodic tasks: period and time per job in µs. The last makes the first, which
/// does not preempt it, miss a deadline.
const PERIODIC: [(u64, u64, Priority); 3] =
    [(500, 40, Priority::Critical), (2_000, 200, Priority::High), (20_000, 700, Priority::Low)];
/// Says so.
pub(crate) const HINT: &str =
    "misses are meant to be: every 20 ms a job of 700 µs is in the way of those due within 500 µs";

/// One-shots with each frame, of 50 µs each.
const ONE_SHOTS: u32 = 20;

pub(crate) struct Load {
    /// Cancelled when dropped.
    _periodic: Vec<TaskHandle<()>>,
    one_shots: u64,
}

impl Load {
    /// Gives each worker, so far as the runtime shares them out evenly, its periodic tasks.
    pub(crate) fn start(runtime: &NanosecondScheduler) -> Result<Self, Refused<SendTask>> {
        let mut periodic = Vec::new();
        for (period, work, priority) in PERIODIC {
            let (period, work) = (Duration::from_micros(period), Duration::from_micros(work));
            for _ in 0..runtime.num_workers() {
                let clock = DefaultClock::new();
                let task = SendTask::periodic(move |_| spin::spin_for(&clock, work), period)
                    .with_priority(priority)
                    .with_wcet(work * 2)
                    .with_deadline(period);
                periodic.push(runtime.schedule(task)?.cancel_on_drop());
            }
        }
        Ok(Load { _periodic: periodic, one_shots: 0 })
    }

    pub(crate) fn add_one_shots(
        &mut self,
        runtime: &NanosecondScheduler,
    ) -> Result<(), nanosecond_realtime::Error> {
        for n in 0..ONE_SHOTS {
            let clock = DefaultClock::new();
            let work = move || spin::spin_for(&clock, Duration::from_micros(50));
            let job = Job::new(work)
                .with_delay(Duration::from_millis(10) * n)
                .with_deadline(Duration::from_millis(1));
            drop(runtime.schedule(job)?);
            self.one_shots += 1;
        }
        Ok(())
    }

    pub(crate) fn one_shots(&self) -> u64 {
        self.one_shots
    }
}
