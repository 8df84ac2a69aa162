//! An order book.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::feed::Event;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Bid,
    Ask,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        }
    }

    /// The least is the best price.
    fn rank(self, price: u32) -> u32 {
        match self {
            Side::Bid => u32::MAX - price,
            Side::Ask => price,
        }
    }
}

/// The orders of a side, by rank of their price and then by number, which is their age.
type Orders = BTreeMap<(u32, u32), u32>;

/// Orders by price, then time. A new order trades with the other side as far as the prices allow.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Book {
    bids: Orders,
    asks: Orders,
    /// Where each order rests.
    resting: HashMap<u32, (Side, u32)>,
    added: u64,
    cancelled: u64,
    traded: u64,
}

impl Book {
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Add { id, side, price, quantity } => {
                let other = side.other();
                let rest = self.take(other, other.rank(price), quantity);
                if rest > 0 {
                    self.rest(id, side, side.rank(price), rest);
                }
            }
            Event::Cancel { id } => self.cancel(id),
            Event::Take { from, quantity } => {
                self.take(from, u32::MAX, quantity); // What is left finds nobody.
            }
        }
    }

    fn rest(&mut self, id: u32, side: Side, rank: u32, quantity: u32) {
        self.added += u64::from(quantity);
        self.orders(side).insert((rank, id), quantity);
        self.resting.insert(id, (side, rank));
    }

    fn cancel(&mut self, id: u32) {
        let Some((side, rank)) = self.resting.remove(&id) else { return }; // It is filled.
        let quantity = self.orders(side).remove(&(rank, id)).expect("it rests there");
        self.cancelled += u64::from(quantity);
    }

    /// Takes up to `quantity` at ranks up to `limit`; gives what is left of it.
    fn take(&mut self, from: Side, limit: u32, mut quantity: u32) -> u32 {
        while quantity > 0 {
            let Some(mut best) = self.orders(from).first_entry() else { break };
            let (rank, id) = *best.key();
            if rank > limit {
                break;
            }
            let fill = quantity.min(*best.get());
            *best.get_mut() -= fill;
            if *best.get() == 0 {
                best.remove();
                self.resting.remove(&id);
            }
            quantity -= fill;
            self.traded += u64::from(fill);
        }
        quantity
    }

    fn orders(&mut self, side: Side) -> &mut Orders {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    fn best_bid(&self) -> Option<u32> {
        self.bids.keys().next().map(|(rank, _)| u32::MAX - rank)
    }

    fn best_ask(&self) -> Option<u32> {
        self.asks.keys().next().map(|(price, _)| *price)
    }

    /// Nothing was lost or made up, and no bid is as high as an ask.
    pub(crate) fn check(&self) {
        let rests: u64 = self.bids.values().chain(self.asks.values()).copied().map(u64::from).sum();
        assert_eq!(self.added, self.cancelled + self.traded + rests);
        assert_eq!(self.resting.len(), self.bids.len() + self.asks.len());
        if let (Some(bid), Some(ask)) = (self.best_bid(), self.best_ask()) {
            assert!(bid < ask, "{bid} is bid, {ask} asked");
        }
    }
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = |price: Option<u32>| price.map_or("-".to_owned(), |price| price.to_string());
        write!(
            f,
            "{} orders rest, best bid {}, best ask {}, {} pieces traded",
            self.resting.len(),
            price(self.best_bid()),
            price(self.best_ask()),
            self.traded
        )
    }
}
