//! The images and their splits.

use std::error::Error;
use std::io::Read;

use flate2::read::GzDecoder;

pub(crate) const PIXELS: usize = 64;
pub(crate) const CLASSES: usize = 10;

#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// From -1 to 1.
    pub(crate) pixels: [f32; PIXELS],
    pub(crate) digit: usize,
}

/// The data set that ships with the example.
pub(crate) fn load() -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("data/digits.csv.gz")[..]).read_to_string(&mut text)?;
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Sample, Box<dyn Error>> {
    let values = line.split(',').map(str::parse).collect::<Result<Vec<f32>, _>>()?;
    let [pixels @ .., digit] = values.as_slice() else {
        return Err("an empty line".into());
    };
    let mut sample = Sample { pixels: [0.0; PIXELS], digit: *digit as usize };
    if pixels.len() != PIXELS || sample.digit >= CLASSES {
        return Err(format!("{} pixels of the digit {digit}", pixels.len()).into());
    }
    for (to, from) in sample.pixels.iter_mut().zip(pixels) {
        *to = from / 8.0 - 1.0;
    }
    Ok(sample)
}

/// Numbers that repeat on every machine: SplitMix64.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for k in (1..items.len()).rev() {
            items.swap(k, self.below(k + 1));
        }
    }
}
