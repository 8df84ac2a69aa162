//! A stream of futures with a bound on each one's latency.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::FuturesOrdered;
use nanosecond_scheduler::{Clock, DefaultClock, TimePoint};
use pin_project_lite::pin_project;

use crate::DeadlineError;

/// Futures that run at a time unless [`LatencyGuarantee::with_concurrency`] says otherwise.
pub const DEFAULT_CONCURRENCY: usize = 16;

/// Adds [`with_latency_guarantee`](Self::with_latency_guarantee) to streams of futures.
pub trait LatencyStreamExt: Stream {
    /// Runs the futures of this stream, up to [`DEFAULT_CONCURRENCY`] at a time, and yields their
    /// outputs in the order of the stream: as they are, or, if one took longer than `max_latency`, as
    /// [`DeadlineError::Missed`], which still holds the value.
    ///
    /// Latency counts from the instant at which the future was taken from this stream to that at
    /// which it was ready. It is read from the [`DefaultClock`], unless
    /// [`with_latency_guarantee_on`](Self::with_latency_guarantee_on) gives another. Nothing needs a certain executor,
    /// and nothing blocks; like all streams it makes progress only while it is polled, so a consumer
    /// that is busy with one output makes the futures behind it late.
    ///
    /// ```
    /// use std::time::Duration;
    /// use futures_util::{stream, StreamExt};
    /// use nanosecond_realtime::LatencyStreamExt;
    ///
    /// # smol::block_on(async {
    /// let requests = stream::iter([1, 2, 3]).map(|n| async move { n * n });
    /// let mut replies = requests.with_latency_guarantee(Duration::from_secs(60));
    /// while let Some(reply) = replies.next().await {
    ///     println!("{:?}", reply.expect("a minute is enough"));
    /// }
    /// assert_eq!(replies.misses(), 0);
    /// # });
    /// ```
    fn with_latency_guarantee(self, max_latency: Duration) -> LatencyGuarantee<Self, DefaultClock>
    where
        Self: Sized,
        Self::Item: Future,
    {
        self.with_latency_guarantee_on(DefaultClock::new(), max_latency)
    }

    /// As [`with_latency_guarantee`](Self::with_latency_guarantee), measured with `clock`.
    fn with_latency_guarantee_on<C: Clock + Clone>(
        self,
        clock: C,
        max_latency: Duration,
    ) -> LatencyGuarantee<Self, C>
    where
        Self: Sized,
        Self::Item: Future,
    {
        LatencyGuarantee {
            upstream: Some(self),
            running: FuturesOrdered::new(),
            concurrency: DEFAULT_CONCURRENCY,
            max_latency,
            clock,
            stats: GuaranteeStats::default(),
        }
    }
}

impl<S: Stream + ?Sized> LatencyStreamExt for S {}

/// What a [`LatencyGuarantee`] has seen so far, of outputs that were yielded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuaranteeStats {
    /// Outputs, late ones included.
    pub completed: u64,
    /// Outputs that were late.
    pub misses: u64,
    /// The longest latency.
    pub max_latency: Duration,
}

pin_project! {
    /// The stream of [`with_latency_guarantee`](LatencyStreamExt::with_latency_guarantee).
    #[must_use = "a stream does nothing unless it is polled"]
    pub struct LatencyGuarantee<S: Stream, C: Clock>
    where
        S::Item: Future,
    {
        // `None` once it has ended.
        #[pin]
        upstream: Option<S>,
        running: FuturesOrdered<Timed<S::Item, C>>,
        concurrency: usize,
        max_latency: Duration,
        clock: C,
        stats: GuaranteeStats,
    }
}

pin_project! {
    /// A future that tells how long it took.
    struct Timed<F, C> {
        #[pin]
        future: F,
        taken_at: TimePoint,
        clock: C,
    }
}

impl<F: Future, C: Clock> Future for Timed<F, C> {
    type Output = (F::Output, Duration);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = ready!(this.future.poll(cx));
        Poll::Ready((output, this.clock.now().duration_since(*this.taken_at)))
    }
}

impl<S: Stream, C: Clock> LatencyGuarantee<S, C>
where
    S::Item: Future,
{
    /// Runs at most `concurrency` futures at a time, those included that are ready and wait for
    /// their turn.
    ///
    /// # Panics
    ///
    /// If it is 0.
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        assert!(concurrency > 0, "the concurrency is 0; it must be at least 1");
        self.concurrency = concurrency;
        self
    }

    /// Outputs so far that were late.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.stats.misses
    }

    /// What was seen so far.
    #[must_use]
    pub fn stats(&self) -> GuaranteeStats {
        self.stats
    }
}

impl<S: Stream, C: Clock + Clone> Stream for LatencyGuarantee<S, C>
where
    S::Item: Future,
{
    type Item = Result<<S::Item as Future>::Output, DeadlineError<<S::Item as Future>::Output>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        while this.running.len() < *this.concurrency {
            let Some(upstream) = this.upstream.as_mut().as_pin_mut() else { break };
            match upstream.poll_next(cx) {
                Poll::Ready(Some(future)) => {
                    let clock = this.clock.clone();
                    this.running.push_back(Timed { future, taken_at: clock.now(), clock });
                }
                Poll::Ready(None) => this.upstream.set(None),
                Poll::Pending => break,
            }
        }
        match ready!(Pin::new(&mut *this.running).poll_next(cx)) {
            Some((value, latency)) => {
                Poll::Ready(Some(this.stats.judge(value, latency, *this.max_latency)))
            }
            None if this.upstream.is_some() => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let running = self.running.len();
        let (lower, upper) = self.upstream.as_ref().map_or((0, Some(0)), Stream::size_hint);
        (lower.saturating_add(running), upper.and_then(|upper| upper.checked_add(running)))
    }
}

impl GuaranteeStats {
    /// Counts an output, and says what it is worth.
    fn judge<T>(
        &mut self,
        value: T,
        latency: Duration,
        max_latency: Duration,
    ) -> Result<T, DeadlineError<T>> {
        self.completed += 1;
        self.max_latency = self.max_latency.max(latency);
        match latency.checked_sub(max_latency) {
            None | Some(Duration::ZERO) => Ok(value),
            Some(late_by) => {
                self.misses += 1;
                Err(DeadlineError::Missed { late_by, value: Some(value) })
            }
        }
    }
}

impl<S: Stream, C: Clock> fmt::Debug for LatencyGuarantee<S, C>
where
    S::Item: Future,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencyGuarantee")
            .field("running", &self.running.len())
            .field("concurrency", &self.concurrency)
            .field("max_latency", &self.max_latency)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}
