//! Hazard: files that libfann reads as another network, or broken ones that are read as any.

mod common;

use common::{oracle, rows, Rng};
use temporal_nets::fann::{self, FannError, FannFile, Scale, Scaling};
use temporal_nets::{Activation, DenseNet};

const NET: &str = "libfann_2_3_1.net";

#[test]
fn a_file_of_libfann_gives_libfanns_outputs() {
    let mut net = fann::read(&oracle(NET)).unwrap().net;
    let csv = oracle("libfann_2_3_1_outputs.csv");
    let mut count = 0;
    for row in rows(&csv) {
        let [x0, x1, y] = [0, 1, 2].map(|k| row[k].parse::<f32>().unwrap());
        let output = net.run(&[x0, x1])[0];
        assert!((output - y).abs() < 2e-7, "net({x0}, {x1}) = {output}, libfann has {y}");
        count += 1;
    }
    assert_eq!(count, 54);
}

#[test]
fn a_file_read_and_written_is_the_same_to_the_byte() {
    let text = oracle(NET);
    assert_eq!(fann::write(&fann::read(&text).unwrap()), text);
}

/// Several layers, every function, odd numbers, scaling.
fn rich_file() -> FannFile {
    let mut net =
        DenseNet::new(&[3, 17, 5, 2], Activation::Linear, Activation::SigmoidSymmetric).unwrap();
    net.randomize(11, 3.0);
    for (n, activation) in Activation::ALL.into_iter().enumerate() {
        net.layers_mut()[0].set_activation(n..n + 1, activation, 0.1 + n as f32);
    }
    net.layers_mut()[1].set_weight(4, 17, f32::MIN_POSITIVE);
    net.layers_mut()[1].set_weight(3, 17, -3.0e38);
    let scale = |k: f32| Scale { mean: k, deviation: 0.1 * k, new_min: -1e-9, factor: 1.0 };
    let mut file = FannFile::new(net);
    assert!(file.header.set("learning_rate", 1e-8));
    assert!(file.header.set("cascade_max_out_epochs", f64::from(u32::MAX)));
    file.scaling = Some(Scaling {
        inputs: vec![scale(1.0), scale(2.5), scale(-3.3)],
        outputs: vec![scale(0.7), scale(1e20)],
    });
    file
}

#[test]
fn a_network_written_and_read_is_the_same() {
    let file = rich_file();
    assert_eq!(fann::read(&fann::write(&file)), Ok(file));
}

#[test]
fn settings_that_are_not_fanns_are_refused() {
    let mut header = rich_file().header;
    assert!(!header.set("no_such_setting", 1.0));
    assert!(!header.set("num_layers", 3.0));
    assert!(!header.set("learning_rate", f64::INFINITY));
    assert!(!header.set("training_algorithm", -1.0));
    assert!(!header.set("training_algorithm", 1.5));
    assert_eq!(header, rich_file().header);
}

#[test]
fn scaling_and_back_is_nothing() {
    let scale = Scale { mean: 4.0, deviation: 2.0, new_min: -1.0, factor: 0.5 };
    assert_eq!(scale.scale(6.0), 0.0);
    assert_eq!(scale.descale(0.0), 6.0);
}

#[test]
fn lists_of_numbers_that_are_not_finite_are_refused() {
    let mut file = rich_file();
    for bad in [f32::NAN, f32::INFINITY] {
        file.scaling.as_mut().unwrap().outputs[1].mean = bad;
        let error = fann::read(&fann::write(&file)).unwrap_err().to_string();
        assert!(error.contains("scale_mean_out"), "{error}");
    }
    for bad in ["nan", "inf", "1e39"] {
        let steepnesses = "cascade_activation_steepnesses=2.50000000000000000000e-01";
        let error = with(steepnesses, &format!("cascade_activation_steepnesses={bad}"));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&format!("{bad:?} where a number")), "{error}");
    }
}

/// The file with one piece of text replaced.
fn with(from: &str, to: &str) -> Result<FannFile, FannError> {
    let text = oracle(NET);
    assert!(text.contains(from), "the file has no {from:?}");
    fann::read(&text.replacen(from, to, 1))
}

#[test]
fn networks_of_other_kinds_are_refused_by_name() {
    for (from, to, message) in [
        ("FANN_FLO_2.1", "FANN_FIX_2.1", "the first line is \"FANN_FIX_2.1\""),
        ("FANN_FLO_2.1", "", "the first line is \"\""),
        ("network_type=0", "network_type=1", "network_type is 1; supported is 0"),
        ("connection_rate=1.0", "connection_rate=0.5", "connection_rate is 0.5"),
        ("connection_rate=1.000000", "connection_rate=nan", "connection_rate has \"nan\""),
        ("(3, 5, 5", "(3, 9, 5", "activation function 9; supported is 0 to 17"),
        ("(3, 5, 5", "(2, 5, 5", "entry 3 of neurons"),
        ("(1, 1.125", "(2, 1.125", "entry 1 of connections"),
        ("(3, 5, 5.0", "(3, 5, -5.0", "has \"-0.5\""),
        ("-1.12500000000000000000e+00", "nan", "\"nan\" where a number"),
        ("-1.12500000000000000000e+00", "1e39", "\"1e39\" where a number"),
        ("layer_sizes=3 4 2 ", "layer_sizes=3 4 ", "layer_sizes has 2 entries; it must have 3"),
        ("layer_sizes=3 4 2 ", "layer_sizes=3 1 2 ", "layer 1 has 0 neurons"),
        ("layer_sizes=3 4 2 ", "layer_sizes=3 4000000000 2 ", "layer 1 has 3999999999 neurons"),
        ("layer_sizes=3 4 2 ", "layer_sizes=3 9000 2 ", "has 9 entries; it must have 9005"),
        ("num_layers=3", "num_layers=1", "layer_sizes has 3 entries; it must have 1"),
        ("learning_rate", "learning_rape", "line 3: FANN has no field"),
        ("num_layers=3\n", "num_layers=3\nnum_layers=3\n", "line 3: num_layers for the second"),
        ("num_layers=3\n", "", "num_layers is missing"),
        ("scale_included=0", "scale_included=1", "scale_mean_in is missing"),
        ("scale_included=0", "scale_included=2", "scale_included is 2"),
        ("functions_count=10", "functions_count=11", "has 10 entries; it must have 11"),
        ("network_type=0", "network_type", "line 5 is no name=value"),
    ] {
        let error = with(from, to).expect_err(to).to_string();
        assert!(error.contains(message), "{from:?} → {to:?} gives: {error}");
    }
}

#[test]
fn an_older_file_without_settings_is_read() {
    let file = with("cascade_min_cand_epochs=50\n", "").unwrap();
    assert_eq!(file, fann::read(&oracle(NET)).unwrap());
}

/// Mutations per seed file; `FANN_MUTATIONS` asks for more.
fn mutations() -> usize {
    std::env::var("FANN_MUTATIONS").map_or(4_000, |count| count.parse().expect("a number"))
}

/// Neither panics nor reads what it cannot write and read again.
#[test]
fn no_mutation_of_a_file_panics() {
    let mut rng = Rng(1);
    let (mut accepted, mut refused) = (0, 0);
    for seed in [oracle(NET), fann::write(&rich_file())] {
        for _ in 0..mutations() {
            let mut bytes = seed.clone().into_bytes();
            for _ in 0..=rng.below(3) {
                mutate(&mut bytes, &mut rng);
            }
            match fann::read(&String::from_utf8_lossy(&bytes)) {
                Ok(file) => {
                    assert_eq!(fann::read(&fann::write(&file)).as_ref(), Ok(&file));
                    accepted += 1;
                }
                Err(error) => {
                    assert!(error.to_string().len() < 300, "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} accepted, {refused} refused");
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.below(bytes.len());
    let end = (at + 1 + rng.below(30)).min(bytes.len());
    match rng.below(5) {
        0 => bytes[at] = rng.next() as u8,
        1 => bytes[at] = b"0123456789()-=, \n.e"[rng.below(19)],
        2 => drop(bytes.drain(at..end)),
        3 => bytes.truncate(at),
        _ => {
            let piece = bytes[at..end].to_vec();
            let to = rng.below(bytes.len());
            bytes.splice(to..to, piece);
        }
    }
}
