//! Hazard: a governor that trusts the wrong answer, flutters, or is brought down by its models.

mod common;

use core::time::Duration;

use common::{floats, json, Rng};
use nanosecond_scheduler::{Clock, ManualClock, TimePoint};
use temporal_nets::{
    Decision, Escalation, Fallback, Governor, GovernorConfig, GovernorError, Outputs, Rule,
    TemporalNetwork,
};

/// A net of one input and one answer by which function of it.
struct Net(fn(f32) -> Vec<f32>, Vec<f32>);

impl Net {
    fn new(answer: fn(f32) -> Vec<f32>) -> Self {
        Net(answer, answer(0.0))
    }
}

impl TemporalNetwork for Net {
    fn input_len(&self) -> usize {
        1
    }
    fn output_len(&self) -> usize {
        2
    }
    fn reset_state(&mut self) {}
    fn step(&mut self, input: &[f32], _dt: Duration) -> &[f32] {
        self.1 = (self.0)(input[0]);
        &self.1
    }
}

/// A net that always answers the same.
#[derive(Debug)]
struct Fixed(Vec<f32>);

impl TemporalNetwork for Fixed {
    fn input_len(&self) -> usize {
        1
    }
    fn output_len(&self) -> usize {
        self.0.len()
    }
    fn reset_state(&mut self) {}
    fn step(&mut self, _input: &[f32], _dt: Duration) -> &[f32] {
        &self.0
    }
}

fn fixed(rows: &[&[f32]]) -> Vec<Fixed> {
    rows.iter().map(|row| Fixed(row.to_vec())).collect()
}

/// Two classes: the input's share of the first.
fn scalar() -> Vec<Net> {
    vec![Net::new(|x| vec![x, 1.0 - x])]
}

/// An expensive model that is sure of the second class.
fn second(_: &[f32], _: Option<TimePoint>, shares: &mut [f64]) -> Result<(), &'static str> {
    shares[1] = 3.0;
    Ok(())
}

type Model = fn(&[f32], Option<TimePoint>, &mut [f64]) -> Result<(), &'static str>;

fn governor<N: TemporalNetwork>(
    nets: Vec<N>,
    config: GovernorConfig,
) -> Governor<N, Model, ManualClock> {
    Governor::new(nets, second as Model, ManualClock::new(), config).unwrap()
}

fn rule(rule: Rule) -> GovernorConfig {
    GovernorConfig { rule, ..GovernorConfig::default() }
}

fn doubt(nets: Vec<Fixed>, config: GovernorConfig) -> f64 {
    governor(nets, config).decide(&[0.0], Duration::ZERO).unwrap().doubt
}

fn assert_near(value: f64, expected: f64) {
    // Nets answer in f32.
    assert!((value - expected).abs() < 5e-7, "{value} instead of {expected}");
}

#[test]
fn disagreement_is_the_jensen_shannon_divergence() {
    for case in json("jsd_cases.json").as_array().unwrap() {
        let rows = case["P"].as_array().unwrap().iter();
        let nets: Vec<_> =
            rows.map(|row| Fixed(floats(row).iter().map(|p| *p as f32).collect())).collect();
        let expected = case["jsd_norm"].as_f64().unwrap();
        assert_near(doubt(nets, rule(Rule::JensenShannon)), expected);
    }
    assert_eq!(doubt(fixed(&[&[0.5, 0.5]]), rule(Rule::JensenShannon)), 0.0);
}

#[test]
fn margin_and_confidence_are_those_of_the_mean() {
    // The mean is 0.4, 0.45, 0.15.
    let nets = || fixed(&[&[0.7, 0.2, 0.1], &[0.1, 0.7, 0.2]]);
    assert_near(doubt(nets(), GovernorConfig::default()), 1.0 - 0.05);
    assert_near(doubt(nets(), rule(Rule::Confidence)), 1.0 - 0.45);
}

#[test]
fn outputs_become_shares() {
    let decide = |outputs, values: &[f32]| {
        let config = GovernorConfig { outputs, threshold: 1.0, ..GovernorConfig::default() };
        let mut governor = governor(fixed(&[values]), config);
        governor.decide(&[0.0], Duration::ZERO).unwrap().shares.to_vec()
    };
    assert_eq!(decide(Outputs::Shares, &[3.0, -5.0, 1.0]), [0.75, 0.0, 0.25]);
    assert_eq!(decide(Outputs::Shares, &[-1.0, 0.0]), [0.5, 0.5]);
    let even = fixed(&[&[0.5, 0.5]]);
    let config = GovernorConfig { threshold: 1.0, ..GovernorConfig::default() };
    assert_eq!(governor(even, config).decide(&[0.0], Duration::ZERO).unwrap().class, 0);
    let softmax = decide(Outputs::Softmax, &[1e3, 1e3, 1e3 - 1.0]);
    let rest = (-1.0f64).exp();
    assert_near(softmax[0], 1.0 / (2.0 + rest));
    assert_near(softmax[2], rest / (2.0 + rest));
}

#[test]
fn escalates_above_the_threshold_and_not_at_it() {
    let mut governor = governor(scalar(), GovernorConfig::default());
    // A share of x has a margin of |2x - 1|; 0.75 has a doubt of 0.5.
    let cases = [(1.0, None), (0.75, None), (0.625, Some(Escalation::Doubt)), (0.25, None)];
    for (x, escalation) in cases {
        let decision = governor.decide(&[x], Duration::ZERO).unwrap();
        assert_eq!(decision.escalation, escalation, "for {x}");
        assert_eq!(decision.is_expensive(), escalation.is_some());
        assert_eq!(decision.class, usize::from(x < 0.75), "for {x}");
    }
    assert_eq!(governor.metrics().escalation_rate(), 0.25);
}

#[test]
fn hysteresis_holds_on_until_doubt_is_low() {
    let config = GovernorConfig { hysteresis: 0.25, ..GovernorConfig::default() };
    let mut governor = governor(scalar(), config);
    let mut escalated = |doubt: f32| {
        let decision = governor.decide(&[1.0 - doubt / 2.0], Duration::ZERO).unwrap();
        assert_near(decision.doubt, doubt.into());
        decision.escalation.is_some()
    };
    // Doubts are exact in binary: 0.25 is on the lower bound.
    for (doubt, expected) in [
        (0.375, false),
        (0.5, false),
        (0.5625, true),
        (0.5, true),
        (0.3125, true),
        (0.25, false),
        (0.375, false),
        (0.75, true),
    ] {
        assert_eq!(escalated(doubt), expected, "for {doubt}");
    }
    governor.note_residual(f64::INFINITY);
    governor.reset_state();
    assert_eq!(governor.decide(&[0.8125], Duration::ZERO).unwrap().escalation, None);
}

#[test]
fn what_the_acceptance_test_rejects_is_escalated() {
    let config = GovernorConfig::default();
    let mut governor = governor(scalar(), config).with_acceptance_test(|_, shares| shares[0] < 0.9);
    assert_eq!(governor.decide(&[0.875], Duration::ZERO).unwrap().escalation, None);
    let decision = governor.decide(&[1.0], Duration::ZERO).unwrap();
    assert_eq!(decision.escalation, Some(Escalation::Rejected));
    assert!(decision.is_expensive() && decision.is_accepted && decision.class == 1);
    assert_eq!(governor.metrics().rejected, 1);
}

#[test]
fn an_expensive_answer_that_is_rejected_too_is_not_used() {
    let config = GovernorConfig::default();
    let mut governor = governor(scalar(), config).with_acceptance_test(|input, _| input[0] < 0.9);
    let decision = governor.decide(&[1.0], Duration::ZERO).unwrap();
    assert_eq!(decision.escalation, Some(Escalation::Rejected));
    assert_eq!(decision.fallback, Some(Fallback::Rejected));
    assert!(!decision.is_accepted && !decision.is_expensive() && decision.class == 0);
    assert_eq!(governor.metrics().expensive_rejected, 1);
}

#[test]
fn a_residual_spike_escalates_the_next_decision_only() {
    let config = GovernorConfig { residual_memory: 16, ..GovernorConfig::default() };
    let mut governor = governor(scalar(), config);
    let mut decide = |residuals: &[f64]| {
        residuals.iter().for_each(|residual| governor.note_residual(*residual));
        governor.decide(&[1.0], Duration::ZERO).unwrap().escalation
    };
    // Too early to tell.
    assert_eq!(decide(&[100.0]), None);
    let mut rng = Rng(1);
    for _ in 0..200 {
        let residual = 1.0 + rng.below(1000) as f64 / 1e4;
        assert_eq!(decide(&[residual]), None, "for {residual}");
    }
    assert_eq!(decide(&[2.0, 1.05]), Some(Escalation::Residual));
    assert_eq!(decide(&[]), None);
    assert_eq!(decide(&[f64::NAN]), Some(Escalation::Residual));
    assert_eq!(decide(&[1.05]), None);
    // A lasting change is one spike or a few, not an alarm for ever.
    let spikes = (0..100).filter(|_| decide(&[50.0]).is_some()).count();
    assert!((1..10).contains(&spikes), "{spikes} spikes");
}

#[test]
fn the_swarm_answers_when_the_expensive_model_does_not() {
    let clock = ManualClock::new();
    let config = GovernorConfig {
        deadline: Some(Duration::from_micros(10)),
        learning_rate: 0.0,
        ..GovernorConfig::default()
    };
    let time = clock.clone();
    let mut calls = 0;
    let model = move |_: &[f32], deadline: Option<TimePoint>, shares: &mut [f64]| {
        assert_eq!(deadline, Some(time.now() + Duration::from_micros(10)));
        calls += 1;
        match calls {
            1 => return Err("out of order"),
            2 => panic!("on purpose"),
            3 => time.advance(Duration::from_nanos(10_001)),
            4 => time.advance(Duration::from_micros(10)),
            _ => {}
        }
        shares.copy_from_slice(match calls {
            5 => &[f64::NAN, 1.0],
            6 => &[-1.0, 2.0],
            7 => &[0.0, 0.0],
            _ => &[0.0, 1.0],
        });
        Ok(())
    };
    let mut governor = Governor::new(scalar(), model, clock, config).unwrap();
    let expected = [
        Some(Fallback::Failed("out of order")),
        Some(Fallback::Panicked),
        Some(Fallback::Late(Duration::from_nanos(10_001))),
        None,
        Some(Fallback::Unusable),
        Some(Fallback::Unusable),
        Some(Fallback::Unusable),
        None,
    ];
    for (call, fallback) in expected.into_iter().enumerate() {
        let decision = governor.decide(&[0.625], Duration::ZERO).unwrap();
        let class = usize::from(fallback.is_none());
        assert_eq!(decision.escalation, Some(Escalation::Doubt));
        assert_eq!((decision.class, decision.fallback), (class, fallback), "call {}", call + 1);
    }
    let metrics = governor.metrics();
    assert_eq!((metrics.decisions, metrics.escalated, metrics.fallbacks), (8, 8, 6));
    assert_eq!((metrics.expensive_failed, metrics.expensive_panicked), (1, 1));
    assert_eq!((metrics.expensive_late, metrics.expensive_unusable), (1, 3));
}

#[test]
fn an_acceptance_test_that_panics_accepts_nothing_and_is_counted() {
    // It panics at the swarm's answer, at both, or at the expensive model's, and then never again.
    let mut calls = 0;
    let test = move |_: &[f32], _: &[f64]| {
        calls += 1;
        assert!(![1, 3, 4, 6].contains(&calls), "on purpose");
        true
    };
    let config = GovernorConfig { threshold: 0.9, ..GovernorConfig::default() };
    let governor = Governor::new(scalar(), second, ManualClock::new(), config).unwrap();
    let mut governor = governor.with_acceptance_test(test);
    let mut decide = |input| {
        let decision = governor.decide(&[input], Duration::ZERO).unwrap();
        (decision.class, decision.escalation, decision.fallback, decision.is_accepted)
    };
    let rejected = Some(Escalation::Rejected);
    assert_eq!(decide(1.0), (1, rejected, None, true));
    assert_eq!(decide(1.0), (0, rejected, Some(Fallback::Rejected), false));
    assert_eq!(decide(0.5), (0, Some(Escalation::Doubt), Some(Fallback::Rejected), true));
    assert_eq!(decide(1.0), (0, None, None, true));
    let metrics = governor.metrics();
    assert_eq!((metrics.acceptance_panicked, metrics.rejected), (4, 2));
    assert_eq!((metrics.expensive_rejected, metrics.fallbacks), (2, 2));
}

#[test]
fn latencies_are_those_of_the_clock() {
    let clock = ManualClock::new();
    let time = clock.clone();
    let model = move |input: &[f32], _: Option<TimePoint>, shares: &mut [f64]| {
        time.advance(Duration::from_nanos(u64::from(input[0] == 0.5) * 100));
        second(input, None, shares)
    };
    let mut governor = Governor::new(scalar(), model, clock, GovernorConfig::default()).unwrap();
    for k in 0..100 {
        let input = if k % 10 == 0 { 0.5 } else { 1.0 };
        governor.decide(&[input], Duration::ZERO).unwrap();
    }
    let metrics = governor.metrics();
    assert_eq!((metrics.p50_ns, metrics.mean_ns, metrics.p95_ns), (0, 10, 100));
    assert_eq!((metrics.max_ns, metrics.escalation_rate()), (100, 0.1));
}

#[test]
fn a_decision_of_more_than_an_hour_counts_as_one() {
    let clock = ManualClock::new();
    let time = clock.clone();
    let model = move |input: &[f32], _: Option<TimePoint>, shares: &mut [f64]| {
        time.advance(Duration::from_secs(2 * 3_600));
        second(input, None, shares)
    };
    let mut governor = Governor::new(scalar(), model, clock, GovernorConfig::default()).unwrap();
    let latency = governor.decide(&[0.5], Duration::ZERO).unwrap().latency;
    assert_eq!(latency, Duration::from_secs(2 * 3_600));
    assert_eq!(governor.metrics().mean_ns, 3_600_000_000_000);
}

#[test]
fn guidance_makes_the_swarm_need_less_help() {
    // One net knows, and two are sure of the first class and of the second, whatever comes.
    let nets = || {
        vec![
            Net::new(|x| if x > 0.0 { vec![0.9, 0.1] } else { vec![0.1, 0.9] }),
            Net::new(|_| vec![0.9, 0.1]),
            Net::new(|_| vec![0.1, 0.9]),
        ]
    };
    let expert = |input: &[f32], _: Option<TimePoint>, shares: &mut [f64]| {
        shares[usize::from(input[0] <= 0.0)] = 1.0;
        Ok::<(), &str>(())
    };
    let run = |learning_rate| {
        let config = GovernorConfig { learning_rate, ..GovernorConfig::default() };
        let mut governor = Governor::new(nets(), expert, ManualClock::new(), config).unwrap();
        let mut rng = Rng(5);
        for _ in 0..400 {
            let x = if rng.below(2) == 0 { 1.0 } else { -1.0 };
            let decision = governor.decide(&[x], Duration::ZERO).unwrap();
            assert_eq!(decision.class, usize::from(x < 0.0));
        }
        (governor.metrics().escalation_rate(), governor.weights().to_vec())
    };
    let (alone, equal) = run(0.0);
    let (guided, learnt) = run(0.5);
    assert_eq!((alone, equal), (1.0, vec![1.0 / 3.0; 3]));
    assert!(guided < 0.05, "{guided} escalated in spite of guidance");
    assert!(learnt[0] > 0.6 && (learnt.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{learnt:?}");
}

#[test]
fn a_net_that_has_become_good_is_heard_again() {
    // The first net is right for negative inputs only, the second for the others.
    let nets = vec![Net::new(|_| vec![0.05, 0.95]), Net::new(|_| vec![0.95, 0.05])];
    let expert = |input: &[f32], _: Option<TimePoint>, shares: &mut [f64]| {
        shares[usize::from(input[0] < 0.0)] = 1.0;
        Ok::<(), &str>(())
    };
    // Always escalated.
    let config = GovernorConfig { threshold: 0.0, ..GovernorConfig::default() };
    let mut governor = Governor::new(nets, expert, ManualClock::new(), config).unwrap();
    for (x, heard) in [(-1.0, 0), (1.0, 1)] {
        for _ in 0..500 {
            governor.decide(&[x], Duration::ZERO).unwrap();
        }
        assert!(governor.weights()[heard] > 0.9, "{:?} after {x}", governor.weights());
        for _ in 0..15 {
            governor.decide(&[-x], Duration::ZERO).unwrap();
        }
        assert!(governor.weights()[heard] < 0.5, "{:?} after {}", governor.weights(), -x);
    }
}

#[test]
fn late_answers_guide_and_rejected_ones_do_not() {
    let config = GovernorConfig { deadline: Some(Duration::ZERO), ..GovernorConfig::default() };
    let weights = |accepted: bool| {
        let clock = ManualClock::new();
        let time = clock.clone();
        let model = move |input: &[f32], _: Option<TimePoint>, shares: &mut [f64]| {
            time.advance(Duration::from_nanos(1));
            second(input, None, shares)
        };
        let mut governor = Governor::new(fixed(&[&[1.0, 0.0], &[0.0, 1.0]]), model, clock, config)
            .unwrap()
            .with_acceptance_test(move |_, shares| accepted || shares[1] < 1.0);
        let decision = governor.decide(&[0.0], Duration::ZERO).unwrap();
        let late = Fallback::Late(Duration::from_nanos(1));
        assert_eq!(decision.fallback, Some(if accepted { late } else { Fallback::Rejected }));
        governor.weights().to_vec()
    };
    assert_eq!(weights(false), [0.5, 0.5]);
    // Hedge by losses of 1 and 0, then a hundredth is dealt evenly.
    let wrong = (-0.5f64).exp();
    let expected = 0.99 * wrong / (wrong + 1.0) + 0.005;
    assert!((weights(true)[0] - expected).abs() < 1e-12, "{:?}", weights(true));
}

#[test]
fn nets_that_fail_are_left_out() {
    let config = GovernorConfig { threshold: 1.0, ..GovernorConfig::default() };
    let check = |nets: Vec<Net>, expected: [f64; 2], escalation| {
        let mut governor = governor(nets, config);
        let Decision { shares, escalation: actual, .. } =
            governor.decide(&[0.0], Duration::ZERO).unwrap();
        assert_eq!(shares, expected);
        assert_eq!(actual, escalation);
        governor.metrics().left_out
    };
    let good = || Net::new(|_| vec![0.75, 0.25]);
    let not_a_number = || Net::new(|_| vec![f32::NAN, 1.0]);
    let too_long = || Net::new(|_| vec![0.5, 0.5, 0.5]);
    let left_out = check(vec![good(), not_a_number(), too_long()], [0.75, 0.25], None);
    assert_eq!(left_out, 2);
    check(vec![not_a_number(), too_long()], [0.0, 1.0], Some(Escalation::NoAnswer));
    for rule in [Rule::Margin, Rule::Confidence, Rule::JensenShannon] {
        let mut governor = governor(vec![not_a_number(), too_long()], self::rule(rule));
        let doubt = governor.decide(&[0.0], Duration::ZERO).unwrap().doubt;
        assert_eq!(doubt, 1.0, "{rule:?}");
    }

    // What is left agrees, and a net that does not answer is as wrong as can be.
    let config = GovernorConfig { threshold: 0.0, ..rule(Rule::JensenShannon) };
    let mut governor = governor(vec![good(), not_a_number(), good()], config);
    assert_near(governor.decide(&[0.0], Duration::ZERO).unwrap().doubt, 0.0);
    governor.note_residual(f64::NAN);
    assert!(governor.decide(&[0.0], Duration::ZERO).unwrap().is_expensive());
    let weights = governor.weights();
    assert!(weights[0] == weights[2] && weights[1] < 0.9 * weights[0], "{weights:?}");
}

#[test]
fn bad_shapes_and_settings_are_refused() {
    let refused = |nets: Vec<Fixed>, config: GovernorConfig| {
        Governor::new(nets, second as Model, ManualClock::new(), config).unwrap_err()
    };
    let default = GovernorConfig::default();
    assert_eq!(refused(vec![], default), GovernorError::Nets(0));
    assert_eq!(refused(fixed(&[&[0.5; 2][..]; 4097]), default), GovernorError::Nets(4097));
    assert_eq!(refused(fixed(&[&[0.5]]), default), GovernorError::Classes(1));
    assert_eq!(
        refused(fixed(&[&[0.5; 2], &[0.5; 3]]), default).to_string(),
        "net 1 has 1 inputs and 3 outputs; the first has 1 and 2"
    );
    for (config, message) in [
        (GovernorConfig { threshold: 1.5, ..default }, "threshold is 1.5; it must be from 0 to 1"),
        (GovernorConfig { threshold: f64::NAN, ..default }, "threshold is NaN"),
        (
            GovernorConfig { hysteresis: 0.75, ..default },
            "hysteresis is 0.75; it must be from 0 to 0.5",
        ),
        (GovernorConfig { learning_rate: -1.0, ..default }, "learning_rate is -1"),
        (GovernorConfig { even_share: 2.0, ..default }, "even_share is 2"),
        (GovernorConfig { spike_deviations: 0.0, ..default }, "spike_deviations is 0"),
        (GovernorConfig { residual_memory: 1, ..default }, "residual_memory is 1"),
    ] {
        let error = refused(fixed(&[&[0.5; 2]]), config).to_string();
        assert!(error.starts_with(&format!("GovernorConfig::{message}")), "{error}");
    }
    let mut governor = governor(scalar(), default);
    let error = governor.decide(&[0.5, 0.5], Duration::ZERO).unwrap_err();
    assert_eq!(error, GovernorError::Input { len: 2, expected: 1 });
    assert_eq!(governor.metrics().decisions, 0);
}
