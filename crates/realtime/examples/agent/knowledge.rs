//! What is known of the warehouse, and what follows from it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::message::{Message, Order};

/// The warehouse is a square of so many cells a side.
pub(crate) const SIDE: usize = 48;
/// So many alarms are kept.
const BLOCKED: usize = 200;
const UNREACHED: u32 = u32::MAX;

/// Column and row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell(pub(crate) usize, pub(crate) usize);

impl Cell {
    fn index(self) -> usize {
        self.1 * SIDE + self.0
    }

    fn neighbours(index: usize) -> impl Iterator<Item = usize> {
        let (column, row) = (index % SIDE, index / SIDE);
        [
            (column > 0).then(|| index - 1),
            (column + 1 < SIDE).then(|| index + 1),
            (row > 0).then(|| index - SIDE),
            (row + 1 < SIDE).then(|| index + SIDE),
        ]
        .into_iter()
        .flatten()
    }
}

pub(crate) struct Knowledge {
    /// What it takes to pass each cell.
    costs: Vec<u32>,
    /// How many of the alarms that are kept are about each cell.
    blocked: Vec<u32>,
    alarms: VecDeque<Cell>,
    alarms_heard: u32,
}

/// The cheapest way, cell by cell; empty if there is none.
#[derive(Debug)]
pub(crate) struct Decision {
    way: Vec<usize>,
    /// How many alarms were known.
    pub(crate) alarms: u32,
}

impl Default for Knowledge {
    fn default() -> Self {
        Knowledge {
            costs: vec![1; SIDE * SIDE],
            blocked: vec![0; SIDE * SIDE],
            alarms: VecDeque::new(),
            alarms_heard: 0,
        }
    }
}

impl Knowledge {
    /// Takes note of a message, unless it is an order.
    pub(crate) fn learn(&mut self, message: Message) {
        match message {
            Message::Order(_) => {}
            Message::Traffic { cell, cost } => self.costs[cell.index()] = cost,
            Message::Alarm { blocked } => {
                self.alarms_heard += 1;
                self.blocked[blocked.index()] += 1;
                self.alarms.push_back(blocked);
                if self.alarms.len() > BLOCKED {
                    let oldest = self.alarms.pop_front().expect("there are more than 0");
                    self.blocked[oldest.index()] -= 1;
                }
            }
        }
    }

    /// Finds the cheapest way (Dijkstra's algorithm).
    pub(crate) fn decide(&self, order: Order) -> Decision {
        let (from, to) = (order.from.index(), order.to.index());
        let mut reached = vec![(UNREACHED, from); SIDE * SIDE];
        let mut next = BinaryHeap::from([Reverse((0, from))]);
        reached[from].0 = 0;
        while let Some(Reverse((cost, cell))) = next.pop() {
            if cell == to {
                break;
            }
            if cost > reached[cell].0 {
                continue;
            }
            for neighbour in Cell::neighbours(cell).filter(|cell| self.blocked[*cell] == 0) {
                let through = cost + self.costs[neighbour];
                if through < reached[neighbour].0 {
                    reached[neighbour] = (through, cell);
                    next.push(Reverse((through, neighbour)));
                }
            }
        }
        let way = if reached[to].0 == UNREACHED { Vec::new() } else { way(&reached, from, to) };
        self.check(&way, reached[to].0);
        Decision { way, alarms: self.alarms_heard }
    }

    /// The way is one, avoids what is blocked, and costs what was found.
    fn check(&self, way: &[usize], cost: u32) {
        let Some((_, steps)) = way.split_first() else { return };
        assert!(steps.iter().all(|cell| self.blocked[*cell] == 0), "through a blocked cell");
        assert!(way.windows(2).all(|pair| Cell::neighbours(pair[0]).any(|cell| cell == pair[1])));
        assert_eq!(steps.iter().map(|cell| self.costs[*cell]).sum::<u32>(), cost);
    }
}

/// From cell to cell, back from the end.
fn way(reached: &[(u32, usize)], from: usize, to: usize) -> Vec<usize> {
    let before = |cell: &usize| (*cell != from).then(|| reached[*cell].1);
    let mut way: Vec<_> = std::iter::successors(Some(to), before).collect();
    way.reverse();
    way
}

impl Decision {
    /// Cells passed, or none if there is no way.
    pub(crate) fn steps(&self) -> usize {
        self.way.len()
    }
}
