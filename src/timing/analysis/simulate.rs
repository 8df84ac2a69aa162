//! A schedule played through: all tasks released together, and then as often as they may.

use alloc::vec::Vec;

use super::TaskModel;

/// Which released job runs. Ties go to the task that is first in the list, then to its oldest job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// The first in the list.
    FixedPriority,
    /// That with the earliest absolute deadline.
    EarliestDeadline,
    /// That with the least laxity, deadline − now − remaining work.
    LeastLaxity,
}

/// A job that finished after its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Miss {
    /// The task's place in the list.
    pub task: usize,
    /// When the job was released.
    pub release: u64,
    /// When it finished.
    pub finish: u64,
}

/// What has happened in a simulated schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// The longest response time of each task.
    pub worst_response: Vec<u64>,
    /// How many jobs missed their deadline.
    pub misses: u64,
    /// The first of them, by finish; at most [`Simulation::FIRST_MISSES`].
    pub first_misses: Vec<Miss>,
}

impl Simulation {
    /// How many misses are kept.
    pub const FIRST_MISSES: usize = 3;
}

#[derive(Clone, Copy, Debug)]
struct Job {
    task: usize,
    release: u64,
    deadline: u64,
    remaining: u64,
}

impl Job {
    /// The least goes first.
    fn key(&self, order: Order) -> (i128, usize, u64) {
        let key = match order {
            Order::FixedPriority => 0,
            Order::EarliestDeadline => i128::from(self.deadline),
            Order::LeastLaxity => i128::from(self.deadline) - i128::from(self.remaining),
        };
        (key, self.task, self.release)
    }
}

/// Plays the jobs released before `until` until the last has finished, every one taking its WCET.
///
/// `None` if that takes more than `work` steps, one for each released job and task at each
/// decision, or if an instant does not fit. A schedule without misses proves nothing about other
/// phases, unless jobs are preempted and priorities fixed, or deadlines earliest.
#[must_use]
pub fn simulate(
    tasks: &[TaskModel],
    order: Order,
    preemptive: bool,
    until: u64,
    work: u64,
) -> Option<Simulation> {
    let mut player = Player {
        tasks,
        order,
        until,
        now: 0,
        next: tasks.iter().map(|_| Some(0).filter(|_| until > 0)).collect(),
        released: Vec::new(),
        seen: Simulation {
            worst_response: tasks.iter().map(|_| 0).collect(),
            ..Simulation::default()
        },
    };
    let mut work = work;
    loop {
        work = work.checked_sub((tasks.len() + player.released.len()) as u64)?;
        player.release()?;
        if player.released.is_empty() {
            match player.next_release() {
                Some(next) => player.now = next,
                None => return Some(player.seen),
            }
            continue;
        }
        player.run(preemptive)?;
    }
}

struct Player<'a> {
    tasks: &'a [TaskModel],
    order: Order,
    until: u64,
    now: u64,
    /// Each task's next release, if there is one.
    next: Vec<Option<u64>>,
    released: Vec<Job>,
    seen: Simulation,
}

impl Player<'_> {
    fn next_release(&self) -> Option<u64> {
        self.next.iter().copied().flatten().min()
    }

    /// Releases what is due. `None` if a deadline does not fit.
    fn release(&mut self) -> Option<()> {
        for (task, (model, next)) in self.tasks.iter().zip(&mut self.next).enumerate() {
            while let Some(release) = next.filter(|next| *next <= self.now) {
                let deadline = match model.deadline() {
                    TaskModel::NEVER => TaskModel::NEVER,
                    relative => release.checked_add(relative)?,
                };
                self.released.push(Job { task, release, deadline, remaining: model.wcet() });
                let following = release.checked_add(model.period());
                *next = following.filter(|next| model.repeats() && *next < self.until);
            }
        }
        Some(())
    }

    /// Runs the first job until it ends, or another may go first. `None` if that does not fit.
    fn run(&mut self, preemptive: bool) -> Option<()> {
        let order = self.order;
        let keys = self.released.iter().map(|job| job.key(order));
        let (first, _) = keys.enumerate().min_by_key(|(_, key)| *key)?;
        let mut job = self.released.swap_remove(first);
        let mut time = job.remaining;
        if preemptive {
            let next = self.next_release().map_or(u64::MAX, |next| next - self.now);
            time = time.min(next).min(self.time_to_lead(&job));
        }
        self.now = self.now.checked_add(time)?;
        job.remaining -= time;
        match job.remaining {
            0 => self.finish(&job),
            _ => self.released.push(job),
        }
        Some(())
    }

    /// How long a job goes before the others that are released: by laxity, those who wait lose it.
    fn time_to_lead(&self, job: &Job) -> u64 {
        if self.order != Order::LeastLaxity {
            return u64::MAX;
        }
        let (own, task, release) = job.key(self.order);
        let leads = |other: &Job| {
            let (key, other_task, other_release) = other.key(self.order);
            let wins_ties = (task, release) < (other_task, other_release);
            let ticks = (key - own).saturating_add(i128::from(wins_ties));
            u64::try_from(ticks.max(1)).unwrap_or(u64::MAX)
        };
        self.released.iter().map(leads).min().unwrap_or(u64::MAX)
    }

    fn finish(&mut self, job: &Job) {
        let worst = &mut self.seen.worst_response[job.task];
        *worst = (*worst).max(self.now - job.release);
        if self.now > job.deadline {
            self.seen.misses += 1;
            if self.seen.first_misses.len() < Simulation::FIRST_MISSES {
                let miss = Miss { task: job.task, release: job.release, finish: self.now };
                self.seen.first_misses.push(miss);
            }
        }
    }
}
