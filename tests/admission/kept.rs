//! What was accepted misses nothing.

use super::*;

/// Random tasks come and go, also from within jobs; every one that was accepted keeps its deadlines.
#[test]
fn what_was_accepted_misses_nothing() {
    let cases = std::env::var("ADMISSION_CASES").map_or(100, |cases| cases.parse().unwrap());
    let mut ran = 0;
    for case in 0..cases {
        let policy = POLICIES[case as usize % 4];
        let config = Config {
            max_tasks_per_tick: 1 + case as usize / 4 % 3,
            audit: true,
            ..config(policy, Admission::Exact)
        };
        let (mut scheduler, clock) = manual(config);
        let misses = Log::default();
        let misses2 = misses.clone();
        scheduler.on_deadline_miss(move |miss| misses2.push(miss));
        let mut ids: Vec<TaskId> = Vec::new();
        for step in 0..400 {
            let mut draws = 0;
            let mut below = |bound| {
                draws += 1;
                scatter(case * 1_000_000 + step * 100 + draws, bound)
            };
            match below(8) {
                0 if !ids.is_empty() => {
                    let id = ids.swap_remove(below(ids.len() as u64) as usize);
                    let _ = scheduler.cancel(id);
                }
                1 if !ids.is_empty() => {
                    let _ = scheduler.trigger(ids[below(ids.len() as u64) as usize]);
                }
                2..=4 => {
                    let mut task = random_task(&clock, &mut below);
                    if below(3) == 0 && !ids.is_empty() {
                        task = task.after(&[ids[below(ids.len() as u64) as usize]]);
                        if below(2) == 0 {
                            task = task.on_failure(OnFailure::Run);
                        }
                    }
                    let missed_tick = [MissedTick::Burst, MissedTick::Delay, MissedTick::Skip];
                    task = task.with_missed_tick(missed_tick[below(3) as usize]);
                    ids.extend(scheduler.schedule(task));
                }
                _ => {}
            }
            // Never past a release: a tick that comes late is not what admission answers for.
            if let Some(next) = scheduler.next_release().filter(|next| *next > scheduler.now()) {
                clock.set(next.min(scheduler.now() + ns(below(3))));
                if below(2) == 0 {
                    clock.set(next);
                }
            }
            ran += scheduler.tick().executed;
            assert_eq!(misses.take(), [], "{policy:?}, case {case}, step {step}");
        }
        assert_eq!(scheduler.inversions(), Some(0));
    }
    println!("{ran} jobs ran");
    assert!(ran as u64 > 50 * cases);
}

/// A periodic, a sporadic or a one-shot task that takes its WCET.
fn random_task(clock: &ManualClock, below: &mut impl FnMut(u64) -> u64) -> Task {
    let wcet = 1 + below(6);
    let period = 10 + below(60);
    let clock = Rc::new(clock.clone());
    let body = {
        let clock = Rc::clone(&clock);
        move |_: &mut Context<'_>| clock.advance(ns(wcet))
    };
    let task = match below(4) {
        0 => Task::periodic(body, ns(period)).with_delay(ns(below(30))),
        1 => Task::sporadic(body, ns(period)),
        2 => Task::new(move || clock.advance(ns(wcet)), ns(below(4))),
        // Schedules another 1 ns after its own start.
        _ => {
            let (child, deadline) = (1 + below(wcet), 10 + below(60));
            let own = Rc::clone(&clock);
            let job = move |cx: &mut Context<'_>| {
                let task = Task::new(move || clock.advance(ns(child)), ns(1));
                let _ = cx.schedule(task.with_wcet(ns(child)).with_deadline(ns(deadline)));
                own.advance(ns(wcet));
            };
            Task::with_context(job, ns(below(4)))
        }
    };
    let priority = Priority::ALL[below(4) as usize];
    task.with_wcet(ns(wcet)).with_deadline(ns(wcet + below(60))).with_priority(priority)
}
