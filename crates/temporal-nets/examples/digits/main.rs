//! Handwritten digits: seven micro nets answer what they are sure of, and a kernel machine the rest.
//!
//! ```text
//! cargo run --release --package temporal-nets --example digits
//! ```
//!
//! Five times the images are split in halves. From one half the models are trained, and the threshold is
//! chosen that escalates a tenth; the other half is routed. The last line has the means. Exit code 1 tells
//! that the router has not kept to its target.

mod dataset;
mod kernel;
mod report;
mod swarm;
mod trial;

use std::error::Error;

use indicatif::{ProgressBar, ProgressStyle};
use lexopt::{Arg, Parser};

use report::Means;
use trial::Trial;

const HELP: &str = "\
Usage: digits (it takes no arguments)

The last line is escalated X % delta Y pp swarm S % expensive E %: means over five splits.
";

const SPLITS: u64 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(argument) = Parser::from_env().next()? {
        match argument {
            Arg::Long("help") | Arg::Short('h') => print!("{HELP}"),
            other => return Err(other.unexpected().into()),
        }
        return Ok(());
    }
    let samples = dataset::load()?;
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} nets trained")?;
    let progress = ProgressBar::new(SPLITS * trial::NETS as u64).with_style(style);
    let run = |seed| Trial::run(&samples, seed, || progress.inc(1));
    let trials = (0..SPLITS).map(run).collect::<Result<Vec<_>, _>>()?;
    progress.finish_and_clear();

    let means = Means::of(&trials);
    let Means { escalated, delta, swarm, expensive } = means;
    println!("{}", report::table(&trials));
    println!("{}", report::picture(&trials));
    println!(
        "escalated {escalated:.2} % delta {delta:.2} pp swarm {swarm:.2} % expensive {expensive:.2} %"
    );
    check(&means)
}

fn check(means: &Means) -> Result<(), Box<dyn Error>> {
    for (name, value, least, most) in [
        ("escalated", means.escalated, 0.0, 10.0),
        ("delta", means.delta, -0.2, 100.0),
        ("expensive", means.expensive, 98.0, 100.0),
    ] {
        if !(least..=most).contains(&value) {
            return Err(format!("{name} is {value:.3}; it must be from {least} to {most}").into());
        }
    }
    Ok(())
}
