//! Neuron-steps per second of the same spiking network here and in a loop written by hand.

use std::hint::black_box;
use std::time::Duration;

use temporal_nets::{Lif, SpikingNet, TemporalNetwork};

use crate::measure::{medians, Contender};

const NEURONS: usize = 1_000;
const FAN_OUT: usize = 10;
/// 0.1 ms, as simulators of such networks take.
const DT_NS: u64 = 100_000;
const DELAY_STEPS: usize = 15;
const WEIGHT: f64 = 0.5;

/// Neuron k's synapses.
fn targets(k: usize) -> impl Iterator<Item = usize> {
    (1..=FAN_OUT).map(move |j| (k * 17 + j * 101) % NEURONS)
}

fn drives() -> Vec<f32> {
    (0..NEURONS).map(|k| 14.0 + (k * 37 % 100) as f32 * 0.04).collect()
}

pub(crate) fn bench(rounds: usize) {
    let drives = drives();
    let mut plain = PlainLoop::new();
    let mut net = SpikingNet::new(NEURONS, Lif::default()).expect("valid parameters");
    let delay = Duration::from_nanos(DELAY_STEPS as u64 * DT_NS);
    for k in 0..NEURONS {
        for to in targets(k) {
            net.connect(k as u32, to as u32, WEIGHT, delay);
        }
    }
    let (mut spikes, mut plain_spikes) = (0, 0);
    let dt = Duration::from_nanos(DT_NS);
    for _ in 0..5_000 {
        net.step(&drives, dt);
        spikes += net.fired().len();
        plain_spikes += plain.step(&drives);
    }
    // Not the same ones: the loop's are on its grid.
    let rate = spikes as f64 / plain_spikes as f64;
    assert!((0.95..1.05).contains(&rate), "{spikes} spikes, the loop has {plain_spikes}");

    let mut contenders = [
        Contender::new("plain loop", |count| {
            (0..count).for_each(|_| {
                black_box(plain.step(black_box(&drives)));
            });
        }),
        Contender::new("SpikingNet", |count| {
            (0..count).for_each(|_| {
                black_box(net.step(black_box(&drives), dt));
            });
        }),
    ];
    let ns = medians(&mut contenders, rounds, 100);
    println!(
        "LIF, {NEURONS} neurons, {} spikes per neuron and second: neuron-steps per second (ratio)",
        spikes as f64 / (NEURONS as f64 * 5_000.0 * DT_NS as f64 * 1e-9)
    );
    for (contender, time) in contenders.iter().zip(&ns) {
        let rate = NEURONS as f64 / time * 1e9;
        println!("  {:16} {rate:8.2e}  {:.2}", contender.name, ns[0] / time);
    }
}

/// The network as one writes it down: exact decay per step, firing on the grid, a ring of arrivals.
struct PlainLoop {
    potentials: Vec<f64>,
    refractory: Vec<u32>,
    /// What arrives in each of the next steps.
    arrivals: Vec<Vec<f64>>,
    fired: Vec<usize>,
    step: usize,
    decay: f64,
}

impl PlainLoop {
    fn new() -> Self {
        PlainLoop {
            potentials: vec![-65.0; NEURONS],
            refractory: vec![0; NEURONS],
            arrivals: vec![vec![0.0; NEURONS]; DELAY_STEPS + 1],
            fired: Vec::new(),
            step: 0,
            decay: (-(DT_NS as f64) / 10e6).exp(),
        }
    }

    fn step(&mut self, drives: &[f32]) -> usize {
        let now = self.step % self.arrivals.len();
        let later = (self.step + DELAY_STEPS) % self.arrivals.len();
        self.fired.clear();
        let state = self.potentials.iter_mut().zip(&mut self.refractory);
        let input = self.arrivals[now].iter_mut().zip(drives);
        for (k, ((v, rest), (arriving, &drive))) in state.zip(input).enumerate() {
            let arrived = std::mem::take(arriving);
            if *rest > 0 {
                *rest -= 1;
                continue;
            }
            let target = -65.0 + f64::from(drive);
            *v = target + (*v - target) * self.decay + arrived;
            if *v >= -50.0 {
                *v = -65.0;
                *rest = 20;
                self.fired.push(k);
            }
        }
        for &k in &self.fired {
            targets(k).for_each(|to| self.arrivals[later][to] += WEIGHT);
        }
        self.step += 1;
        self.fired.len()
    }
}
