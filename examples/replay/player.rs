//! The tasks of a replay, and the state that they share.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use indicatif::ProgressBar;
use nanosecond_scheduler::{
    Context, LatencyStats, Priority, ScheduleErrorKind, Task, TaskId, TimePoint,
};

use crate::capture::{Capture, CaptureError};
use crate::format;
use crate::pace::Pace;
use crate::packet::{Content, FlowKey, Packet, Segment};
use crate::replay::Outcome;
use crate::tally::{PerTimeout, Tally, Timeout};

/// Packets that are pending at a time: enough to hide file reads, and a bound on memory.
const LOOK_AHEAD: u64 = 4096;
/// From the first read to the first packet, so that filling the look-ahead makes no packet late.
const LEAD_IN: Duration = Duration::from_millis(50);
/// Capture time between samples, until the series asks for fewer.
const SAMPLE_PERIOD: Duration = Duration::from_secs(1);

/// What a player plays, and how.
pub(crate) struct Setup {
    pub(crate) capture: Capture,
    pub(crate) pace: Pace,
    /// In capture time.
    pub(crate) timeouts: PerTimeout<Duration>,
    pub(crate) progress: ProgressBar,
    /// The figure to record for a packet with this release, in ns.
    pub(crate) measure: Box<dyn FnMut(TimePoint) -> Option<u64>>,
    pub(crate) stops_after_last_packet: bool,
}

/// A handle that every task holds: packets, timeouts and samples meet in one shared state.
#[derive(Clone)]
pub(crate) struct Player(Rc<RefCell<State>>);

struct State {
    setup: Setup,
    tally: Tally,
    connections: Vec<Connection>,
    numbers: HashMap<FlowKey, u32>,
    /// Timestamp of the packet read last.
    previous_ns: u64,
    /// File offset behind the packet replayed last.
    replayed_to: u64,
    sampler: Option<TaskId>,
    sample_period: Duration,
    is_read: bool,
    damage: Option<CaptureError>,
    refused: Option<ScheduleErrorKind>,
}

#[derive(Clone, Copy, Default)]
struct Connection {
    /// Whether the side that spoke first is the lower one of the flow key.
    initiator_is_low: Option<bool>,
    timers: PerTimeout<Option<TaskId>>,
}

/// A packet on its way, small enough for the task to hold it without an allocation.
#[derive(Clone, Copy)]
struct Arrival {
    wire_bytes: u32,
    end_offset: u64,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Segment { connection: u32, from_low: bool, has_payload: bool },
    OtherIp,
    NotIp,
}

impl Player {
    pub(crate) fn new(setup: Setup) -> Self {
        Player(Rc::new(RefCell::new(State {
            setup,
            tally: Tally::default(),
            connections: Vec::new(),
            numbers: HashMap::new(),
            previous_ns: 0,
            replayed_to: 0,
            sampler: None,
            sample_period: SAMPLE_PERIOD,
            is_read: false,
            damage: None,
            refused: None,
        })))
    }

    /// The task from which all others follow.
    pub(crate) fn opening(&self, first: Packet) -> Task {
        let player = self.clone();
        Task::with_context(move |cx| player.open(first, cx), Duration::ZERO)
    }

    /// What came out, with what the scheduler knows about itself.
    pub(crate) fn finish(self, latency: Option<LatencyStats>, pending: u64) -> Outcome {
        let state = &mut *self.0.borrow_mut();
        Outcome {
            tally: mem::take(&mut state.tally),
            latency,
            pending,
            truncation: state.setup.capture.truncation(),
            untimed: state.setup.capture.untimed(),
            damage: state.damage.take(),
            refused: state.refused,
        }
    }

    fn open(&self, first: Packet, cx: &mut Context<'_>) {
        let state = &mut *self.0.borrow_mut();
        let start = cx.now() + LEAD_IN;
        state.setup.pace.start = start;
        self.submit(first, state, cx);
        self.read_ahead(state, cx);
        self.start_sampling(start, state, cx);
    }

    /// Reads on until as many packets are pending as are to be.
    fn read_ahead(&self, state: &mut State, cx: &mut Context<'_>) {
        while !state.is_read && state.tally.packets.pending() < LOOK_AHEAD {
            match state.setup.capture.next_packet() {
                Ok(Some(packet)) => self.submit(packet, state, cx),
                Ok(None) => state.is_read = true,
                Err(error) => {
                    state.damage = Some(error);
                    state.is_read = true;
                }
            }
        }
    }

    /// Schedules a packet for its captured instant. If that has passed, because the packet is out
    /// of order by more than the look-ahead, it runs at once.
    fn submit(&self, packet: Packet, state: &mut State, cx: &mut Context<'_>) {
        let since_first_ns = packet.time_ns.saturating_sub(state.setup.pace.first_ns);
        state.tally.span_ns = state.tally.span_ns.max(since_first_ns);
        state.tally.out_of_order += u64::from(packet.time_ns < state.previous_ns);
        state.previous_ns = packet.time_ns;

        let arrival = state.arrival(packet);
        let player = self.clone();
        let task = Task::with_context(move |cx| player.arrive(arrival, cx), Duration::ZERO)
            .at(state.setup.pace.release(packet.time_ns))
            .with_priority(Priority::High);
        if state.schedule(task, cx).is_some() {
            state.tally.packets.scheduled += 1;
        }
    }

    fn arrive(&self, arrival: Arrival, cx: &mut Context<'_>) {
        let state = &mut *self.0.borrow_mut();
        if let Some(figure) = (state.setup.measure)(cx.release()) {
            state.tally.per_packet.saturating_record(figure);
        }
        state.tally.packets.fired += 1;
        state.tally.bytes += u64::from(arrival.wire_bytes);
        state.replayed_to = arrival.end_offset;
        match arrival.kind {
            Kind::Segment { connection, from_low, has_payload } => {
                self.hear(connection, from_low, has_payload, state, cx);
            }
            Kind::OtherIp => state.tally.other_ip += 1,
            Kind::NotIp => state.tally.not_ip += 1,
        }
        self.read_ahead(state, cx);
        if state.setup.stops_after_last_packet && state.is_drained() {
            state.tally.sample(state.setup.pace.capture_ns(cx.now()));
            state.stop_sampling(cx);
            cx.stop();
        }
    }

    /// One side of a connection spoke: the idle timeout starts anew, and payload starts or ends
    /// the wait for a response.
    fn hear(
        &self,
        number: u32,
        from_low: bool,
        has_payload: bool,
        state: &mut State,
        cx: &mut Context<'_>,
    ) {
        let connection = &mut state.connections[number as usize];
        if connection.initiator_is_low.is_none() {
            state.tally.connections += 1;
        }
        let from_initiator = *connection.initiator_is_low.get_or_insert(from_low) == from_low;
        let is_waiting = connection.timers[Timeout::Response].is_some();

        state.disarm(number, Timeout::Idle, cx);
        self.arm(number, Timeout::Idle, state, cx);
        match (has_payload, from_initiator) {
            (true, true) if !is_waiting => self.arm(number, Timeout::Response, state, cx),
            (true, false) => state.disarm(number, Timeout::Response, cx),
            _ => {}
        }
    }

    fn arm(&self, number: u32, timeout: Timeout, state: &mut State, cx: &mut Context<'_>) {
        let delay = state.setup.pace.scaled(state.setup.timeouts[timeout]);
        let player = self.clone();
        let task = Task::with_context(move |cx| player.expire(number, timeout, cx), delay);
        if let Some(id) = state.schedule(task, cx) {
            state.connections[number as usize].timers[timeout] = Some(id);
            state.tally.timeouts[timeout].scheduled += 1;
            state.tally.peak_timers = state.tally.peak_timers.max(state.tally.live_timers());
        }
    }

    fn expire(&self, number: u32, timeout: Timeout, cx: &mut Context<'_>) {
        let state = &mut *self.0.borrow_mut();
        state.connections[number as usize].timers[timeout] = None;
        state.tally.timeouts[timeout].fired += 1;
        if timeout == Timeout::Idle {
            // Nobody waits for a response of a connection that has gone quiet.
            state.disarm(number, Timeout::Response, cx);
        }
    }

    fn start_sampling(&self, from: TimePoint, state: &mut State, cx: &mut Context<'_>) {
        let period = state.setup.pace.scaled(state.sample_period);
        let player = self.clone();
        let task = Task::periodic(move |cx| player.sample(cx), period)
            .at(from + period)
            .with_priority(Priority::Low)
            .with_name("statistics");
        state.sampler = state.schedule(task, cx);
    }

    fn sample(&self, cx: &mut Context<'_>) {
        let state = &mut *self.0.borrow_mut();
        let end_ns = state.setup.pace.capture_ns(cx.release());
        let is_dense = state.tally.sample(end_ns);
        state.show_progress(end_ns);
        if state.is_drained() && state.tally.live_timers() == 0 {
            state.stop_sampling(cx);
        } else if is_dense {
            state.sample_period *= 2;
            state.stop_sampling(cx);
            self.start_sampling(cx.release(), state, cx);
        }
    }
}

impl State {
    /// Schedules `task`. A refusal ends the replay: with a task missing its figures would be wrong.
    fn schedule(&mut self, task: Task, cx: &mut Context<'_>) -> Option<TaskId> {
        match cx.schedule(task) {
            Ok(id) => Some(id),
            Err(error) => {
                self.refused = Some(error.kind());
                self.is_read = true;
                cx.stop();
                None
            }
        }
    }

    fn disarm(&mut self, number: u32, timeout: Timeout, cx: &mut Context<'_>) {
        let timer = self.connections[number as usize].timers[timeout].take();
        if timer.is_some_and(|id| cx.cancel(id).is_ok()) {
            self.tally.timeouts[timeout].cancelled += 1;
        }
    }

    fn stop_sampling(&mut self, cx: &mut Context<'_>) {
        if let Some(id) = self.sampler.take() {
            // The sampler is pending as long as it is noted here.
            let _ = cx.cancel(id);
        }
    }

    /// Replaces a packet's flow key by the number of its connection.
    fn arrival(&mut self, packet: Packet) -> Arrival {
        let kind = match packet.content {
            Content::Segment(Segment { key, from_low, has_payload }) => {
                let connections = &mut self.connections;
                let connection = *self.numbers.entry(key).or_insert_with(|| {
                    connections.push(Connection::default());
                    connections.len() as u32 - 1
                });
                Kind::Segment { connection, from_low, has_payload }
            }
            Content::OtherIp => Kind::OtherIp,
            Content::NotIp => Kind::NotIp,
        };
        Arrival { wire_bytes: packet.wire_bytes, end_offset: packet.end_offset, kind }
    }

    /// Whether every packet has been read and replayed.
    fn is_drained(&self) -> bool {
        self.is_read && self.tally.packets.pending() == 0
    }

    fn show_progress(&self, end_ns: u64) {
        let packets = format::counted(self.tally.packets.fired, "packet");
        self.setup.progress.set_position(self.replayed_to);
        self.setup.progress.set_message(format!("{packets}, {} of capture", format::nanos(end_ns)));
    }
}
