//! What does it cost to ask whether one more task fits?

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion};
use nanosecond_scheduler::analysis::TaskModel;
use nanosecond_scheduler::{
    Admission, AdmissionControl, Policy, Priority, Rejection, TaskId, UnknownCause, UnknownVerdict,
};

use crate::rng::Rng;

const TASKS: u64 = 1_000;

pub(crate) fn group(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("admission");
    // Tasks of one priority wait for each other, and so need longer deadlines.
    for (name, policy, periods) in [
        ("priority", Policy::Priority, 10),
        ("rate_monotonic", Policy::RateMonotonic, 1),
        ("deadline_monotonic", Policy::DeadlineMonotonic, 1),
        ("earliest_deadline_first", Policy::EarliestDeadlineFirst, 1),
    ] {
        let mut control = crowd(policy, (7_000, periods), TASKS);
        assert_eq!(control.len() as u64, TASKS, "some do not fit");
        let task = model(&mut Rng(1), (7_000, periods));
        let id = BenchmarkId::new(name, "1k at 70%");
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(control.check(task, Priority::Normal)).expect("it fits"));
        });
        let id = BenchmarkId::new(format!("{name}_insert"), "1k at 70%");
        group.bench_function(id, |bencher| {
            let set_up = || {
                let mut control = control.clone();
                let share = control.check(task, Priority::Normal).expect("it fits");
                (control, share)
            };
            let insert = |(mut control, share): (AdmissionControl, _)| {
                control.insert(TaskId::from_bits(TASKS), share);
                control
            };
            bencher.iter_batched(set_up, insert, BatchSize::SmallInput);
        });
    }
    // So little room that the check gives up after all the work it may do.
    let mut control = crowd(Policy::RateMonotonic, (9_700, 1), 2 * TASKS);
    let mut rng = Rng(2);
    let task = (0..TASKS)
        .map(|_| model(&mut rng, (9_700, 1)))
        .find(|task| {
            let unknown = Rejection::Unknown(UnknownCause::Work);
            control.check(*task, Priority::Normal).is_err_and(|rejection| rejection == unknown)
        })
        .expect("some task is undecided");
    group.bench_function("longest", |bencher| {
        bencher.iter(|| control.check(task, Priority::Normal).expect_err("it is undecided"));
    });
}

/// A random task: 1,000 of these use so many parts of 10,000 of the processor, and may take so many
/// periods.
fn model(rng: &mut Rng, (parts, periods): (u64, u64)) -> TaskModel {
    let period = 10_000_000 + rng.below(90_000_000);
    TaskModel::new(period / 10_000 * parts / TASKS, period, periods * period)
        .expect("it takes time")
}

/// As many of `offered` tasks as are admitted.
fn crowd(policy: Policy, kind: (u64, u64), offered: u64) -> AdmissionControl {
    let mut control = AdmissionControl::new(Admission::Exact, policy, UnknownVerdict::Refuse);
    let mut rng = Rng(3);
    for number in 0..offered {
        let priority = Priority::ALL[rng.below(4) as usize];
        if let Ok(share) = control.check(model(&mut rng, kind), priority) {
            control.insert(TaskId::from_bits(number), share);
        }
    }
    control
}
