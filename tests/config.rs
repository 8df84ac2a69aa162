//! Hazard: a configuration that is accepted though it cannot work, or refused without a reason.

mod common;

use common::manual;
use nanosecond_scheduler::{
    Admission, Config, ConfigError, Emergency, ManualClock, MetricsLevel, MissedTick, Policy,
    Scheduler, UnknownVerdict, Wait,
};

fn check(config: Config) -> Result<(), ConfigError> {
    Scheduler::with_clock(config, ManualClock::new()).map(drop)
}

#[test]
fn the_default_is_valid_and_what_the_documentation_says() {
    let expected = Config {
        tick_rate_ns: 0,
        max_tasks_per_tick: 1_024,
        parallel: false,
        strange_loop: true,
        lipschitz_constant: 0.9,
        windows: None,
        window_size: 64,
        capacity: 1_048_576,
        wait: Wait::Hybrid,
        missed_tick: MissedTick::Burst,
        policy: Policy::Priority,
        admission: Admission::Off,
        on_unknown: UnknownVerdict::Refuse,
        emergency: Emergency::Callback,
        metrics: MetricsLevel::Counters,
        monitor: None,
        trace_capacity: 0,
        audit: false,
        remote_capacity: 1_024,
    };
    assert_eq!(Config::default(), expected);
    assert_eq!(check(expected), Ok(()));
}

/// A field's name, its greatest value, and a config with some value in it.
type Bound = (&'static str, usize, fn(usize) -> Config);

const BOUNDS: [Bound; 4] = [
    ("max_tasks_per_tick", usize::MAX, |n| Config { max_tasks_per_tick: n, ..Config::default() }),
    ("window_size", 1 << 20, |n| Config { window_size: n, ..Config::default() }),
    ("capacity", 1 << 28, |n| Config { capacity: n, ..Config::default() }),
    ("remote_capacity", 1 << 20, |n| Config { remote_capacity: n, ..Config::default() }),
];

#[test]
fn behaviour_11_sizes_out_of_bounds_are_refused_with_field_value_and_bound() {
    for (field, most, with) in BOUNDS {
        for value in [0, most.wrapping_add(1), usize::MAX] {
            let Err(error) = check(with(value)) else {
                assert_eq!(value, most, "{field} = {value} was accepted");
                continue;
            };
            assert_eq!(error, ConfigError::OutOfRange { field, value, least: 1, most });
            assert_eq!(
                error.to_string(),
                format!("Config::{field} is {value}; it must be from 1 to {most}")
            );
        }
    }
}

#[test]
fn behaviour_11_sizes_at_their_bounds_are_accepted() {
    for (field, most, with) in BOUNDS {
        assert_eq!((field, check(with(1))), (field, Ok(())));
        assert_eq!((field, check(with(most))), (field, Ok(())));
    }
}

#[test]
fn behaviour_11_a_constant_that_does_not_contract_is_refused() {
    for k in [1.0, 1.000_000_1, -0.000_1, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let config = Config { lipschitz_constant: k, ..Config::default() };
        let error = check(config).unwrap_err();
        assert!(matches!(error, ConfigError::Lipschitz(given) if given.to_bits() == k.to_bits()));
        let text = error.to_string();
        let expected =
            format!("Config::lipschitz_constant is {k}; it must be at least 0 and below 1");
        assert!(text.starts_with(&expected), "{text}");
    }
    for k in [0.0, 0.5, 1.0 - f64::EPSILON] {
        assert_eq!(check(Config { lipschitz_constant: k, ..Config::default() }), Ok(()));
    }
}

#[test]
fn behaviour_11_what_needs_a_feature_says_which() {
    let config = Config { parallel: true, ..Config::default() };
    let field = "parallel";
    let missing = ConfigError::MissingFeature { field, feature: "parallel" };
    let expected = if cfg!(feature = "parallel") { Ok(()) } else { Err(missing) };
    assert_eq!(check(config), expected);
    assert_eq!(
        missing.to_string(),
        "Config::parallel asks for something that needs the crate's feature `parallel`"
    );

    let config = Config { metrics: MetricsLevel::Histograms, ..Config::default() };
    let missing = ConfigError::MissingFeature { field: "metrics", feature: "std" };
    let expected = if cfg!(feature = "std") { Ok(()) } else { Err(missing) };
    assert_eq!(check(config), expected);
}

#[cfg(feature = "std")]
#[test]
#[should_panic(expected = "Config::max_tasks_per_tick is 0; it must be from 1 to")]
fn behaviour_11_new_panics_with_the_reason() {
    drop(Scheduler::new(Config { max_tasks_per_tick: 0, ..Config::default() }));
}

#[cfg(feature = "std")]
#[test]
fn behaviour_11_try_new_returns_the_reason() {
    let refused = Scheduler::try_new(Config { capacity: 0, ..Config::default() });
    let expected = ConfigError::OutOfRange { field: "capacity", value: 0, least: 1, most: 1 << 28 };
    assert_eq!(refused.map(drop), Err(expected));
    assert!(Scheduler::try_new(Config::default()).is_ok());
}

#[test]
fn a_great_capacity_costs_nothing_until_it_is_used() {
    let (scheduler, _clock) = manual(Config { capacity: 1 << 28, ..Config::default() });
    assert_eq!(scheduler.metrics().memory_bytes, 0);
}

#[cfg(feature = "serde")]
mod with_serde {
    use nanosecond_scheduler::{Priority, TimePoint};
    use serde::de::value::{Error, MapDeserializer, U64Deserializer};
    use serde::de::IntoDeserializer;
    use serde::{Deserialize, Serialize};

    use super::*;

    /// Serializes what is a single value, with the one format that needs no further crate.
    struct Plain<T>(T);

    impl<T: Serialize> std::fmt::Display for Plain<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.serialize(f)
        }
    }

    #[test]
    fn a_config_may_name_some_fields_only() {
        let fields = [("capacity", 5u64), ("window_size", 6)];
        let fields = MapDeserializer::<_, Error>::new(fields.into_iter());
        let expected = Config { capacity: 5, window_size: 6, ..Config::default() };
        assert_eq!(Config::deserialize(fields), Ok(expected));
    }

    #[test]
    fn instants_are_numbers_and_choices_are_names() {
        assert_eq!(Plain(TimePoint::from_nanos(17)).to_string(), "17");
        assert_eq!(Plain(Priority::Critical).to_string(), "Critical");
        assert_eq!(Plain(MissedTick::Skip).to_string(), "Skip");
        assert_eq!(Plain(MetricsLevel::Histograms).to_string(), "Histograms");
        let number: U64Deserializer<Error> = 17u64.into_deserializer();
        assert_eq!(TimePoint::deserialize(number), Ok(TimePoint::from_nanos(17)));
    }
}
