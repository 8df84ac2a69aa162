//! What the exchange tells, and when.

use std::time::Duration;

use crate::book::Side;

/// Prices are in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Add {
        id: u32,
        side: Side,
        price: u32,
        quantity: u32,
    },
    Cancel {
        id: u32,
    },
    /// A market order that takes the best of a side.
    Take {
        from: Side,
        quantity: u32,
    },
}

/// An event and its time from the start.
pub(crate) type Timed = (Duration, Event);

/// An event for each arrival, at `speed` times their pace; the same events for each run.
pub(crate) fn generate(arrivals: Vec<Duration>, speed: u32) -> Vec<Timed> {
    let mut exchange = Exchange { random: 2024, middle: 10_000 };
    let times = arrivals.into_iter().map(|at| at / speed);
    times.zip((0..).map(|id| exchange.event(id))).collect()
}

/// Makes events around a price that wanders: half of them are new orders.
struct Exchange {
    random: u64,
    middle: u32,
}

impl Exchange {
    fn event(&mut self, id: u32) -> Event {
        self.middle = self.middle + self.below(3) - 1;
        let side = if self.below(2) == 0 { Side::Bid } else { Side::Ask };
        let quantity = 1 + self.below(100);
        match self.below(10) {
            0..=4 => {
                let away = 1 + self.below(20);
                let price = match side {
                    Side::Bid => self.middle - away,
                    Side::Ask => self.middle + away,
                };
                Event::Add { id, side, price, quantity }
            }
            5..=8 => Event::Cancel { id: id.saturating_sub(1 + self.below(200)) },
            _ => Event::Take { from: side, quantity },
        }
    }

    /// A linear congruential generator, with the constants of Knuth's MMIX.
    fn below(&mut self, bound: u32) -> u32 {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const TERM: u64 = 1_442_695_040_888_963_407;
        self.random = self.random.wrapping_mul(FACTOR).wrapping_add(TERM);
        (self.random >> 33) as u32 % bound
    }
}
