//! A robot's planner that has to decide within 1 ms, while messages change what it knows.
//!
//! ```text
//! cargo run --release --example agent
//! cargo run --release --example agent -- --speed 400   # more than it can do: alarms go first
//! ```
//!
//! Messages come at the pace of a captured network. Alarms are `High` and change the map before the
//! next decision is made, traffic estimates are `Low` and wait for all decisions. A bare loop, a thread
//! that deals with each message as it comes, takes turns with it on the worker's core; as to the worker,
//! another thread hands the messages on to it. Counts, ways and that no decision has missed an alarm are
//! checked; times are printed only.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lexopt::{Arg, Parser};
use nanosecond_realtime::{
    os, DeadlineError, Error as RuntimeError, NanosecondScheduler, SchedulerConfig, Shutdown,
};
use nanosecond_scheduler::{Clock, DefaultClock, Priority, TimePoint};
use smol::channel::{Receiver, Sender};

#[path = "../common/arguments.rs"]
mod arguments;
#[path = "../common/arrivals.rs"]
mod arrivals;
#[path = "../common/latencies.rs"]
mod latencies;
#[path = "../common/slices.rs"]
mod slices;
#[path = "../common/thread.rs"]
mod thread;

mod knowledge;
mod message;
mod planner;

use knowledge::{Decision, Knowledge};
use latencies::Latencies;
use message::Message;
use planner::Planner;

const HELP: &str = "\
Usage: agent [--speed N]

  --speed N   N (5 to 1000) times the pace of the capture, which takes 58 s [default: 20]
  --help      this text
";

const DEADLINE: Duration = Duration::from_millis(1);
/// The messages are cut in slices: one for the agent, the same for the bare loop, and so on.
const SLICE: Duration = Duration::from_millis(400);
const LEAD: Duration = Duration::from_millis(2);

fn main() -> Result<(), Box<dyn Error>> {
    let Some(speed) = parse(Parser::from_env())? else {
        print!("{HELP}");
        return Ok(());
    };
    let times = arrivals::load()?.into_iter().map(|at| at / speed);
    let messages: Vec<_> = times.zip(message::generate()).collect();
    let runtime = Arc::new(NanosecondScheduler::new(SchedulerConfig {
        num_workers: 1,
        enable_cpu_pinning: true,
        enable_rt_scheduling: true,
        ..SchedulerConfig::default()
    })?);
    println!("{}", runtime.os_outcomes()[0]);
    println!("{} messages at {speed} times the capture's pace; the agent:", messages.len());
    let run = || in_turns(&runtime, &messages);
    let (mut agent, mut bare) = thread::on_real_time_thread(None, run)?;
    runtime.shutdown(Shutdown::Drain)?;
    report(&messages, &mut agent, &mut bare);
    Ok(())
}

fn parse(mut parser: Parser) -> Result<Option<u32>, lexopt::Error> {
    let mut speed = 20;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("speed") => speed = arguments::number("--speed", &mut parser, 5, 1000)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(speed))
}

/// A message, and when it was sent.
type Sent = (TimePoint, Message);

/// What came of the messages: how long each took from being sent to its effect.
#[derive(Default)]
struct Outcome {
    decisions: Latencies,
    /// What the runtime told of.
    missed: usize,
    /// The length of all ways together.
    steps: usize,
    /// Alarms handed over to the planner.
    alarms_sent: u32,
    alarms: Latencies,
    estimates: Latencies,
}

/// Lets the agent and the bare loop deal with the messages, slice by slice.
fn in_turns(
    runtime: &Arc<NanosecondScheduler>,
    messages: &[(Duration, Message)],
) -> Result<(Outcome, Outcome), RuntimeError> {
    let planner = Planner::new(Arc::clone(runtime));
    let (mut agent, mut bare) = (Outcome::default(), Outcome::default());
    let mut knowledge = Knowledge::default();
    let core = runtime.os_outcomes()[0].core;
    slices::for_each(messages, SLICE, |slice| {
        receive(slice, |sent| smol::block_on(listen(&planner, sent, &mut agent)))?;
        let mut run = |handed| run_bare_loop(&mut knowledge, &handed, &mut bare);
        receive(slice, |sent| hand_on(&sent, |handed| on_core(core, || run(handed))));
        Ok::<_, RuntimeError>(())
    })?;
    runtime.run_until_idle_with_guarantee()?;
    (agent.alarms, agent.estimates) = planner.learned();
    Ok((agent, bare))
}

/// Has somebody receive messages that another thread sends.
fn receive<T>(messages: &[(Duration, Message)], receive: impl FnOnce(Receiver<Sent>) -> T) -> T {
    let (sender, receiver) = smol::channel::unbounded(); // As many as the capture has packets.
    std::thread::scope(|scope| {
        scope.spawn(|| send(messages, sender));
        receive(receiver)
    })
}

/// Hands each message on to another thread, as the agent does: it has as many ways to go.
fn hand_on(messages: &Receiver<Sent>, receive: impl FnOnce(Receiver<Sent>) + Send) {
    let (sender, receiver) = smol::channel::unbounded();
    std::thread::scope(|scope| {
        scope.spawn(|| receive(receiver));
        while let Ok(message) = messages.recv_blocking() {
            if sender.try_send(message).is_err() {
                return; // The bare loop has failed.
            }
        }
        drop(sender);
    });
}

/// Runs `body` on the worker's core.
fn on_core(core: Option<usize>, body: impl FnOnce()) {
    // The same was granted to the worker, or denied.
    let _ = core.map(os::pin_to_core);
    body();
}

/// Sends each message when it is time; sleeps meanwhile, since the agent shares its core.
fn send(messages: &[(Duration, Message)], sender: Sender<Sent>) {
    let clock = DefaultClock::new();
    let start = clock.now() + LEAD;
    for &(at, message) in messages {
        std::thread::sleep((start + at).duration_since(clock.now()));
        if sender.try_send((clock.now(), message)).is_err() {
            return; // The agent has failed.
        }
    }
}

/// Learns from messages and decides about orders, many at a time, until the messages end.
async fn listen(
    planner: &Planner,
    messages: Receiver<Sent>,
    outcome: &mut Outcome,
) -> Result<(), RuntimeError> {
    let executor = smol::LocalExecutor::new();
    let listening = async {
        let mut decisions = Vec::new();
        while let Ok((sent, message)) = messages.recv().await {
            match message {
                Message::Order(order) => {
                    let decision = planner.make_decision_with_deadline(order, DEADLINE)?;
                    let (clock, needs) = (DefaultClock::new(), outcome.alarms_sent);
                    decisions.push(executor.spawn(async move {
                        let decision = decision.await;
                        let took = clock.now().duration_since(sent);
                        let value = value_of(&decision);
                        assert!(value.alarms >= needs, "an alarm was overlooked");
                        (decision.is_err(), took, value.steps())
                    }));
                }
                Message::Alarm { .. } => {
                    outcome.alarms_sent += 1;
                    planner.learn(message, sent, Priority::High)?;
                }
                Message::Traffic { .. } => planner.learn(message, sent, Priority::Low)?,
            }
        }
        for decision in decisions {
            let (missed, took, steps) = decision.await;
            outcome.decisions.record(took);
            outcome.missed += usize::from(missed);
            outcome.steps += steps;
        }
        Ok(())
    };
    executor.run(listening).await
}

/// A late decision is still of use.
fn value_of(decision: &Result<Decision, DeadlineError<Decision>>) -> &Decision {
    match decision {
        Ok(decision) | Err(DeadlineError::Missed { value: Some(decision), .. }) => decision,
        Err(error) => panic!("no decision: {error}"),
    }
}

/// Deals with each message when it is its turn.
fn run_bare_loop(knowledge: &mut Knowledge, messages: &Receiver<Sent>, outcome: &mut Outcome) {
    let clock = DefaultClock::new();
    while let Ok((sent, message)) = messages.recv_blocking() {
        let latencies = match message {
            Message::Order(order) => {
                outcome.steps += knowledge.decide(order).steps();
                &mut outcome.decisions
            }
            Message::Alarm { .. } => {
                knowledge.learn(message);
                &mut outcome.alarms
            }
            Message::Traffic { .. } => {
                knowledge.learn(message);
                &mut outcome.estimates
            }
        };
        latencies.record(clock.now().duration_since(sent));
    }
}

fn report(messages: &[(Duration, Message)], agent: &mut Outcome, bare: &mut Outcome) {
    for outcome in [&*agent, &*bare] {
        let count = |is: fn(&Message) -> bool| messages.iter().filter(|(_, m)| is(m)).count();
        assert_eq!(outcome.decisions.len(), count(|m| matches!(m, Message::Order(_))));
        assert_eq!(outcome.alarms.len(), count(|m| matches!(m, Message::Alarm { .. })));
        assert_eq!(outcome.estimates.len(), count(|m| matches!(m, Message::Traffic { .. })));
    }
    for (what, ours, bare) in [
        ("decisions", &mut agent.decisions, &mut bare.decisions),
        ("alarms (High)", &mut agent.alarms, &mut bare.alarms),
        ("traffic (Low)", &mut agent.estimates, &mut bare.estimates),
    ] {
        let what = format!("{} {what}", ours.len());
        latencies::print_beside(&what, DEADLINE, ours, bare);
        println!();
    }
    let missed = agent.missed;
    println!("late decisions by the runtime's count, which starts at the call: {missed}");
    println!("mean length of a way: {} cells", agent.steps / agent.decisions.len());
    println!(
        "The bare loop takes messages in their order, handed on by a thread in the agent's place."
    );
}
