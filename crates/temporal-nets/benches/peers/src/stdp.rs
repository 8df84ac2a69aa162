//! ns per spike event of one plastic synapse.

use std::hint::black_box;

use temporal_nets::{Pairing, PlasticSynapse, Stdp};

use crate::measure::{medians, Contender};

pub(crate) fn bench(rounds: usize) {
    // Instants at which both sides fire by turns and irregularly, so that traces are never zero.
    let spikes: Vec<(u64, bool)> =
        (0..1_000u64).map(|k| (k * 7_000_000 + k * k % 5 * 1_000_000, k * 31 % 7 < 3)).collect();
    let train = |pairing: Pairing| {
        let spikes = &spikes;
        move |count: u64| {
            let mut synapse = PlasticSynapse::new(Stdp { pairing, ..Stdp::default() }, 0.5);
            for k in 0..count {
                let (at, is_post) = black_box(spikes[(k % 1_000) as usize]);
                let at = at + k / 1_000 * 7_000_000_000;
                if is_post {
                    synapse.post_spike(at);
                } else {
                    synapse.pre_spike(at);
                }
            }
            black_box(synapse.weight());
        }
    };
    let mut contenders = [
        Contender::new("all to all", train(Pairing::AllToAll)),
        Contender::new("nearest", train(Pairing::Nearest)),
    ];
    println!("STDP, ns per spike event");
    let ns = medians(&mut contenders, rounds, 2_000);
    for (contender, time) in contenders.iter().zip(ns) {
        println!("  {:16} {time:8.1}", contender.name);
    }
}
