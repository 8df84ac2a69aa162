//! From a network to the text.

use core::fmt::Write;

use super::header::{Kind, FIELDS};
use super::{FannFile, Scale, CONNECTIONS, NEURONS, VERSION};
use crate::{DenseNet, Layer};

/// The text that libfann would save, but for two things: numbers that its six decimals would round
/// keep all their digits, and hidden layers' biases get the last neuron's steepness, which nobody
/// reads. Weights that are not finite are written too, but nothing reads them.
#[must_use]
pub fn write(file: &FannFile) -> String {
    let mut text = String::new();
    write_to(file, &mut text).expect("a String takes everything");
    text
}

fn write_to(file: &FannFile, out: &mut String) -> std::fmt::Result {
    let layers = file.net.layers();
    writeln!(out, "{VERSION}")?;
    write_header(file, out)?;
    write!(out, "layer_sizes=")?;
    // Every layer has a bias neuron, also the last, which has no use for it.
    write!(out, "{} ", file.net.input_len() + 1)?;
    for layer in layers {
        write!(out, "{} ", layer.neuron_len() + 1)?;
    }
    writeln!(out)?;
    write_scaling(file, out)?;
    write_neurons(&file.net, out)?;
    write!(out, "{CONNECTIONS}=")?;
    let mut first_input = 0;
    for layer in layers {
        write_connections(layer, first_input, out)?;
        first_input += layer.input_len() + 1;
    }
    writeln!(out)
}

fn write_header(file: &FannFile, out: &mut String) -> std::fmt::Result {
    for (&(name, kind, _), &value) in FIELDS.iter().zip(&file.header.values) {
        let value = match name {
            "num_layers" => (file.net.layers().len() + 1) as f64,
            "connection_rate" => 1.0,
            "network_type" => 0.0,
            _ => value,
        };
        writeln!(out, "{name}={}", number(kind, value))?;
    }
    let functions = &file.header.cascade_activation_functions;
    writeln!(out, "cascade_activation_functions_count={}", functions.len())?;
    write!(out, "cascade_activation_functions=")?;
    for function in functions {
        write!(out, "{function} ")?;
    }
    let steepnesses = &file.header.cascade_activation_steepnesses;
    writeln!(out, "\ncascade_activation_steepnesses_count={}", steepnesses.len())?;
    write!(out, "cascade_activation_steepnesses=")?;
    for &steepness in steepnesses {
        write!(out, "{} ", number(Kind::Scientific, steepness.into()))?;
    }
    writeln!(out)
}

fn write_scaling(file: &FannFile, out: &mut String) -> std::fmt::Result {
    let Some(scaling) = &file.scaling else { return writeln!(out, "scale_included=0") };
    writeln!(out, "scale_included=1")?;
    for (direction, scales) in [("in", &scaling.inputs), ("out", &scaling.outputs)] {
        for (index, name) in Scale::NAMES.iter().enumerate() {
            write!(out, "{name}_{direction}=")?;
            for scale in scales {
                write!(out, "{} ", number(Kind::Decimal, scale.fields()[index].into()))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Inputs, then each layer's neurons and its bias, which has no inputs.
fn write_neurons(net: &DenseNet, out: &mut String) -> std::fmt::Result {
    let neuron = |out: &mut String, inputs: usize, function: u8, steepness: f32| {
        write!(out, "({inputs}, {function}, {}) ", number(Kind::Scientific, steepness.into()))
    };
    write!(out, "{NEURONS}=")?;
    for _ in 0..=net.input_len() {
        neuron(out, 0, 0, 0.0)?;
    }
    for (k, layer) in net.layers().iter().enumerate() {
        let inputs = layer.input_len() + 1;
        for n in 0..layer.neuron_len() {
            let (activation, steepness) = layer.activation(n);
            neuron(out, inputs, activation.code(), steepness)?;
        }
        let (activation, steepness) = layer.activation(layer.neuron_len() - 1);
        let is_last = k + 1 == net.layers().len();
        neuron(out, 0, activation.code(), if is_last { 0.0 } else { steepness })?;
    }
    writeln!(out)
}

fn write_connections(layer: &Layer, first_input: usize, out: &mut String) -> std::fmt::Result {
    for neuron in 0..layer.neuron_len() {
        for input in 0..=layer.input_len() {
            let weight = number(Kind::Scientific, layer.weight(neuron, input).into());
            write!(out, "({}, {weight}) ", first_input + input)?;
        }
    }
    Ok(())
}

/// As C's `printf` writes it, or with more digits if those would not say which number it is.
fn number(kind: Kind, value: f64) -> String {
    match kind {
        Kind::Unsigned => format!("{value:.0}"),
        Kind::Decimal => {
            let value = value as f32;
            let text = format!("{value:.6}");
            if text.parse() == Ok(value) {
                text
            } else {
                format!("{value}")
            }
        }
        Kind::Scientific => {
            let text = format!("{:.20e}", value as f32);
            let Some((mantissa, exponent)) = text.split_once('e') else { return text };
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
    }
}
