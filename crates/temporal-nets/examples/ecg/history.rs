//! The recent past of a series, by sample number.

/// How many samples are kept: the careful detector looks back 6 s, tasks may be late.
const KEPT: usize = 1 << 12;

/// The last [`KEPT`] values of a series that has one per sample.
#[derive(Clone, Debug)]
pub(crate) struct History<T> {
    ring: Vec<T>,
    len: usize,
}

impl<T: Copy + Default> History<T> {
    pub(crate) fn new() -> Self {
        History { ring: vec![T::default(); KEPT], len: 0 }
    }

    pub(crate) fn push(&mut self, value: T) {
        self.ring[self.len % KEPT] = value;
        self.len += 1;
    }

    /// The number of the next sample.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at sample `k`; the series' first value, or what stands for it, for earlier ones.
    pub(crate) fn at(&self, k: isize) -> T {
        let Ok(k) = usize::try_from(k) else { return self.ring[0] };
        debug_assert!(k < self.len && k + KEPT >= self.len, "sample {k} of {}", self.len);
        self.ring[k % KEPT]
    }
}
