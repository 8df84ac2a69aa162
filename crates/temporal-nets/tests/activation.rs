//! Hazard: a function that is not FANN's, or a slope or Lipschitz constant that is not its own.

mod common;

use common::{oracle, rows};
use temporal_nets::Activation;

fn value(activation: Activation, steepness: f32, sum: f32) -> f32 {
    let mut values = [sum];
    activation.apply(steepness, &mut values);
    values[0]
}

#[test]
fn values_are_libfanns() {
    let csv = oracle("libfann_activations.csv");
    let mut seen = std::collections::BTreeMap::new();
    for row in rows(&csv) {
        let activation = Activation::ALL.into_iter().find(|a| a.to_string() == row[0]).unwrap();
        let [steepness, sum, expected] = [1, 2, 3].map(|k| row[k].parse::<f32>().unwrap());
        let found = value(activation, steepness, sum);
        assert!(
            (found - expected).abs() <= 2e-7,
            "{activation}({steepness} * {sum}) = {found}, libfann has {expected}"
        );
        *seen.entry(activation.code()).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), Activation::ALL.len());
    assert!(seen.values().all(|&count| count >= 20));
}

#[test]
fn exponentials_are_exact_to_the_end_of_f32() {
    for k in -40_000..=40_000 {
        let x = k as f32 * 1e-3;
        let exact = f64::from(x);
        for (activation, expected) in [
            (Activation::Sigmoid, 1.0 / (1.0 + (-2.0 * exact).exp())),
            (Activation::SigmoidSymmetric, exact.tanh()),
            // Of the argument as rounded: the exponential blows that error up.
            (Activation::Gaussian, (-f64::from(x * x)).exp()),
        ] {
            let found = f64::from(value(activation, 1.0, x));
            // Below, f32 has no more numbers of full precision.
            let tolerance = if expected.abs() > 1e-36 { 3e-7 * expected.abs() } else { 2e-36 };
            assert!((found - expected).abs() <= tolerance, "{activation}({x}) = {found:e}");
        }
    }
}

#[test]
fn sums_beyond_fanns_limit_and_nan() {
    for activation in Activation::ALL {
        for sum in [f32::INFINITY, f32::MAX, f32::MIN, f32::NEG_INFINITY] {
            assert!(value(activation, 0.5, sum).is_finite(), "{activation}({sum})");
        }
        if !matches!(activation, Activation::Threshold | Activation::ThresholdSymmetric) {
            assert!(value(activation, 0.5, f32::NAN).is_nan(), "{activation}(NaN)");
        }
    }
    // What libfann 2.2.0 gives.
    assert_eq!(value(Activation::Linear, 0.5, 1000.0), 300.0);
    assert_eq!(value(Activation::Linear, 1.0, 1000.0), 150.0);
}

#[test]
fn a_slope_is_that_of_its_function() {
    use Activation::{Sigmoid, SigmoidStepwise, SigmoidSymmetric, SigmoidSymmetricStepwise};
    for activation in Activation::ALL {
        for steepness in [0.5, 1.0, 2.0f32] {
            for sum in [-0.9f32, -0.3, 0.21, 0.4] {
                let Some(slope) =
                    activation.slope(steepness, sum, value(activation, steepness, sum))
                else {
                    continue;
                };
                // The pieces are learned by the slope of the curve that they stand for, and beyond
                // their ends by that of their middle.
                let curve = match activation {
                    SigmoidStepwise => Sigmoid,
                    SigmoidSymmetricStepwise => SigmoidSymmetric,
                    Activation::LinearPiece | Activation::LinearPieceSymmetric => {
                        Activation::Linear
                    }
                    other => other,
                };
                let h = 1e-3;
                let rise = value(curve, steepness, sum + h) - value(curve, steepness, sum - h);
                let tolerance = if curve == activation { 3e-3 } else { 0.1 * steepness };
                assert!(
                    (slope - rise / (2.0 * h)).abs() <= tolerance,
                    "{activation}, steepness {steepness}, sum {sum}: {slope}, {}",
                    rise / (2.0 * h)
                );
            }
        }
    }
}

#[test]
fn a_lipschitz_constant_bounds_every_rise_and_is_reached() {
    for activation in Activation::ALL {
        let Some(constant) = activation.lipschitz(2.0) else {
            let jumps = (-3000..3000).any(|k| {
                let (a, b) = (k as f32 * 1e-3, (k + 1) as f32 * 1e-3);
                (value(activation, 1.0, b) - value(activation, 1.0, a)).abs() > 4e-3
            });
            assert!(jumps, "{activation} is said to jump");
            continue;
        };
        let mut steepest = 0.0f64;
        for k in -3000..3000 {
            let (a, b) = (k as f32 / 512.0, (k + 1) as f32 / 512.0);
            let rise = f64::from(value(activation, 2.0, b)) - f64::from(value(activation, 2.0, a));
            steepest = steepest.max(rise.abs() * 512.0);
        }
        assert!(steepest <= constant * 1.0001, "{activation}: {steepest} > {constant}");
        assert!(steepest >= constant * 0.99, "{activation}: {steepest} < {constant}");
    }
}

#[test]
fn codes_are_fanns() {
    for activation in Activation::ALL {
        assert_eq!(Activation::from_code(activation.code().into()), Some(activation));
    }
    assert_eq!(Activation::from_code(9), None);
    assert_eq!(Activation::from_code(18), None);
}
