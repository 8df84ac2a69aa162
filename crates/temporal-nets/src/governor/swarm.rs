//! [`Swarm`]: nets that answer together, each with a weight.

use core::time::Duration;

use super::config::{GovernorError, Outputs, Rule, MAX_NETS};
use super::shares;
use crate::TemporalNetwork;

#[derive(Clone, Debug)]
pub(super) struct Swarm<N> {
    nets: Vec<N>,
    inputs: usize,
    classes: usize,
    /// Of the last step: a row per net.
    shares: Vec<f64>,
    /// Whether a net's row can be used.
    usable: Vec<bool>,
    /// Adds up to 1.
    weights: Vec<f64>,
    /// Of the usable rows, by the weights.
    mean: Vec<f64>,
}

impl<N: TemporalNetwork> Swarm<N> {
    pub(super) fn new(nets: Vec<N>) -> Result<Self, GovernorError> {
        let count = nets.len();
        if !(1..=MAX_NETS).contains(&count) {
            return Err(GovernorError::Nets(count));
        }
        let shape = |net: &N| (net.input_len(), net.output_len());
        let expected = shape(&nets[0]);
        if let Some(net) = nets.iter().position(|net| shape(net) != expected) {
            return Err(GovernorError::Shape { net, shape: shape(&nets[net]), expected });
        }
        let (inputs, classes) = expected;
        if classes < 2 {
            return Err(GovernorError::Classes(classes));
        }
        Ok(Swarm {
            nets,
            inputs,
            classes,
            shares: vec![0.0; count * classes],
            usable: vec![false; count],
            weights: vec![1.0 / count as f64; count],
            mean: vec![1.0 / classes as f64; classes],
        })
    }

    /// Steps every net. Returns how many answered nothing of use; if all, the mean is even shares.
    pub(super) fn step(&mut self, input: &[f32], dt: Duration, outputs: Outputs) -> usize {
        let rows = self.shares.chunks_exact_mut(self.classes);
        for ((net, row), usable) in self.nets.iter_mut().zip(rows).zip(&mut self.usable) {
            *usable = shares::read(net.step(input, dt), outputs, row);
        }
        self.average();
        self.usable.iter().filter(|usable| !**usable).count()
    }

    fn average(&mut self) {
        let mut mean = core::mem::take(&mut self.mean);
        mean.fill(0.0);
        for (weight, row) in self.usable_rows() {
            mean.iter_mut().zip(row).for_each(|(mean, share)| *mean += weight * share);
        }
        if !shares::normalise(&mut mean) {
            mean.fill(1.0 / self.classes as f64);
        }
        self.mean = mean;
    }

    fn usable_rows(&self) -> impl Iterator<Item = (f64, &[f64])> {
        let rows = self.shares.chunks_exact(self.classes);
        let all = self.weights.iter().zip(rows).zip(&self.usable);
        all.filter(|(_, usable)| **usable).map(|((weight, row), _)| (*weight, row))
    }

    /// From 0 to 1; 1 if no net answered.
    pub(super) fn doubt(&self, rule: Rule) -> f64 {
        let weight: f64 = self.usable_rows().map(|(weight, _)| weight).sum();
        if weight <= 0.0 {
            return 1.0;
        }
        let (_, most, next) = shares::greatest(&self.mean);
        let doubt = match rule {
            Rule::Margin => 1.0 - (most - next),
            Rule::Confidence => 1.0 - most,
            Rule::JensenShannon if self.nets.len() < 2 => 0.0,
            Rule::JensenShannon => {
                let own = self.usable_rows().map(|(w, row)| w * shares::entropy(row)).sum::<f64>();
                (shares::entropy(&self.mean) - own / weight) / (self.nets.len() as f64).ln()
            }
        };
        doubt.clamp(0.0, 1.0)
    }

    /// Weights the nets by how far they were from `answer` in the last step: Hedge (Freund & Schapire
    /// 1997) with a fixed share (Herbster & Warmuth 1998). The loss is the total variation.
    pub(super) fn guide(&mut self, answer: &[f64], learning_rate: f64, even_share: f64) {
        let rows = self.shares.chunks_exact(self.classes);
        for ((weight, row), usable) in self.weights.iter_mut().zip(rows).zip(&self.usable) {
            let loss = if *usable { shares::total_variation(row, answer) } else { 1.0 };
            *weight *= (-learning_rate * loss).exp();
        }
        // The sum stays positive: it shrinks from 1 by exp(-10) at most.
        shares::normalise(&mut self.weights);
        let even = even_share / self.weights.len() as f64;
        self.weights.iter_mut().for_each(|weight| *weight = *weight * (1.0 - even_share) + even);
    }

    pub(super) fn reset_state(&mut self) {
        self.nets.iter_mut().for_each(TemporalNetwork::reset_state);
    }

    pub(super) fn input_len(&self) -> usize {
        self.inputs
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    pub(super) fn len(&self) -> usize {
        self.nets.len()
    }

    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }
}
