//! The works. Each asserts what it did: a wrong count or order panics.

mod crowded;
mod hold;
mod idle;
mod memory;
mod metrics;
mod throughput;
mod timeouts;

use crate::harness::{Plan, Table};

pub struct Work {
    pub name: &'static str,
    pub run: fn(Plan, &mut Table),
}

pub const ALL: &[Work] = &[
    Work { name: "idle", run: idle::run },
    Work { name: "throughput", run: throughput::run },
    Work { name: "hold", run: hold::run },
    Work { name: "timeouts", run: timeouts::run },
    Work { name: "crowded", run: crowded::run },
    Work { name: "memory", run: memory::run },
    Work { name: "metrics", run: metrics::run },
];
