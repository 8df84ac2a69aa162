//! [`Rows`]: figures per task, for a bounded number of tasks.

use super::alert::JobEdges;
use super::stats::{Counts, Sample};
use super::{JobRecord, TaskStats};
use crate::hash::FastMap;
use crate::task::TaskId;

/// Tasks that have a row of their own.
const MAX_ROWS: usize = 1024;

/// Whose jobs share a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Name(&'static str),
    Task(TaskId),
    /// Of one-shots without a name.
    OneShots,
}

impl Key {
    #[inline]
    fn of(job: &JobRecord) -> Self {
        match job.name {
            Some(name) => Key::Name(name),
            None if job.repeats => Key::Task(job.task),
            None => Key::OneShots,
        }
    }

    fn label(self) -> String {
        match self {
            Key::Name(name) => name.into(),
            Key::Task(task) => format!("task {}", task.to_bits()),
            Key::OneShots => "unnamed one-shots".into(),
        }
    }
}

#[derive(Default)]
pub(super) struct Rows {
    numbers: FastMap<Key, usize>,
    /// In the order in which they first appeared.
    rows: Vec<(Key, Row)>,
    others: Row,
}

impl Rows {
    /// The row of a job's task, new if there is room for it.
    #[inline]
    pub(super) fn row_mut(&mut self, job: &JobRecord) -> &mut Row {
        let key = Key::of(job);
        match self.numbers.get(&key) {
            Some(&number) => &mut self.rows[number].1,
            None => self.insert(key),
        }
    }

    #[cold]
    fn insert(&mut self, key: Key) -> &mut Row {
        let number = self.rows.len();
        if number == MAX_ROWS {
            return &mut self.others;
        }
        self.numbers.insert(key, number);
        self.rows.push((key, Row { tells_jitter: key != Key::OneShots, ..Row::default() }));
        &mut self.rows[number].1
    }

    /// Mean change of the dispatch latency over all rows.
    pub(super) fn jitter_ns(&self) -> Option<u64> {
        let (total, count) = self.rows.iter().fold((0, 0), |(total, count), (_, row)| {
            (total + row.jitter_total_ns, count + row.jitter_count)
        });
        mean(total, count)
    }

    /// The rows, busiest first.
    pub(super) fn stats(&self, elapsed_ns: u64) -> Vec<TaskStats> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.counts.busy_ns));
        rows.iter().map(|(key, row)| row.stats(key.label(), elapsed_ns)).collect()
    }

    /// All tasks without a row; `None` if there was room for all.
    pub(super) fn others(&self, elapsed_ns: u64) -> Option<TaskStats> {
        let any = self.others.counts.jobs + self.others.counts.skipped > 0;
        any.then(|| self.others.stats("others".into(), elapsed_ns))
    }

    pub(super) fn clear(&mut self) {
        self.numbers.clear();
        self.rows.clear();
        self.others = Row::default();
    }
}

#[derive(Default)]
pub(super) struct Row {
    counts: Counts,
    latency_total_ns: u128,
    response_total_ns: u128,
    max_latency_ns: u64,
    max_response_ns: u64,
    max_execution_ns: u64,
    max_lateness_ns: Option<i64>,
    /// Whether its jobs follow each other as those of one task do.
    tells_jitter: bool,
    last_latency_ns: Option<u64>,
    jitter_total_ns: u128,
    jitter_count: u64,
    pub(super) edges: JobEdges,
}

impl Row {
    #[inline]
    pub(super) fn add(&mut self, sample: &Sample) {
        self.counts.add(sample);
        if !sample.ran {
            return;
        }
        let job = &sample.job;
        let (latency, response) = (job.dispatch_latency_ns(), job.response_ns());
        self.latency_total_ns += u128::from(latency);
        self.response_total_ns += u128::from(response);
        self.max_latency_ns = self.max_latency_ns.max(latency);
        self.max_response_ns = self.max_response_ns.max(response);
        self.max_execution_ns = self.max_execution_ns.max(job.execution_ns());
        self.max_lateness_ns = self.max_lateness_ns.max(job.lateness_ns());
        if self.tells_jitter {
            if let Some(last) = self.last_latency_ns.replace(latency) {
                self.jitter_total_ns += u128::from(latency.abs_diff(last));
                self.jitter_count += 1;
            }
        }
    }

    fn stats(&self, name: String, elapsed_ns: u64) -> TaskStats {
        let jobs = self.counts.jobs;
        TaskStats {
            name,
            jobs,
            skipped: self.counts.skipped,
            deadlines: self.counts.deadlines,
            misses: self.counts.misses,
            miss_rate: self.counts.miss_rate(),
            utilization: self.counts.utilization(elapsed_ns),
            avg_dispatch_latency_ns: mean(self.latency_total_ns, jobs),
            max_dispatch_latency_ns: (jobs > 0).then_some(self.max_latency_ns),
            avg_response_ns: mean(self.response_total_ns, jobs),
            max_response_ns: (jobs > 0).then_some(self.max_response_ns),
            max_execution_ns: (jobs > 0).then_some(self.max_execution_ns),
            max_lateness_ns: self.max_lateness_ns,
            jitter_ns: mean(self.jitter_total_ns, self.jitter_count),
        }
    }
}

/// The mean of `count` values of `u64`, which is one too.
fn mean(total: u128, count: u64) -> Option<u64> {
    total.checked_div(u128::from(count)).map(|mean| mean as u64)
}
