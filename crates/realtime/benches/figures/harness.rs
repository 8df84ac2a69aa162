//! Slices of work in turn, and what is made of them.

use hdrhistogram::Histogram;

/// How much to do.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Small sizes: does everything still run and agree? Nothing is judged.
    pub(crate) quick: bool,
}

impl Plan {
    pub(crate) fn size(self, full: usize, quick: usize) -> usize {
        if self.quick {
            quick
        } else {
            full
        }
    }
}

/// Something to measure, a slice at a time.
pub(crate) type Contender<'a, T> = Box<dyn FnMut() -> T + 'a>;

/// Runs the contenders in turn, A B C A B C, so that what disturbs the machine for a while disturbs
/// all of them. The first round warms up and does not count.
pub(crate) fn interleave<T, const N: usize>(
    rounds: usize,
    mut contenders: [Contender<'_, T>; N],
) -> [Series<T>; N] {
    let mut series = [(); N].map(|()| Series(Vec::with_capacity(rounds)));
    for round in 0..=rounds {
        for (contender, series) in contenders.iter_mut().zip(&mut series) {
            let slice = contender();
            if round > 0 {
                series.0.push(slice);
            }
        }
    }
    series
}

/// What one contender did, round by round.
pub(crate) struct Series<T>(Vec<T>);

impl<T> Series<T> {
    /// The median over the slices of a figure of each.
    pub(crate) fn median(&self, figure: impl Fn(&T) -> f64) -> f64 {
        median(self.0.iter().map(figure))
    }

    /// The median over the rounds of a figure of two slices that followed each other.
    pub(crate) fn paired(&self, other: &Self, figure: impl Fn(&T, &T) -> f64) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(ours, theirs)| figure(ours, theirs)))
    }

    pub(crate) fn slices(&self) -> &[T] {
        &self.0
    }
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// Times in ns, to three digits.
#[derive(Clone)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    pub(crate) fn new() -> Self {
        Times(Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid"))
    }

    #[inline]
    pub(crate) fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value at a quantile, 0 to 1.
    pub(crate) fn at(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64
    }

    /// All slices' times as one.
    pub(crate) fn pooled<'a>(slices: impl Iterator<Item = &'a Times>) -> Times {
        let mut all = Times::new();
        slices.for_each(|slice| all.0.add(&slice.0).expect("the bounds are alike"));
        all
    }
}

/// Random numbers that repeat: SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    /// Uniform from 0 to `bound` - 1.
    #[inline]
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(z ^ (z >> 31)) * u128::from(bound)) >> 64) as u64
    }
}
