//! Ratios between this crate and its peers, all measured in this run. Names of benches as arguments
//! choose some; `--quick` only shows that they work.

mod inference;
mod libfann;
mod lif;
mod measure;
mod stdp;
mod thousand;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 3 } else { 2001 };
    let names: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    if wanted("inference") {
        inference::bench(rounds);
    }
    if wanted("stdp") {
        stdp::bench(rounds);
    }
    if wanted("lif") {
        lif::bench(rounds);
    }
    if wanted("thousand") {
        thousand::bench(if quick { 1 } else { 4 });
    }
}
