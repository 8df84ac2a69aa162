//! Hazard: files that libfann itself refuses or runs otherwise, and training that goes other ways.
//!
//! Needs libfann's headers and a C compiler: `.ci/fann.sh` installs them and runs this.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use temporal_nets::fann::{self, FannFile};
use temporal_nets::{Activation, DenseNet, Trainer, Training};

/// The C program, compiled once.
fn tool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    TOOL.get_or_init(|| {
        let program = folder().join("fann_tool");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libfann/fann_tool.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
        let status = Command::new(&compiler)
            .args(["-O2", "-Wall", "-Werror", "-o"])
            .args([&program, &source])
            .args(["-lfloatfann", "-lm"])
            .status();
        let compiled = status.is_ok_and(|status| status.success());
        assert!(compiled, "{compiler} failed; for libfann: apt-get install libfann-dev gcc");
        program
    })
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// What the program prints, or its failure as an error.
fn call(arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new(tool())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program just compiled runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("it reads all");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).expect("numbers"))
    } else {
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// The file's path as text.
fn save(name: &str, text: &str) -> String {
    let path = folder().join(name);
    std::fs::write(&path, text).expect("cargo's own folder");
    path.into_os_string().into_string().expect("UTF-8")
}

fn numbers(text: &str) -> Vec<f32> {
    text.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

/// Inputs from -1 to 1, `len` each.
fn inputs(len: usize) -> Vec<Vec<f32>> {
    (0..40)
        .map(|k| (0..len).map(|i| ((k * 17 + i * 29) % 41) as f32 / 20.0 - 1.0).collect())
        .collect()
}

fn assert_runs_alike(path: &str, net: &mut DenseNet, what: &str) {
    let inputs = inputs(net.input_len());
    let text = inputs.iter().flatten().fold(String::new(), |text, x| text + &format!("{x} "));
    let theirs = numbers(&call(&["run", path], &text).expect(what));
    let ours: Vec<f32> = inputs.iter().flat_map(|input| net.run(input).to_vec()).collect();
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(&theirs) {
        assert!((a - b).abs() <= 1e-6 * a.abs().max(1.0), "{what}: {a}, libfann {b}");
    }
}

#[test]
#[ignore = "needs libfann; run .ci/fann.sh"]
fn libfann_runs_our_files_as_we_do() {
    for activation in Activation::ALL {
        let mut net = DenseNet::new(&[5, 9, 6, 3], activation, activation).unwrap();
        net.randomize(activation.code().into(), 1.0);
        net.layers_mut()[1].set_activation(2..5, Activation::Sigmoid, 1.25);
        let path = save(&format!("{activation}.net"), &fann::write(&FannFile::new(net.clone())));
        assert_runs_alike(&path, &mut net, &activation.to_string());
    }
}

#[test]
#[ignore = "needs libfann; run .ci/fann.sh"]
fn we_run_libfanns_files_as_it_does() {
    for seed in ["1", "2", "3"] {
        let path = save(&format!("made-{seed}.net"), "");
        call(&["make", &path, seed], "").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = fann::read(&text).unwrap();
        assert_runs_alike(&path, &mut file.net.clone(), seed);
    }
}

#[test]
#[ignore = "needs libfann; run .ci/fann.sh"]
fn training_goes_the_way_of_libfanns() {
    let samples: Vec<(Vec<f32>, Vec<f32>)> = inputs(2)
        .into_iter()
        .map(|x| (x.clone(), vec![0.8 * x[0] * x[1], 0.5 * (x[0] - x[1]).abs()]))
        .collect();
    let mut data = format!("{} 2 2\n", samples.len());
    for (x, y) in &samples {
        writeln!(data, "{} {}\n{} {}", x[0], x[1], y[0], y[1]).unwrap();
    }
    let data = save("training.data", &data);
    let epochs = 10;
    for (algorithm, rate, momentum) in
        [(0.0, 0.1, 0.0), (0.0, 0.02, 0.5), (1.0, 0.7, 0.0), (2.0, 0.7, 0.0)]
    {
        for error in [0.0, 1.0] {
            let what =
                format!("algorithm {algorithm}, momentum {momentum}, error function {error}");
            let tanh = Activation::SigmoidSymmetric;
            let mut net = DenseNet::new(&[2, 6, 4, 2], tanh, Activation::Sigmoid).unwrap();
            net.randomize(21, 0.5);
            net.layers_mut()[1].set_activation(0..2, Activation::ElliotSymmetric, 0.5);
            let mut file = FannFile::new(net.clone());
            for (setting, value) in [
                ("training_algorithm", algorithm),
                ("learning_rate", rate),
                ("learning_momentum", momentum),
                ("train_error_function", error),
            ] {
                assert!(file.header.set(setting, value));
            }
            let path = save("training.net", &fann::write(&file));
            let theirs = numbers(&call(&["train", &path, &data, &epochs.to_string()], "").unwrap());
            let mut trainer =
                Trainer::new(&net, Training::try_from(&file.header).unwrap()).unwrap();
            for (epoch, theirs) in theirs.iter().enumerate() {
                let ours = trainer.epoch(&mut net, samples.iter().map(|(x, y)| (&x[..], &y[..])));
                assert!((ours - theirs).abs() < 1e-5, "{what}, epoch {epoch}: {ours}, {theirs}");
            }
            let trained = fann::read(&std::fs::read_to_string(&path).unwrap()).unwrap().net;
            for (ours, theirs) in net.layers().iter().zip(trained.layers()) {
                for (n, i) in
                    (0..ours.neuron_len()).flat_map(|n| (0..=ours.input_len()).map(move |i| (n, i)))
                {
                    let (a, b) = (ours.weight(n, i), theirs.weight(n, i));
                    assert!((a - b).abs() < 1e-4, "{what}: weight {a}, libfann's {b}");
                }
            }
        }
    }
}
