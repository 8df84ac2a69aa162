//! The same work through this crate and through others; one table of ratios. See the README.

mod counting;
mod harness;
mod machine;
mod peers;
mod rng;
mod works;

use std::process::ExitCode;

use counting::CountingAllocator;
use harness::{Plan, Table};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const USAGE: &str = "usage: peers [--quick] [WORK]...";

fn main() -> ExitCode {
    let mut plan = Plan { quick: false };
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => plan.quick = true,
            name if works::ALL.iter().any(|work| work.name == name) => chosen.push(argument),
            _ => {
                let names: Vec<_> = works::ALL.iter().map(|work| work.name).collect();
                eprintln!("{USAGE}\nunknown: {argument}; works: {}", names.join(" "));
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}\n", machine::describe());
    let mut table = Table::new(plan);
    for work in works::ALL {
        if chosen.is_empty() || chosen.iter().any(|name| name == work.name) {
            eprintln!("running {} ...", work.name);
            (work.run)(plan, &mut table);
        }
    }
    println!("{table}");
    ExitCode::SUCCESS
}
