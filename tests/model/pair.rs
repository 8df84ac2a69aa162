//! Scheduler and model side by side: whatever one is told to do, the other is too.

use nanosecond_scheduler::TaskId;

use crate::naive::{Event, Naive};
use crate::ops::{Op, Sequence, Spec, Start};
use crate::real::Real;

struct Pair {
    real: Real,
    naive: Naive,
}

impl Pair {
    fn new(sequence: &Sequence) -> Self {
        Pair { real: Real::new(sequence), naive: Naive::new(sequence) }
    }

    fn schedule(&mut self, spec: Spec) {
        self.real.schedule(spec);
        self.naive.schedule(spec);
    }

    /// Cancels whatever the id names.
    fn cancel(&mut self, id: TaskId) {
        self.real.cancel(id);
        match self.real.number_of(id) {
            Some(number) => self.naive.cancel(number),
            None => self.naive.trace.push(Event::Cancelled(false)),
        }
    }

    fn set_clock(&mut self, to: u64) {
        self.naive.clock = to;
        self.real.set_clock(to);
    }

    fn play(&mut self, op: Op) {
        let accepted = self.naive.accepted();
        match op {
            Op::Schedule(spec) => self.schedule(spec),
            Op::Crowd { count, priority, delay, spread } => {
                for n in 0..count {
                    let offset = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % spread;
                    let delay = delay.saturating_add(offset);
                    self.schedule(Spec::plain(priority, Start::After(delay)));
                }
            }
            Op::CancelBits(bits) => self.cancel(TaskId::from_bits(bits)),
            Op::Cancel(nth) if accepted > 0 => self.cancel(self.real.id(nth)),
            Op::CancelMany { stride } => {
                (0..accepted).step_by(stride).for_each(|nth| self.cancel(self.real.id(nth)));
            }
            Op::CancelForged { nth, index, generation } if accepted > 0 => {
                let forged = u64::from(generation) << 32 | u64::from(index);
                let bits = self.real.id(nth).to_bits().wrapping_add(forged);
                self.cancel(TaskId::from_bits(bits));
            }
            Op::Trigger(nth) if accepted > 0 => {
                self.real.trigger(nth);
                self.naive.trigger_now(nth % accepted);
            }
            Op::Cancel(_) | Op::CancelForged { .. } | Op::Trigger(_) => {}
            Op::Advance(by) => self.set_clock(self.naive.clock.saturating_add(by)),
            Op::StepBack(by) => self.set_clock(self.naive.clock.saturating_sub(by)),
            Op::Approach(offset) => {
                let next = self.naive.next_release().unwrap_or(self.naive.clock);
                self.set_clock(next.saturating_add_signed(offset.into()));
            }
            Op::Tick => assert_eq!(self.real.tick(), self.naive.tick()),
        }
    }

    fn check(&mut self) {
        assert_eq!(self.real.take_trace(), std::mem::take(&mut self.naive.trace));
        assert_eq!(self.real.len(), self.naive.len());
        assert_eq!(self.real.next_release(), self.naive.next_release());
        for number in self.naive.accepted().saturating_sub(8)..self.naive.accepted() {
            assert_eq!(self.real.is_pending(number), self.naive.is_pending(number), "{number}");
        }
    }

    /// Half of the sequences end here and now; the others run what is left, but for what repeats.
    fn end(mut self, run_out: bool) {
        if run_out {
            for number in self.naive.repeating() {
                self.cancel(self.real.id(number));
            }
            self.set_clock(u64::MAX);
            while self.naive.next_release().is_some() {
                self.play(Op::Tick);
            }
            self.check();
        }
        assert_eq!(self.real.totals(), self.naive.totals);
        let left = (0..self.naive.accepted()).filter(|&number| self.naive.is_pending(number));
        let left: Vec<Event> = left.map(Event::Dropped).collect();
        assert_eq!(self.real.end(), left);
    }
}

/// Plays a sequence on both, and compares them after every operation.
pub(crate) fn play(sequence: &Sequence) {
    let mut pair = Pair::new(sequence);
    for &op in &sequence.ops {
        pair.play(op);
        pair.check();
    }
    pair.end(sequence.ops.len() % 2 == 0);
}
