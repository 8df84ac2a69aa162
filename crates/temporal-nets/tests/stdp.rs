//! Hazard: pairs of spikes counted twice, in the wrong order, or by another rule than Brian2's.

mod common;

use std::time::Duration;

use common::{floats, json, oracle, rows, Rng};
use temporal_nets::{
    Lif, Pairing, Plastic, PlasticSynapse, SpikingNet, Stdp, SynapseId, TemporalNetwork,
};

fn ns(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}

/// A rule without limits of weights, in ms.
fn rule(a_plus: f64, a_minus: f64, tau_plus: f64, tau_minus: f64) -> Stdp {
    Stdp {
        a_plus,
        a_minus,
        tau_plus_ns: ns(tau_plus),
        tau_minus_ns: ns(tau_minus),
        pairing: Pairing::AllToAll,
        weights: (f64::NEG_INFINITY, f64::INFINITY),
    }
}

#[test]
fn a_pair_changes_the_weight_as_in_brian2() {
    let csv = oracle("stdp_pair_curve.csv").replace("song2000", "0").replace("asymmetric_fit", "1");
    let csv = csv.replace("brian_tutorial", "2");
    let mut count = 0;
    for row in rows(&csv) {
        let [_, a_plus, a_minus, tau_plus, tau_minus, delta, expected, closed]: [f64; 8] =
            std::array::from_fn(|k| row[k].parse().unwrap());
        let mut synapse = PlasticSynapse::new(rule(a_plus, a_minus, tau_plus, tau_minus), 0.0);
        let middle = ns(500.0);
        if delta > 0.0 {
            synapse.pre_spike(middle);
            synapse.post_spike(middle + ns(delta));
        } else {
            synapse.post_spike(middle);
            synapse.pre_spike(middle + ns(-delta));
        }
        for reference in [expected, closed] {
            let off = (synapse.weight() / reference - 1.0).abs();
            assert!(off < 1e-12, "Δ = {delta} ms: {}, {reference}", synapse.weight());
        }
        count += 1;
    }
    assert!(count > 50, "only {count} rows");
}

/// Trains as (instant, whether it is postsynaptic), by time, presynaptic first.
fn merged(pre: &[u64], post: &[u64]) -> Vec<(u64, bool)> {
    let mut spikes: Vec<(u64, bool)> = pre.iter().map(|&at| (at, false)).collect();
    spikes.extend(post.iter().map(|&at| (at, true)));
    spikes.sort_unstable();
    spikes
}

fn weight_after(stdp: Stdp, weight: f64, spikes: &[(u64, bool)]) -> f64 {
    let mut synapse = PlasticSynapse::new(stdp, weight);
    for &(at, is_post) in spikes {
        if is_post {
            synapse.post_spike(at);
        } else {
            synapse.pre_spike(at);
        }
    }
    synapse.weight()
}

#[test]
fn trains_change_the_weight_as_in_brian2() {
    let trains = json("stdp_trains.json");
    let get = |name: &str| trains[name].as_f64().unwrap();
    let base = rule(get("A_plus"), get("A_minus"), get("tau_plus_ms"), get("tau_minus_ms"));
    let instants = |name: &str| floats(&trains[name]).into_iter().map(ns).collect::<Vec<u64>>();
    let spikes = merged(&instants("pre_ms"), &instants("post_ms"));
    for (name, pairing) in [
        ("all_to_all", Pairing::AllToAll),
        ("nearest", Pairing::Nearest),
        ("all_to_all_clip", Pairing::AllToAll),
    ] {
        let result = &trains["results"][name];
        let mut stdp = Stdp { pairing, ..base };
        if !result["clip"].is_null() {
            let clip = floats(&result["clip"]);
            stdp.weights = (clip[0], clip[1]);
        }
        let found = weight_after(stdp, result["w0"].as_f64().unwrap(), &spikes);
        let expected = result["w_brian2"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-14, "{name}: {found}, Brian2 {expected}");
    }
}

#[test]
fn pairing_protocols_change_the_weight_as_in_brian2() {
    let protocol = json("stdp_pairing_protocol.json");
    for case in protocol["cases"].as_array().unwrap() {
        let get = |name: &str| case[name].as_f64().unwrap();
        let pre: Vec<u64> =
            (0..get("n") as u64).map(|k| ns(10.0) + k * ns(get("period_ms"))).collect();
        let post: Vec<u64> = pre.iter().map(|at| at + ns(get("dt_ms"))).collect();
        let found = weight_after(rule(0.005, -0.00525, 20.0, 20.0), 0.0, &merged(&pre, &post));
        for reference in [Some(get("dw_closed")), case["dw_brian2"].as_f64()].into_iter().flatten()
        {
            // Sums of 60 pairs that nearly cancel: absolute, not relative.
            assert!((found - reference).abs() < 1e-12, "{case}: {found}");
        }
    }
}

/// All pairs, without traces.
fn brute_force(stdp: &Stdp, spikes: &[(u64, bool)]) -> f64 {
    let mut weight = 0.0;
    for (k, &(at, is_post)) in spikes.iter().enumerate() {
        let mut others = spikes[..k].iter().filter(|(_, other)| *other != is_post);
        let (amplitude, tau) = if is_post {
            (stdp.a_plus, stdp.tau_plus_ns)
        } else {
            (stdp.a_minus, stdp.tau_minus_ns)
        };
        let pair =
            |&(then, _): &(u64, bool)| amplitude * (-((at - then) as f64) / tau as f64).exp();
        weight += match stdp.pairing {
            Pairing::AllToAll => others.map(pair).sum::<f64>(),
            Pairing::Nearest => others.next_back().map_or(0.0, pair),
        };
    }
    weight
}

fn random_train(rng: &mut Rng, count: usize) -> Vec<u64> {
    (0..count).map(|_| rng.below(400) as u64 * 500_000).collect()
}

#[test]
fn traces_count_all_pairs_and_simultaneous_spikes_too() {
    let mut rng = Rng(5);
    for pairing in [Pairing::AllToAll, Pairing::Nearest] {
        for _ in 0..200 {
            let stdp = Stdp { pairing, ..rule(0.01, -0.007, 13.0, 31.0) };
            let spikes = merged(&random_train(&mut rng, 30), &random_train(&mut rng, 30));
            let (found, expected) = (weight_after(stdp, 0.0, &spikes), brute_force(&stdp, &spikes));
            assert!((found - expected).abs() < 1e-12, "{pairing:?}: {found}, {expected}");
        }
    }
}

/// A drive that fires a neuron of the default kind often.
const STRONG: f32 = 60.0;

/// Neurons 0 and 1 drive 2 through weak synapses of different delays, and each other's delays are such
/// that arrivals fall within, at and beyond the ends of steps.
fn network(stdp: Stdp) -> (SpikingNet, Vec<(SynapseId, u32, u64)>) {
    let mut net =
        SpikingNet::new(3, Lif::default()).unwrap().with_stdp(stdp).with_spike_record(1 << 16);
    let synapses = [(0u32, 1_000_000u64), (1, 1_700_000), (0, 5_000_003)].map(|(from, delay)| {
        (net.connect(from, 2, 0.25, Duration::from_nanos(delay)), from, delay)
    });
    (net, synapses.to_vec())
}

/// What each neuron is driven by in a step, so that the three fire irregularly.
fn drives(step: usize) -> [f32; 3] {
    let wave = |k: usize| if (step / 7 + k * 5) % 11 < 6 { STRONG } else { 18.0 + k as f32 };
    [wave(0), wave(1), wave(2)]
}

#[test]
fn a_network_learns_as_its_synapses_would_alone() {
    for pairing in [Pairing::AllToAll, Pairing::Nearest] {
        for apply_every in [1usize, 10, 1_000_000] {
            let stdp = Stdp { pairing, weights: (0.2, 0.3), ..Stdp::default() };
            let (mut net, synapses) = network(stdp);
            let mut events = 0;
            for step in 0..4_000 {
                net.step(&drives(step), Duration::from_micros(500));
                if step % apply_every == 0 {
                    events += net.apply_plasticity();
                }
            }
            events += net.apply_plasticity();
            let now = net.now().as_nanos();
            let mut spikes = Vec::new();
            net.drain_spikes(net.now() + Duration::from_nanos(1), |spike| {
                spikes.push((spike.neuron, spike.at.as_nanos()));
            });
            let of = |n: u32| spikes.iter().filter(move |(m, _)| *m == n).map(|(_, at)| *at);
            let post: Vec<u64> = of(2).collect();
            assert!(post.len() > 100, "{} spikes", post.len());
            let mut expected_events = spikes.len();
            for &(synapse, from, delay) in &synapses {
                let arrivals: Vec<u64> =
                    of(from).map(|at| at + delay).filter(|at| *at <= now).collect();
                expected_events += arrivals.len();
                let alone = weight_after(stdp, 0.25, &merged(&arrivals, &post));
                let found = net.weight(synapse);
                assert!((found - alone).abs() < 1e-12, "{pairing:?}: {found}, alone {alone}");
                assert!((found - 0.25).abs() > 1e-3, "nothing was learned: {found}");
            }
            assert_eq!(events, expected_events);
        }
    }
}

/// More spike events than are kept: those before count all the same, and were applied already.
#[test]
fn a_full_log_of_spikes_is_applied_and_counted() {
    let (mut often, synapses) = network(Stdp { weights: (0.0, 1e9), ..Stdp::default() });
    let mut once = often.clone();
    let first = once.weight(synapses[0].0);
    let (mut events, mut was_applied_early) = (0, false);
    for _ in 0..4_000 {
        for net in [&mut often, &mut once] {
            net.step(&[1e6; 3], Duration::from_micros(500));
        }
        events += often.apply_plasticity();
        was_applied_early |= once.weight(synapses[0].0) != first;
    }
    assert!(events > 4_096 && was_applied_early, "{events} events");
    assert_eq!(once.apply_plasticity(), events);
    for (synapse, ..) in synapses {
        assert_eq!(once.weight(synapse), often.weight(synapse));
    }
}

#[test]
fn a_reset_network_has_learned_what_was_applied_and_forgotten_the_rest() {
    let (mut net, synapses) = network(Stdp::default());
    let run = |net: &mut SpikingNet| {
        (0..100).for_each(|step| {
            net.step(&drives(step), Duration::from_micros(500));
        });
    };
    let weights = |net: &SpikingNet| -> Vec<f64> {
        synapses.iter().map(|(synapse, ..)| net.weight(*synapse)).collect()
    };
    let first = weights(&net);
    run(&mut net);
    net.reset_state(); // With spikes in the log, and traces that they have not left yet.
    assert_eq!((net.apply_plasticity(), weights(&net)), (0, first));

    let mut fresh = net.clone();
    run(&mut net);
    net.apply_plasticity(); // Which leaves traces.
    let learned = weights(&net);
    net.reset_state();
    assert_eq!(weights(&net), learned);
    // Neither a spike behind the synapses nor arrivals at them find a trace to pair with.
    for (drives, events) in [([0.0, 0.0, 1e6], 1), ([1e6, 1e6, 0.0], 2 + 3)] {
        let mut net = net.clone();
        net.step(&drives, Duration::from_micros(1));
        net.step(&[0.0; 3], Duration::from_millis(6));
        assert_eq!((net.apply_plasticity(), weights(&net)), (events, learned.clone()));
    }
    // A network that has forgotten learns as one that never knew.
    run(&mut fresh);
    fresh.apply_plasticity();
    assert_eq!(weights(&fresh), learned);
}

#[test]
#[should_panic(expected = "must be positive")]
fn a_time_constant_of_zero_is_refused() {
    let _ = PlasticSynapse::new(Stdp { tau_minus_ns: 0, ..Stdp::default() }, 0.5);
}

#[test]
#[should_panic(expected = "must be in order")]
fn limits_out_of_order_are_refused() {
    let _ = PlasticSynapse::new(Stdp { weights: (1.0, 0.0), ..Stdp::default() }, 0.5);
}
