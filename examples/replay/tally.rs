//! What a replay counts and measures.

use std::ops::{Add, Index, IndexMut};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::series::{Bin, Series};

/// Figures per packet are kept up to an hour; greater ones count as one.
const GREATEST_NS: u64 = 3_600_000_000_000;

/// The two timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// Nothing was heard from either side.
    Idle,
    /// The peer did not answer the initiator.
    Response,
}

/// The life of one kind of task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timers {
    pub(crate) scheduled: u64,
    pub(crate) cancelled: u64,
    pub(crate) fired: u64,
}

impl Timers {
    pub(crate) fn pending(&self) -> u64 {
        self.scheduled - self.cancelled - self.fired
    }
}

impl Add for Timers {
    type Output = Timers;
    fn add(self, other: Timers) -> Timers {
        Timers {
            scheduled: self.scheduled + other.scheduled,
            cancelled: self.cancelled + other.cancelled,
            fired: self.fired + other.fired,
        }
    }
}

/// A value for each of a connection's timers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PerTimeout<T>([T; 2]);

impl<T> PerTimeout<T> {
    pub(crate) fn new(idle: T, response: T) -> Self {
        PerTimeout([idle, response])
    }
}

impl<T> Index<Timeout> for PerTimeout<T> {
    type Output = T;
    fn index(&self, timeout: Timeout) -> &T {
        &self.0[timeout as usize]
    }
}

impl<T> IndexMut<Timeout> for PerTimeout<T> {
    fn index_mut(&mut self, timeout: Timeout) -> &mut T {
        &mut self.0[timeout as usize]
    }
}

pub(crate) struct Tally {
    /// Packet tasks; the fired ones are the packets replayed.
    pub(crate) packets: Timers,
    pub(crate) timeouts: PerTimeout<Timers>,
    pub(crate) bytes: u64,
    pub(crate) other_ip: u64,
    pub(crate) not_ip: u64,
    /// Packets with a timestamp before that of the packet before them in the file.
    pub(crate) out_of_order: u64,
    pub(crate) connections: u64,
    /// Capture time from the first packet to the latest, in ns.
    pub(crate) span_ns: u64,
    pub(crate) peak_timers: u64,
    pub(crate) samples: u64,
    pub(crate) series: Series,
    /// One figure per packet, in ns: its dispatch latency, or on a manual clock the wall time since
    /// the packet before it.
    pub(crate) per_packet: Histogram<u64>,
    /// Wall time of the whole run.
    pub(crate) wall: Duration,
    /// Packets and bytes at the latest sample.
    sampled: (u64, u64),
}

impl Default for Tally {
    fn default() -> Self {
        let per_packet = Histogram::new_with_bounds(1, GREATEST_NS, 3);
        Tally {
            packets: Timers::default(),
            timeouts: PerTimeout::default(),
            bytes: 0,
            other_ip: 0,
            not_ip: 0,
            out_of_order: 0,
            connections: 0,
            span_ns: 0,
            peak_timers: 0,
            samples: 0,
            series: Series::default(),
            per_packet: per_packet.expect("the bounds and digits are valid"),
            wall: Duration::ZERO,
            sampled: (0, 0),
        }
    }
}

impl Tally {
    /// Timers of connections that are pending now.
    pub(crate) fn live_timers(&self) -> u64 {
        (self.timeouts[Timeout::Idle] + self.timeouts[Timeout::Response]).pending()
    }

    /// Closes a bin of the series; `true` asks to sample half as often from now on.
    pub(crate) fn sample(&mut self, end_ns: u64) -> bool {
        let (packets, bytes) = (self.packets.fired, self.bytes);
        let bin = Bin {
            end_ns,
            packets: packets - self.sampled.0,
            bytes: bytes - self.sampled.1,
            live_timers: self.live_timers(),
            // A connection is open while its idle timer runs.
            open_connections: self.timeouts[Timeout::Idle].pending(),
        };
        self.sampled = (packets, bytes);
        self.samples += 1;
        self.series.push(bin)
    }
}
