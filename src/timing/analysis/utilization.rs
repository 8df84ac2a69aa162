//! ΣC/T, and how it compares with 1.

use core::cmp::Ordering;

use super::TaskModel;

/// ΣC/T between two bounds that differ by 2⁻⁶⁴ per task, kept while tasks come and go.
///
/// Tasks with a single job count nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Utilization {
    /// The sum of C/T, each rounded down to a multiple of 2⁻⁶⁴.
    floor: u128,
    /// How many were rounded.
    rounded: u64,
}

const ONE: u128 = 1 << 64;

impl Utilization {
    pub(crate) fn of(tasks: &[TaskModel]) -> Self {
        let mut sum = Utilization::default();
        tasks.iter().for_each(|task| sum.add(task));
        sum
    }

    /// A task's C/T in units of 2⁻⁶⁴, rounded down, and whether that is less than it was.
    fn share(task: &TaskModel) -> (u128, u64) {
        if !task.repeats() {
            return (0, 0);
        }
        let (scaled, period) = (u128::from(task.wcet()) << 64, u128::from(task.period()));
        // Far above 1 it does not matter how far, and the sum fits for 2³⁸ tasks.
        ((scaled / period).min(1 << 90), u64::from(scaled % period != 0))
    }

    pub(crate) fn add(&mut self, task: &TaskModel) {
        let (floor, rounded) = Self::share(task);
        self.floor += floor;
        self.rounded += rounded;
    }

    /// Takes back what [`add`](Self::add) has added.
    pub(crate) fn subtract(&mut self, task: &TaskModel) {
        let (floor, rounded) = Self::share(task);
        self.floor -= floor;
        self.rounded -= rounded;
    }

    fn ceiling(&self) -> u128 {
        self.floor + u128::from(self.rounded)
    }

    /// How the sum over `tasks`, which this is, compares with 1. O(1), but O(n) within n·2⁻⁶⁴ of 1.
    pub(crate) fn compare(
        &self,
        tasks: impl Iterator<Item = TaskModel> + Clone,
    ) -> Option<Ordering> {
        if self.floor > ONE || self.floor == ONE && self.rounded > 0 {
            return Some(Ordering::Greater);
        }
        if self.floor == ONE {
            return Some(Ordering::Equal);
        }
        if self.ceiling() <= ONE {
            return Some(Ordering::Less); // Less than was rounded up.
        }
        compare_exactly(tasks)
    }

    /// By how many millionths the sum, which is above 1, is so: rounded up.
    pub(crate) fn excess_ppm(&self) -> u64 {
        let excess = self.floor.saturating_sub(ONE);
        let ppm = excess.saturating_mul(1_000_000).div_ceil(ONE);
        u64::try_from(ppm).unwrap_or(u64::MAX).max(1)
    }

    /// The time after which work of `ahead` that is there at first, and all that comes, is done, or
    /// more; `None` if that is not known to fit. The sum is at most 1.
    pub(crate) fn catches_up(&self, ahead: u128) -> Option<u64> {
        if ahead == 0 {
            return Some(0);
        }
        let slack = ONE.checked_sub(self.ceiling()).filter(|slack| *slack > 0)?;
        let ahead = u64::try_from(ahead).ok()?;
        u64::try_from((u128::from(ahead) << 64).div_ceil(slack)).ok()
    }
}

/// Compares ΣC/T with 1 by way of the common multiple of the periods.
fn compare_exactly(tasks: impl Iterator<Item = TaskModel> + Clone) -> Option<Ordering> {
    let tasks = tasks.filter(TaskModel::repeats);
    let mut whole = 1_u128;
    for task in tasks.clone() {
        whole = common_multiple(whole, task.period().into())?;
    }
    let mut sum = 0_u128;
    for task in tasks {
        let part = u128::from(task.wcet()).checked_mul(whole / u128::from(task.period()))?;
        sum = sum.checked_add(part)?;
    }
    Some(sum.cmp(&whole))
}

/// How the utilization ΣC/T compares with 1, exactly; `None` in the rare case that it is within
/// n·2⁻⁶⁴ of 1 and the common multiple of the periods does not fit 128 bits. Above 1 no schedule keeps
/// all deadlines. O(n).
#[must_use]
pub fn compare_utilization(tasks: &[TaskModel]) -> Option<Ordering> {
    Utilization::of(tasks).compare(tasks.iter().copied())
}

/// The least common multiple of the periods, after which a periodic schedule repeats; `None` if it
/// does not fit. Tasks with a single job do not count. O(n log T).
#[must_use]
pub fn hyperperiod(tasks: &[TaskModel]) -> Option<u64> {
    let mut periods = tasks.iter().filter(|task| task.repeats()).map(TaskModel::period);
    let whole = periods.try_fold(1, |whole, period| common_multiple(whole, u128::from(period)))?;
    u64::try_from(whole).ok()
}

fn common_multiple(a: u128, b: u128) -> Option<u128> {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).checked_mul(b)
}
