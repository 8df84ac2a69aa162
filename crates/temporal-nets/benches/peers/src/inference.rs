//! ns per inference of the same network through three libraries.

use std::hint::black_box;

use ruv_fann::{ActivationFunction, Network, NetworkBuilder};
use temporal_nets::fann::{self, FannFile};
use temporal_nets::{Activation, DenseNet, FixedNet};

use crate::libfann::LibFann;
use crate::measure::{medians, Contender};

pub(crate) fn bench(rounds: usize) {
    shape::<8, 16, 4>(rounds, 400);
    shape::<64, 32, 10>(rounds, 100);
}

fn shape<const I: usize, const H: usize, const O: usize>(rounds: usize, count: u64) {
    let (hidden, output) = (Activation::SigmoidSymmetric, Activation::Sigmoid);
    let mut net = DenseNet::new(&[I, H, O], hidden, output).expect("a valid shape");
    net.randomize(5, 0.5);
    let fixed = FixedNet::<I, H, O>::try_from(&net).expect("the same shape");
    let mut ruv = ruv_copy(&net);
    let path = std::env::temp_dir().join(format!("temporal-nets-peers-{}.net", std::process::id()));
    std::fs::write(&path, fann::write(&FannFile::new(net.clone()))).expect("a writable folder");
    let mut lib = LibFann::load(&path, O);
    std::fs::remove_file(&path).expect("the file just written");

    let inputs: Vec<[f32; I]> = (0..64)
        .map(|k| std::array::from_fn(|i| ((k * 7 + i * 13) % 31) as f32 / 15.0 - 1.0))
        .collect();
    for input in &inputs {
        let ours = net.run(input).to_vec();
        check("libfann", &ours, lib.run(input));
        check("ruv-fann", &ours, &ruv.run(input).expect("the right length"));
        check("const generic", &ours, &fixed.run(input));
    }

    let each = |count: u64| (0..count as usize).map(|k| &inputs[k % 64]);
    let mut contenders = [
        Contender::new("ruv-fann", |n| {
            each(n).for_each(|x| drop(black_box(ruv.run(black_box(x)))));
        }),
        Contender::new("libfann", |n| {
            each(n).for_each(|x| {
                black_box(lib.run(black_box(x)));
            });
        }),
        Contender::new("runtime shapes", |n| {
            let mut out = [0.0; O];
            each(n).for_each(|x| {
                net.run_into(black_box(x), &mut out);
                black_box(&out);
            });
        }),
        Contender::new("const generic", |n| {
            each(n).for_each(|x| {
                black_box(fixed.run(black_box(x)));
            });
        }),
    ];
    let ns = medians(&mut contenders, rounds, count);
    println!("inference {I}-{H}-{O}, ns (ratio to ruv-fann, to libfann)");
    for (contender, time) in contenders.iter().zip(&ns) {
        println!("  {:16} {time:8.1}  {:.2}  {:.2}", contender.name, time / ns[0], time / ns[1]);
    }
}

fn ruv_copy(net: &DenseNet) -> Network<f32> {
    let sizes: Vec<usize> = std::iter::once(net.input_len())
        .chain(net.layers().iter().map(|l| l.neuron_len()))
        .collect();
    let mut ruv = NetworkBuilder::<f32>::new().layers_from_sizes(&sizes).build();
    // Its `SigmoidSymmetric` is the identity, and its sigmoid lacks FANN's factor of 2.
    ruv.set_activation_function_hidden(ActivationFunction::Tanh);
    ruv.set_activation_function_output(ActivationFunction::Sigmoid);
    ruv.set_activation_steepness_hidden(0.5);
    ruv.set_activation_steepness_output(1.0);
    let mut weights = Vec::new();
    for layer in net.layers() {
        for neuron in 0..layer.neuron_len() {
            // ruv-fann's bias is the last input.
            weights.extend((0..=layer.input_len()).map(|input| layer.weight(neuron, input)));
        }
    }
    ruv.set_weights(&weights).expect("as many weights");
    ruv
}

fn check(name: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-5, "{name} gives {theirs:?}, we {ours:?}");
    }
}
