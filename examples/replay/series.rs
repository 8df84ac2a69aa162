//! Samples over capture time, in bounded memory.

/// How many bins a series holds before neighbours are merged: enough for a plot.
const MAX_BINS: usize = 1024;

/// What happened within one sampling period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bin {
    /// Capture time since the first packet, in ns.
    pub(crate) end_ns: u64,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Largest number of pending connection timers seen at a sample.
    pub(crate) live_timers: u64,
    /// Largest number of connections that were not idle, seen at a sample.
    pub(crate) open_connections: u64,
}

impl Bin {
    fn merge(self, later: Bin) -> Bin {
        Bin {
            end_ns: later.end_ns,
            packets: self.packets + later.packets,
            bytes: self.bytes + later.bytes,
            live_timers: self.live_timers.max(later.live_timers),
            open_connections: self.open_connections.max(later.open_connections),
        }
    }
}

/// Bins in time order.
#[derive(Default)]
pub(crate) struct Series {
    bins: Vec<Bin>,
}

impl Series {
    /// Appends a bin. `true`: the bins were merged in pairs, so sample half as often from now on.
    pub(crate) fn push(&mut self, bin: Bin) -> bool {
        self.bins.push(bin);
        if self.bins.len() < MAX_BINS {
            return false;
        }
        self.bins = self.bins.chunks_exact(2).map(|pair| pair[0].merge(pair[1])).collect();
        true
    }

    /// Start and content of each bin.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (u64, &Bin)> {
        let starts = std::iter::once(0).chain(self.bins.iter().map(|bin| bin.end_ns));
        starts.zip(&self.bins)
    }
}
