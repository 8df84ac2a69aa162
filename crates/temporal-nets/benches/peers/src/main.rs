//! Ratios between this crate and its peers, all measured in this run. `--quick` only shows that it
//! works.

mod inference;
mod libfann;
mod lif;
mod measure;
mod stdp;
mod thousand;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 3 } else { 2001 };
    inference::bench(rounds);
    stdp::bench(rounds);
    lif::bench(rounds);
    thousand::bench(if quick { 1 } else { 20 });
}
