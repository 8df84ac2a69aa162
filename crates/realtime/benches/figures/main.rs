//! The figures that the real-time half of this workspace promises, measured and judged.
//!
//! `cargo bench -p nanosecond-realtime --bench figures` takes two minutes; with `-- --quick` it
//! only checks that everything still runs and agrees, and judges nothing. How to read what it
//! prints is said in `benches/README.md`.

#[cfg(target_os = "linux")]
mod book;
#[cfg(target_os = "linux")]
mod deadline_misses;
#[cfg(target_os = "linux")]
mod harness;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod monitoring;
#[cfg(target_os = "linux")]
mod overhead;
#[cfg(target_os = "linux")]
mod policies;
#[cfg(target_os = "linux")]
mod remote;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod waiting;

/// Measures some of the figures.
#[cfg(target_os = "linux")]
type Section = fn(harness::Plan, &mut table::Table);

#[cfg(target_os = "linux")]
fn main() {
    use harness::Plan;
    use table::Table;

    // Words that are no options choose sections by their names.
    let (options, wanted): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    // `cargo bench` passes `--bench`; `cargo test` does not, and then a look is enough.
    let has = |option: &str| options.iter().any(|given| given == option);
    let plan = Plan { quick: has("--quick") || !has("--bench") };
    println!("{}", machine::describe());
    let mut table = Table::new(plan);
    let sections: [(&str, Section); 6] = [
        ("overhead", overhead::measure),
        ("waiting", waiting::measure),
        ("remote", remote::measure),
        ("misses", deadline_misses::measure),
        ("monitoring", monitoring::measure),
        ("policies", policies::measure),
    ];
    for (name, measure) in sections {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            eprintln!("measuring {name}");
            measure(plan, &mut table);
        }
    }
    println!("\n{table}");
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("The figures are measured on Linux only.");
}
