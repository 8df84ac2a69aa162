//! How well beats found agree with those that annotators saw.

use crate::record::millis;

/// How far apart the two may be, as in ANSI/AAMI EC57.
const TOLERANCE: usize = millis(150);

/// The figures of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Score {
    /// Annotated beats that were found.
    pub(crate) matched: usize,
    /// Those that were not.
    pub(crate) missed: Vec<usize>,
    /// Beats found that nobody annotated.
    pub(crate) false_alarms: Vec<usize>,
}

impl Score {
    /// Matches beats one to one. Both are in order.
    pub(crate) fn new(found: &[usize], annotated: &[usize]) -> Self {
        let mut score = Score { matched: 0, missed: Vec::new(), false_alarms: Vec::new() };
        let (mut f, mut a) = (0, 0);
        while f < found.len() && a < annotated.len() {
            let is_nearer = |next: Option<&usize>, to: usize, than: usize| {
                next.is_some_and(|next| next.abs_diff(to) < than)
            };
            let apart = found[f].abs_diff(annotated[a]);
            if apart <= TOLERANCE
                && !is_nearer(found.get(f + 1), annotated[a], apart)
                && !is_nearer(annotated.get(a + 1), found[f], apart)
            {
                score.matched += 1;
                f += 1;
                a += 1;
            } else if found[f] < annotated[a] {
                score.false_alarms.push(found[f]);
                f += 1;
            } else {
                score.missed.push(annotated[a]);
                a += 1;
            }
        }
        score.false_alarms.extend(&found[f..]);
        score.missed.extend(&annotated[a..]);
        score
    }

    /// The share of annotated beats that were found, in %; `None` if there are none.
    pub(crate) fn sensitivity(&self) -> Option<f64> {
        percent(self.matched, self.missed.len())
    }

    /// The share of beats found that are annotated, in %; `None` if none was found.
    pub(crate) fn positive_predictivity(&self) -> Option<f64> {
        percent(self.matched, self.false_alarms.len())
    }
}

fn percent(right: usize, wrong: usize) -> Option<f64> {
    let all = right + wrong;
    (all > 0).then(|| 100.0 * right as f64 / all as f64)
}
