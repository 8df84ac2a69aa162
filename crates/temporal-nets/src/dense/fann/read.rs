//! From the text to a network, with a clear error for anything else.

use core::str::FromStr;

use super::header::{Kind, FIELDS, FROM_NETWORK};
use super::{FannError, FannFile, Header, Scale, Scaling, CONNECTIONS, NEURONS, VERSION};
use crate::dense::check_sizes;
use crate::{Activation, DenseNet};

/// Reads a file of FANN 2.1 in floating point. Takes time and memory in proportion to the text,
/// whatever sizes it claims.
///
/// # Errors
///
/// A [`FannError`] that names the field, and never a panic. Refused are networks that are sparse, have
/// shortcuts or neurons with FANN's unimplemented function 9, and numbers that are not finite.
pub fn read(text: &str) -> Result<FannFile, FannError> {
    let fields = Fields::split(text)?;
    let header = read_header(&fields)?;
    let sizes = read_sizes(&fields)?;
    let neurons = read_neurons(&fields, &sizes)?;
    let weights = read_connections(&fields, &sizes)?;

    let mut net = DenseNet::new(&sizes, Activation::Linear, Activation::Linear)?;
    let (mut first_neuron, mut first_weight) = (sizes[0] + 1, 0);
    for layer in net.layers_mut() {
        layer.set_activations(&neurons[first_neuron..first_neuron + layer.neuron_len()]);
        first_neuron += layer.neuron_len() + 1;
        let inputs = layer.input_len() + 1;
        for neuron in 0..layer.neuron_len() {
            for input in 0..inputs {
                layer.set_weight(neuron, input, weights[first_weight + neuron * inputs + input]);
            }
        }
        first_weight += layer.neuron_len() * inputs;
    }
    let scaling = read_scaling(&fields, net.input_len(), net.output_len())?;
    Ok(FannFile { net, header, scaling })
}

/// Names of the fields that are no scalars of the header.
const LISTS: [&str; 16] = [
    "cascade_activation_functions_count",
    "cascade_activation_functions",
    "cascade_activation_steepnesses_count",
    "cascade_activation_steepnesses",
    "layer_sizes",
    "scale_included",
    "scale_mean_in",
    "scale_deviation_in",
    "scale_new_min_in",
    "scale_factor_in",
    "scale_mean_out",
    "scale_deviation_out",
    "scale_new_min_out",
    "scale_factor_out",
    NEURONS,
    CONNECTIONS,
];

/// The lines `name=value`, by name.
struct Fields<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Fields<'a> {
    fn split(text: &'a str) -> Result<Self, FannError> {
        let mut lines = text.lines();
        let version = lines.next().unwrap_or_default();
        if version != VERSION {
            return Err(FannError::Version(version.chars().take(40).collect()));
        }
        let mut fields: Vec<(&'static str, &'a str)> = Vec::new();
        for (line, text) in (2..).zip(lines).filter(|(_, text)| !text.trim().is_empty()) {
            let (name, value) = text.split_once('=').ok_or(FannError::NoField { line })?;
            let mut known = FIELDS.iter().map(|(known, ..)| *known).chain(LISTS);
            let Some(name) = known.find(|known| *known == name) else {
                return Err(FannError::UnknownField {
                    line,
                    name: name.chars().take(40).collect(),
                });
            };
            if fields.iter().any(|(earlier, _)| *earlier == name) {
                return Err(FannError::Twice { line, name });
            }
            fields.push((name, value.trim()));
        }
        Ok(Fields(fields))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn required(&self, name: &'static str) -> Result<&'a str, FannError> {
        self.get(name).ok_or(FannError::Missing(name))
    }

    fn number<T: FromStr>(&self, name: &'static str) -> Result<T, FannError> {
        number(name, self.required(name)?)
    }

    /// A list that must have `expected` entries.
    fn list<T>(
        &self,
        field: &'static str,
        expected: usize,
        entry: impl Fn(&'static str, &str) -> Result<T, FannError>,
    ) -> Result<Vec<T>, FannError> {
        let entries = self.required(field)?.split_whitespace().map(|text| entry(field, text));
        let entries: Vec<T> = entries.collect::<Result<_, _>>()?;
        check_count(field, entries.len(), expected)?;
        Ok(entries)
    }

    /// The contents of the parentheses in a field's value, split at their commas.
    fn tuples<const N: usize>(&self, name: &'static str) -> Result<Vec<[&'a str; N]>, FannError> {
        let wrong = |text: &str| FannError::Number { field: name, text: shortened(text) };
        let mut tuples = Vec::new();
        let mut rest = self.required(name)?;
        while !rest.is_empty() {
            let inside = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
            let (inside, after) = inside.ok_or_else(|| wrong(rest))?;
            let mut parts = inside.split(',').map(str::trim);
            let tuple = [(); N].map(|()| parts.next().unwrap_or_default());
            if parts.next().is_some() {
                return Err(wrong(inside));
            }
            tuples.push(tuple);
            rest = after.trim_start();
        }
        Ok(tuples)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn check_count(field: &'static str, found: usize, expected: usize) -> Result<(), FannError> {
    if found == expected {
        Ok(())
    } else {
        Err(FannError::Count { field, found, expected })
    }
}

fn number<T: FromStr>(field: &'static str, text: &str) -> Result<T, FannError> {
    text.parse().map_err(|_| FannError::Number { field, text: shortened(text) })
}

fn finite(field: &'static str, text: &str) -> Result<f32, FannError> {
    let value: f32 = number(field, text)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(FannError::Number { field, text: shortened(text) })
    }
}

/// Older files lack some of the settings; those keep FANN's defaults.
fn read_header(fields: &Fields<'_>) -> Result<Header, FannError> {
    let mut header = Header::default();
    for (value, &(name, kind, _)) in header.values.iter_mut().zip(&FIELDS) {
        if let Some(text) = fields.get(name).filter(|_| !FROM_NETWORK.contains(&name)) {
            *value = match kind {
                Kind::Unsigned => f64::from(number::<u32>(name, text)?),
                Kind::Decimal | Kind::Scientific => f64::from(finite(name, text)?),
            };
        }
    }
    supported(fields, "network_type", "0", "0, layers without shortcuts")?;
    let field = "connection_rate";
    let rate = finite(field, fields.required(field)?)?;
    if rate < 1.0 {
        let value = rate.to_string();
        return Err(FannError::Unsupported { field, value, supported: "1, fully connected" });
    }
    if fields.get("cascade_activation_functions").is_some() {
        let count = fields.number("cascade_activation_functions_count")?;
        header.cascade_activation_functions =
            fields.list("cascade_activation_functions", count, number)?;
    }
    if fields.get("cascade_activation_steepnesses").is_some() {
        let count = fields.number("cascade_activation_steepnesses_count")?;
        header.cascade_activation_steepnesses =
            fields.list("cascade_activation_steepnesses", count, finite)?;
    }
    Ok(header)
}

fn supported(
    fields: &Fields<'_>,
    field: &'static str,
    wanted: &str,
    supported: &'static str,
) -> Result<(), FannError> {
    let value = fields.required(field)?;
    if value == wanted {
        Ok(())
    } else {
        Err(FannError::Unsupported { field, value: shortened(value), supported })
    }
}

/// Sizes without biases.
fn read_sizes(fields: &Fields<'_>) -> Result<Vec<usize>, FannError> {
    let field = "layer_sizes";
    let layers = fields.number("num_layers")?;
    let sizes: Vec<usize> = fields.list(field, layers, number)?;
    let sizes: Vec<usize> = sizes.into_iter().map(|size| size.saturating_sub(1)).collect();
    check_sizes(&sizes)?;
    Ok(sizes)
}

/// Function and steepness of every neuron, inputs and biases included.
fn read_neurons(fields: &Fields<'_>, sizes: &[usize]) -> Result<Vec<(Activation, f32)>, FannError> {
    let field = NEURONS;
    let tuples = fields.tuples::<3>(field)?;
    // Counted and not collected: the sizes are only claimed.
    let expected = sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(size + 1));
    check_count(field, tuples.len(), expected)?;
    // Input neurons and biases have no inputs.
    let with_bias =
        |inputs: usize, size: usize| (0..=size).map(move |n| if n < size { inputs } else { 0 });
    let expected = with_bias(0, sizes[0])
        .chain(sizes.windows(2).flat_map(|pair| with_bias(pair[0] + 1, pair[1])));
    let mut neurons = Vec::with_capacity(tuples.len());
    for (entry, ([inputs, code, steepness], expected)) in
        tuples.into_iter().zip(expected).enumerate()
    {
        let found = number(field, inputs)?;
        if found != expected {
            return Err(FannError::Structure { field, entry, found, expected });
        }
        let code = number(field, code)?;
        let activation = Activation::from_code(code).ok_or_else(|| FannError::Unsupported {
            field,
            value: format!("activation function {code}"),
            supported: "0 to 17 but 9",
        })?;
        let steepness = finite(field, steepness)?;
        if steepness < 0.0 {
            return Err(FannError::Number { field, text: steepness.to_string() });
        }
        neurons.push((activation, steepness));
    }
    Ok(neurons)
}

/// Every weight, each neuron's in the order of its inputs. libfann runs fully connected networks by
/// that order and ignores where a connection says it comes from, so it must say so.
fn read_connections(fields: &Fields<'_>, sizes: &[usize]) -> Result<Vec<f32>, FannError> {
    let field = CONNECTIONS;
    let tuples = fields.tuples::<2>(field)?;
    let connections = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]);
    let expected = connections.fold(0, usize::saturating_add);
    check_count(field, tuples.len(), expected)?;
    let mut weights = Vec::with_capacity(expected);
    let mut first_input = 0;
    let mut entries = tuples.into_iter().enumerate();
    for pair in sizes.windows(2) {
        let inputs = pair[0] + 1;
        for (n, (entry, [from, weight])) in entries.by_ref().take(inputs * pair[1]).enumerate() {
            let (found, expected) = (number(field, from)?, first_input + n % inputs);
            if found != expected {
                return Err(FannError::Structure { field, entry, found, expected });
            }
            weights.push(finite(field, weight)?);
        }
        first_input += inputs;
    }
    Ok(weights)
}

fn read_scaling(
    fields: &Fields<'_>,
    inputs: usize,
    outputs: usize,
) -> Result<Option<Scaling>, FannError> {
    if fields.get("scale_included").is_none_or(|value| value == "0") {
        return Ok(None);
    }
    supported(fields, "scale_included", "1", "0 or 1")?;
    let (mut ins, mut outs) = (vec![Scale::default(); inputs], vec![Scale::default(); outputs]);
    let names =
        LISTS.into_iter().filter(|name| name.starts_with("scale_") && *name != "scale_included");
    for (k, name) in names.enumerate() {
        let scales = if k < Scale::NAMES.len() { &mut ins } else { &mut outs };
        let numbers = fields.list(name, scales.len(), finite)?;
        for (scale, value) in scales.iter_mut().zip(numbers) {
            *scale.field_mut(k % Scale::NAMES.len()) = value;
        }
    }
    Ok(Some(Scaling { inputs: ins, outputs: outs }))
}
