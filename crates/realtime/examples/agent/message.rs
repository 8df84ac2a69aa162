//! What the agent is told.

use crate::knowledge::{Cell, SIDE};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    /// Bring something from one place to another.
    Order(Order),
    /// A cell cannot be passed; one that was told of long ago can again.
    Alarm { blocked: Cell },
    /// How long it takes to pass a cell.
    Traffic { cell: Cell, cost: u32 },
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) from: Cell,
    pub(crate) to: Cell,
}

/// An endless stream of messages, the same each time: one order and one alarm among eight.
pub(crate) fn generate() -> impl Iterator<Item = Message> {
    let mut random = 7_u64;
    // A linear congruential generator, with the constants of Knuth's MMIX.
    let mut below = move |bound: usize| {
        const FACTOR: u64 = 6_364_136_223_846_793_005;
        const TERM: u64 = 1_442_695_040_888_963_407;
        random = random.wrapping_mul(FACTOR).wrapping_add(TERM);
        (random >> 33) as usize % bound
    };
    std::iter::repeat_with(move || match below(8) {
        0 => Message::Order(Order {
            from: Cell(below(SIDE), below(SIDE)),
            to: Cell(below(SIDE), below(SIDE)),
        }),
        1 => Message::Alarm { blocked: Cell(below(SIDE), below(SIDE)) },
        _ => {
            let cell = Cell(below(SIDE), below(SIDE));
            Message::Traffic { cell, cost: 1 + below(9) as u32 }
        }
    })
}
