//! A million events of a queueing network under a manual clock, compared with theory.
//!
//! ```text
//! cargo run --release --example simulation
//! ```
//!
//! Requests reach a gateway 1,000 times a second, go on to an application, and from there either
//! leave or, four times in ten, visit a database and come back. Arrivals are a Poisson process and
//! service times are exponential, so by Jackson's theorem each station is an M/M/1 queue of its own,
//! where a visit takes 1 / (service rate − arrival rate) on average.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nanosecond_scheduler::{Config, Context, ManualClock, Scheduler, Task, TimePoint};

const EVENTS: u64 = 1_000_000;
const ARRIVALS_PER_S: f64 = 1_000.0;
const TO_DATABASE: f64 = 0.4;
/// Allowed distance from theory: about three standard errors of the least certain mean.
const TOLERANCE: f64 = 0.03;

const GATEWAY: usize = 0;
const APPLICATION: usize = 1;
const DATABASE: usize = 2;

/// A station: its name, its requests per second by the traffic equations, its service rate.
const STATIONS: [(&str, f64, f64); 3] = [
    ("gateway", ARRIVALS_PER_S, 2_000.0),
    ("application", ARRIVALS_PER_S / (1.0 - TO_DATABASE), 2_500.0),
    ("database", ARRIVALS_PER_S * TO_DATABASE / (1.0 - TO_DATABASE), 1_200.0),
];

#[derive(Default)]
struct Station {
    /// When the waiting requests came, the one in service first.
    queue: VecDeque<TimePoint>,
    visits: u32,
    time_spent: Duration,
}

struct Network {
    stations: [Station; 3],
    events: u64,
    arrived: usize,
    left: usize,
    latest: TimePoint,
    seed: u64,
}

type Shared = Rc<RefCell<Network>>;

impl Network {
    /// Uniform in [0, 1): Marsaglia's xorshift.
    fn uniform(&mut self) -> f64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, rate_per_s: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.uniform()).ln() / rate_per_s)
    }

    /// Signs for an event.
    fn enter(&mut self, cx: &mut Context<'_>) {
        assert_eq!(cx.now(), cx.release(), "a manual clock is never late");
        assert!(cx.release() >= self.latest, "an event out of order");
        self.latest = cx.release();
        self.events += 1;
        if self.events == EVENTS {
            cx.stop();
        }
    }

    /// Adds a request to a station's queue; tells whether it is alone there.
    fn join(&mut self, station: usize, now: TimePoint) -> bool {
        let queue = &mut self.stations[station].queue;
        queue.push_back(now);
        queue.len() == 1
    }

    /// Takes the served request out of its queue; tells where it goes.
    fn serve(&mut self, at: usize, cx: &mut Context<'_>) -> Option<usize> {
        self.enter(cx);
        let station = &mut self.stations[at];
        let came = station.queue.pop_front().expect("somebody was served");
        station.visits += 1;
        station.time_spent += cx.now().duration_since(came);
        match at {
            APPLICATION if self.uniform() < TO_DATABASE => Some(DATABASE),
            APPLICATION => {
                self.left += 1;
                None
            }
            _ => Some(APPLICATION),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let network = Rc::new(RefCell::new(Network {
        stations: Default::default(),
        events: 0,
        arrived: 0,
        left: 0,
        latest: TimePoint::ZERO,
        seed: 0x2545_F491_4F6C_DD1D,
    }));
    let mut scheduler = Scheduler::with_clock(Config::default(), ManualClock::new())?;
    scheduler.schedule(arrival(Rc::clone(&network)))?;
    let start = Instant::now();
    scheduler.run_until_idle();
    let wall = start.elapsed();

    let network = network.borrow();
    assert_eq!(scheduler.metrics().executed, network.events);
    let inside: usize = network.stations.iter().map(|station| station.queue.len()).sum();
    assert_eq!(network.arrived, network.left + inside, "a request was lost");
    print_stations(&network);
    println!(
        "\n{} events, {:.1?} virtual time, in {wall:.1?} wall time: {:.0} ns per event",
        network.events,
        network.latest.duration_since(TimePoint::ZERO),
        wall.as_nanos() as f64 / network.events as f64
    );
    Ok(())
}

/// Prints the mean time of a visit, and checks it.
fn print_stations(network: &Network) {
    println!("{:<12} {:>8} {:>14} {:>9}", "station", "visits", "mean, virtual", "theory");
    for (station, (name, arrivals_per_s, services_per_s)) in network.stations.iter().zip(STATIONS) {
        let mean_us = station.time_spent.as_secs_f64() * 1e6 / f64::from(station.visits);
        let theory_us = 1e6 / (services_per_s - arrivals_per_s);
        println!("{name:<12} {:>8} {mean_us:>11.1} µs {theory_us:>6.1} µs", station.visits);
        assert!((mean_us / theory_us - 1.0).abs() < TOLERANCE, "{name} is off");
    }
}

/// A request that comes a random time from now; its job schedules the next one's arrival.
fn arrival(network: Shared) -> Task {
    let delay = network.borrow_mut().exponential(ARRIVALS_PER_S);
    let body = move |cx: &mut Context<'_>| {
        network.borrow_mut().enter(cx);
        network.borrow_mut().arrived += 1;
        visit(&network, GATEWAY, cx);
        cx.schedule(arrival(network)).expect("room for it");
    };
    Task::with_context(body, delay)
}

/// A request joins a station's queue, and is served at once if it is alone.
fn visit(network: &Shared, station: usize, cx: &mut Context<'_>) {
    let is_alone = network.borrow_mut().join(station, cx.now());
    if is_alone {
        cx.schedule(service(Rc::clone(network), station)).expect("room for it");
    }
}

/// The end, a random time from now, of the service of a queue's first request.
fn service(network: Shared, station: usize) -> Task {
    let (_, _, services_per_s) = STATIONS[station];
    let delay = network.borrow_mut().exponential(services_per_s);
    let body = move |cx: &mut Context<'_>| {
        let next = network.borrow_mut().serve(station, cx);
        if let Some(next) = next {
            visit(&network, next, cx);
        }
        if !network.borrow().stations[station].queue.is_empty() {
            cx.schedule(service(network, station)).expect("room for it");
        }
    };
    Task::with_context(body, delay)
}
