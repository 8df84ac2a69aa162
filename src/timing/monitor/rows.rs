//! [`Rows`]: figures per task, for a bounded number of tasks.

use super::alert::JobEdges;
use super::distribution::Distributions;
use super::stats::{Counts, Figures};
use super::{JobRecord, JobStats, TaskStats};
use crate::hash::FastMap;
use crate::task::TaskId;

/// Tasks that have a row of their own.
const MAX_ROWS: usize = 1024;
/// Keys whose rows are found without hashing names.
const MEMOS_LOG2: u32 = 4;

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

    /// Equal, and seen so without comparing what names say.
    #[inline]
    fn is_same(self, other: Key) -> bool {
        match (self, other) {
            (Key::Name(one), Key::Name(other)) => core::ptr::eq(one, other),
            (Key::Task(one), Key::Task(other)) => one == other,
            (Key::OneShots, Key::OneShots) => true,
            _ => false,
        }
    }

    /// Where it is remembered: by the address of its name, which is the same from job to job.
    #[inline]
    fn memo(self) -> usize {
        let bits = match self {
            Key::Name(name) => name.as_ptr().addr() as u64,
            Key::Task(task) => task.to_bits(),
            Key::OneShots => 0,
        };
        // Fibonacci hashing: leaked names are aligned, so that their low bits are all alike.
        (bits.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - MEMOS_LOG2)) as usize
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
    /// Keys that were looked up last, and their rows.
    memos: [Option<(Key, usize)>; 1 << MEMOS_LOG2],
    /// In the order in which they first appeared.
    rows: Vec<(Key, Row)>,
    others: Row,
}

impl Rows {
    /// The row of a job's task, new if there is room for it.
    #[inline]
    pub(super) fn row_mut(&mut self, job: &JobRecord) -> &mut Row {
        let key = Key::of(job);
        match self.memos[key.memo()] {
            Some((seen, number)) if key.is_same(seen) => &mut self.rows[number].1,
            _ => self.find(key),
        }
    }

    fn find(&mut self, key: Key) -> &mut Row {
        let Some(&number) = self.numbers.get(&key) else { return self.insert(key) };
        self.memos[key.memo()] = Some((key, number));
        &mut self.rows[number].1
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

    /// All rows as one.
    pub(super) fn total(&self) -> Row {
        let mut total = Row::default();
        self.rows.iter().for_each(|(_, row)| total.add_all(row));
        total.add_all(&self.others);
        total
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
        self.memos = Default::default();
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
    pub(super) fn add(&mut self, job: &Figures) {
        self.counts.add(job);
        if !job.ran {
            return;
        }
        self.latency_total_ns += u128::from(job.latency_ns);
        self.response_total_ns += u128::from(job.response_ns);
        self.max_latency_ns = self.max_latency_ns.max(job.latency_ns);
        self.max_response_ns = self.max_response_ns.max(job.response_ns);
        self.max_execution_ns = self.max_execution_ns.max(job.execution_ns);
        self.max_lateness_ns = self.max_lateness_ns.max(job.lateness_ns);
        if self.tells_jitter {
            if let Some(last) = self.last_latency_ns.replace(job.latency_ns) {
                self.jitter_total_ns += u128::from(job.latency_ns.abs_diff(last));
                self.jitter_count += 1;
            }
        }
    }

    /// Adds what another has summed up.
    fn add_all(&mut self, other: &Row) {
        self.counts.add_all(&other.counts);
        self.latency_total_ns += other.latency_total_ns;
        self.response_total_ns += other.response_total_ns;
        self.max_latency_ns = self.max_latency_ns.max(other.max_latency_ns);
        self.max_response_ns = self.max_response_ns.max(other.max_response_ns);
        self.max_execution_ns = self.max_execution_ns.max(other.max_execution_ns);
        self.max_lateness_ns = self.max_lateness_ns.max(other.max_lateness_ns);
        self.jitter_total_ns += other.jitter_total_ns;
        self.jitter_count += other.jitter_count;
    }

    /// The figures of its jobs, which `distributions` has recorded.
    pub(super) fn job_stats(&self, distributions: &Distributions, elapsed_ns: u64) -> JobStats {
        let latency = distributions.latency(self.max_latency_ns);
        let response = distributions.response(self.max_response_ns);
        let lateness = distributions.lateness(self.max_lateness_ns);
        JobStats::new(&self.counts, elapsed_ns, latency, response, lateness)
    }

    /// Mean change of the dispatch latency.
    pub(super) fn jitter_ns(&self) -> Option<u64> {
        mean(self.jitter_total_ns, self.jitter_count)
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
            jitter_ns: self.jitter_ns(),
        }
    }
}

/// The mean of `count` values of `u64`, which is one too.
fn mean(total: u128, count: u64) -> Option<u64> {
    total.checked_div(u128::from(count)).map(|mean| mean as u64)
}
