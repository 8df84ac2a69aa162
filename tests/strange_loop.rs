//! Hazard: a loop that claims to converge and does not, or claims bounds that do not hold.

mod common;

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;

use common::{manual, ns, scatter};
use nanosecond_scheduler::strange_loop::{
    bounds, Affine, Bound, Estimates, FixedPoint, FixedPointError, Function, Method, Observation,
    Observer, Operator, Status,
};
use nanosecond_scheduler::{Config, Task};
use serde_json::Value;

fn oracle(name: &str) -> Value {
    let path = format!("{}/tests/data/oracles/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().flat_map(numbers).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// The operator of a problem of `fixed_point.json`; `None` where the file does not define it.
fn operator_of(problem: &Value) -> Option<Box<dyn Operator>> {
    let k = problem["lipschitz"].as_f64();
    let bound = k.map(Bound::Declared);
    let scalar = |f: fn(f64) -> f64| -> Option<Box<dyn Operator>> {
        Some(Box::new(Function::new(1, bound, move |x: &[f64], out: &mut [f64]| out[0] = f(x[0]))))
    };
    match problem["name"].as_str().unwrap() {
        "cos (Dottie) on [-1,1]" => scalar(f64::cos),
        "jaxopt doc T=0.5x+0.5" => scalar(|x| 0.5 * x + 0.5),
        "readme k=0.99 target 0.5 from 0" => scalar(|x| 0.99 * x + 0.01 * 0.5),
        "sqrt2 Burden: g=(x+2/x)/2 (quadratic)" => scalar(|x| (x + 2.0 / x) / 2.0),
        "BurdenFaires g4=sqrt(10/(4+x))" => scalar(|x| (10.0 / (4.0 + x)).sqrt()),
        "scipy doc sqrt(c1/(x+c2))" => {
            let root = |x: &[f64], out: &mut [f64]| {
                for (i, (c1, c2)) in [(10.0, 3.0), (12.0, 5.0)].into_iter().enumerate() {
                    out[i] = f64::sqrt(c1 / (x[i] + c2));
                }
            };
            Some(Box::new(Function::new(2, bound, root)))
        }
        name if problem["A"].is_array() => {
            assert!(name.starts_with("affine"), "{name}");
            Some(Box::new(Affine::new(matrix(&problem["A"]), numbers(&problem["b"]))))
        }
        _ if problem["W"].is_array() && problem["b"].is_array() => {
            let (w, b) = (matrix(&problem["W"]), numbers(&problem["b"]));
            let tanh = move |x: &[f64], out: &mut [f64]| {
                for (i, row) in w.chunks(b.len()).enumerate() {
                    out[i] = (b[i] + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).tanh();
                }
            };
            Some(Box::new(Function::new(numbers(&problem["x0"]).len(), bound, tanh)))
        }
        _ => None,
    }
}

/// Problems whose operator and start are known, with the operator made anew at each call.
fn problems() -> Vec<Value> {
    let oracle = oracle("fixed_point.json");
    let all = oracle["problems"].as_array().unwrap();
    let known: Vec<Value> =
        all.iter().filter(|problem| operator_of(problem).is_some()).cloned().collect();
    assert!(known.len() >= 9, "{} problems", known.len());
    known
}

fn solver(problem: &Value, method: Method) -> FixedPoint<Box<dyn Operator>> {
    let start = numbers(&problem["x0"]);
    let solver = FixedPoint::new(operator_of(problem).unwrap(), &start).unwrap();
    let tolerance = problem["tol"].as_f64().unwrap();
    solver.with_method(method).unwrap().with_tolerance(tolerance).unwrap()
}

#[test]
fn picard_takes_as_many_evaluations_as_the_oracle_and_ends_where_it_does() {
    for problem in problems() {
        let name = &problem["name"];
        let mut solver = solver(&problem, Method::Picard);
        assert_eq!(solver.solve(), Status::Converged, "{name}");
        assert_eq!(solver.evaluations(), problem["picard_T_evals"].as_u64().unwrap(), "{name}");
        let error = distance(solver.state(), &numbers(&problem["x_star"]));
        let expected = problem["final_err"].as_f64().unwrap();
        assert!(error <= expected * 1.01 + 1e-14, "{name}: {error} for {expected}");
    }
}

#[test]
fn both_bounds_hold_at_every_iterate() {
    for problem in problems() {
        let Some(_) = problem["lipschitz"].as_f64() else { continue };
        let fixed_point = numbers(&problem["x_star"]);
        let slack = 8.0 * f64::EPSILON * distance(&fixed_point, &vec![0.0; fixed_point.len()]);
        let mut solver = solver(&problem, Method::Picard);
        assert_eq!(solver.error_bound(), None);
        while solver.advance(1) == Status::Running {
            let error = distance(solver.state(), &fixed_point);
            let n = solver.evaluations() as u32;
            // x* is given to 16 digits only, which is more than the slack for large ones.
            let slack = slack + 1e-13;
            assert!(error <= solver.error_bound().unwrap() + slack, "{} {n}", problem["name"]);
            assert!(error <= solver.a_priori_bound(n).unwrap() + slack, "{} {n}", problem["name"]);
        }
    }
}

#[test]
fn anderson_is_as_quick_as_the_oracle() {
    for problem in problems() {
        for (depth, expected) in problem["anderson_T_evals"].as_object().unwrap() {
            let depth: usize = depth.parse().unwrap();
            let mut solver = solver(&problem, Method::Anderson(depth));
            assert_eq!(solver.solve(), Status::Converged, "{}", problem["name"]);
            let (taken, expected) = (solver.evaluations(), expected.as_u64().unwrap());
            assert!(taken <= expected, "{} depth {depth}: {taken}", problem["name"]);
        }
    }
}

/// Anderson from 0 on, with an operator that answers by script; and what it is asked.
fn anderson_by_script(answers: [f64; 4]) -> (FixedPoint<impl Operator>, Rc<RefCell<Vec<f64>>>) {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&asked);
    let script = Function::new(1, None, move |x: &[f64], out: &mut [f64]| {
        out[0] = answers[log.borrow().len()];
        log.borrow_mut().push(x[0]);
    });
    let solver = FixedPoint::new(script, &[0.0]).unwrap();
    (solver.with_method(Method::Anderson(1)).unwrap(), asked)
}

/// From 1 Anderson goes to 10, where the residual has grown.
#[test]
fn anderson_falls_back_to_picard_when_the_residual_grows() {
    let (mut solver, asked) = anderson_by_script([1.0, 1.9, 14.0, 14.5]);
    assert_eq!(solver.advance(4), Status::Running);
    let asked = asked.borrow();
    assert!((asked[2] - 10.0).abs() < 1e-9, "{asked:?}");
    assert_eq!((asked[0], asked[1], asked[3]), (0.0, 1.0, 14.0), "the image of 10 is next");
}

/// What it knew of the operator before may be wrong by then.
#[test]
fn anderson_starts_anew_when_it_is_resumed() {
    let (mut solver, asked) = anderson_by_script([1.0, 1.9, 5.0, 6.0]);
    solver.advance(2);
    solver.resume();
    solver.advance(2);
    assert_eq!(*asked.borrow(), [0.0, 1.0, 1.9, 5.0]);
}

/// Only the first of two numbers changes after the first step, so that differences are parallel.
#[test]
fn anderson_is_quick_also_where_differences_are_parallel() {
    let cosine = |x: &[f64], out: &mut [f64]| {
        (out[0], out[1]) = (x[0].cos(), 3.0);
    };
    let mut solver = FixedPoint::new(Function::new(2, None, cosine), &[0.0; 2]).unwrap();
    solver = solver.with_method(Method::Anderson(2)).unwrap();
    assert_eq!(solver.solve(), Status::Converged);
    assert!(solver.evaluations() <= 10, "{}", solver.evaluations());
    assert!((solver.state()[0] - 0.739_085_133_215_160_6).abs() < 1e-9);
}

#[test]
fn a_solver_stopped_after_every_evaluation_does_the_same_as_one_that_is_not() {
    let problem = &problems()[6];
    for method in [Method::Picard, Method::Damped(0.7), Method::Anderson(2)] {
        let (mut whole, mut pieces) = (solver(problem, method), solver(problem, method));
        whole.solve();
        while pieces.advance(1) == Status::Running {}
        assert_eq!(whole.state(), pieces.state());
        assert_eq!(whole.evaluations(), pieces.evaluations());
        assert_eq!(pieces.advance(100), Status::Converged);
        assert_eq!(whole.evaluations(), pieces.evaluations());
    }
}

#[test]
fn what_cannot_converge_is_said_to_and_ends() {
    let scalar = |k: f64, bound| {
        Function::new(1, bound, move |x: &[f64], out: &mut [f64]| out[0] = k * x[0] + 1.0)
    };
    for k in [1.0, 1.5, -0.1, f64::NAN] {
        let error = FixedPoint::new(scalar(k, Some(Bound::Declared(k))), &[0.0]).unwrap_err();
        assert!(matches!(error, FixedPointError::NotAContraction { .. }), "{error}");
        assert!(error.to_string().contains(&format!("{k}").replace("1.0", "1")), "{error}");
    }
    let mut grows = FixedPoint::new(scalar(2.0, None), &[0.0]).unwrap();
    assert_eq!(grows.solve(), Status::Diverged);
    assert_eq!(grows.evaluations(), 11, "it grew ten times in a row");
    let mut circles =
        FixedPoint::new(scalar(-1.0, None), &[0.0]).unwrap().with_max_evaluations(500);
    assert_eq!((circles.solve(), circles.evaluations()), (Status::MaxIterations, 500));
    let nan = Function::new(1, None, |_: &[f64], out: &mut [f64]| out[0] = f64::NAN);
    let mut nan = FixedPoint::new(nan, &[0.0]).unwrap();
    assert_eq!((nan.solve(), nan.evaluations()), (Status::Diverged, 1));
    let wrong = |start: &[f64]| FixedPoint::new(scalar(0.5, None), start).unwrap_err();
    assert_eq!(wrong(&[]), FixedPointError::Dimension { start: 0, operator: 1 });
    assert!(matches!(wrong(&[f64::NAN]), FixedPointError::Start { index: 0, .. }));
    let solver = || FixedPoint::new(scalar(0.5, None), &[0.0]).unwrap();
    assert!(solver().with_method(Method::Damped(0.0)).is_err());
    assert!(solver().with_tolerance(-1.0).is_err());
}

#[test]
fn gram_iteration_bounds_the_norm_from_above_as_the_oracle_says() {
    for case in oracle("lipschitz.json").as_array().unwrap() {
        let columns = case["W"][0].as_array().unwrap().len();
        let weights = matrix(&case["W"]);
        let norm = case["sigma_max"].as_f64().unwrap();
        for (steps, expected) in case["gram"].as_object().unwrap() {
            let bound = bounds::gram_norm(&weights, columns, steps.parse().unwrap());
            let expected = expected.as_f64().unwrap();
            assert!((bound / expected - 1.0).abs() < 1e-9, "{}: {bound} {expected}", case["name"]);
            assert!(bound >= norm, "{}: {bound} < {norm}", case["name"]);
        }
        let bound = bounds::spectral_norm(&weights, columns);
        assert!(bound >= norm, "{}: {bound} < {norm}", case["name"]);
        let frobenius = bounds::frobenius_norm(&weights);
        assert!((frobenius / case["fro"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        let mixed = bounds::mixed_norm(&weights, columns);
        assert!((mixed / case["sqrt_1_inf"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        let mut scaled = weights.clone();
        bounds::enforce_lipschitz(&mut scaled, columns, 0.5).unwrap();
        assert!(bounds::spectral_norm(&scaled, columns) <= 0.5 * (1.0 + 1e-9));
    }
}

#[test]
fn enforcement_makes_an_operator_a_contraction() {
    let expands = Affine::new(vec![2.0, -1.0, 0.5, 3.0], vec![1.0, -1.0]);
    assert!(FixedPoint::new(expands.clone(), &[0.0; 2]).is_err());
    let mut contracts = expands;
    contracts.enforce_lipschitz(0.9).unwrap();
    let mut solver = FixedPoint::new(contracts, &[0.0; 2]).unwrap();
    assert_eq!(solver.solve(), Status::Converged);
}

/// A scheduler with one task whose jobs take `work` of every `period` ns, under a clock that jobs
/// move; after so many periods.
fn observed(k: f64, periods: &[(u64, u64)]) -> Vec<Estimates> {
    let (mut scheduler, clock) = manual(Config { lipschitz_constant: k, ..Config::default() });
    let mut estimates = vec![scheduler.strange_loop()];
    for &(work, period) in periods {
        let end = scheduler.now() + ns(period);
        let moving = clock.clone();
        scheduler.schedule(Task::new(move || moving.advance(ns(work)), ns(0))).unwrap();
        scheduler.tick();
        clock.set(end);
        estimates.push(scheduler.strange_loop());
        assert!((0.0..=1.0).contains(&scheduler.strange_loop_state()));
        assert_eq!(scheduler.strange_loop_state(), estimates.last().unwrap().load);
    }
    estimates
}

#[test]
fn the_loop_starts_off_its_fixed_point_moves_and_converges_within_its_bound() {
    let estimates = observed(0.9, &[(250, 1_000); 200]);
    assert_eq!(estimates[0], Estimates::default());
    let off = |e: &Estimates| distance(&[e.tick_time_ns, e.interval_ns], &[250.0, 1_000.0]);
    // The first interval, from the scheduler's making, is 0.
    for (before, after) in estimates[1..].iter().zip(&estimates[2..]) {
        assert!(off(after) < off(before) || off(after) < 1e-9, "{after:?}");
        assert!(off(after) <= after.error_bound_ns * (1.0 + 1e-9) + 1e-9, "{after:?}");
        assert_eq!(after.observations, before.observations + 1);
    }
    assert!(!estimates[1].is_converged && !estimates[10].is_converged);
    let last = estimates.last().unwrap();
    assert!(last.is_converged && (last.load - 0.25).abs() < 1e-6, "{last:?}");
}

#[test]
fn the_loop_follows_a_changed_load_and_says_meanwhile_that_it_has_not_arrived() {
    let mut periods = vec![(250, 1_000); 150];
    periods.extend([(9_000, 10_000); 150]);
    let estimates = observed(0.9, &periods);
    assert!(estimates[150].is_converged && !estimates[153].is_converged);
    let last = estimates.last().unwrap();
    assert!(last.is_converged && (last.load - 0.9).abs() < 1e-3, "{last:?}");
    // A tenth more is within an eighth of the mean, and not within a sixteenth: it stays converged.
    let mut periods = vec![(250, 1_000); 150];
    periods.extend([(250, 1_250); 60]);
    let estimates = observed(0.9, &periods);
    let distance = |e: &Estimates| (e.interval_ns - 1_000.0) / 1_000.0;
    let moved = estimates[150..].iter().map(distance).fold(0.0, f64::max);
    assert!(moved > 0.2 && estimates[150..].iter().all(|e| e.is_converged), "{moved}");
    // The load is that of all time, not the mean of the ticks' shares.
    let uneven: Vec<_> = (0..400).map(|n| if n % 2 == 0 { (100, 100) } else { (0, 900) }).collect();
    let load = observed(0.99, &uneven).last().unwrap().load;
    assert!((load - 0.1).abs() < 0.02, "{load}");
}

#[test]
fn the_dispatch_latency_is_that_of_the_earliest_release() {
    let (mut scheduler, clock) = manual(Config { lipschitz_constant: 0.0, ..Config::default() });
    for delay in [70, 30, 50] {
        scheduler.schedule(Task::new(|| (), ns(delay))).unwrap();
    }
    clock.advance(ns(100));
    scheduler.tick();
    assert_eq!(scheduler.strange_loop().dispatch_latency_ns, 70.0);
    assert_eq!(scheduler.strange_loop().interval_ns, 100.0);
}

#[cfg(feature = "std")]
mod waiting {
    use std::cell::RefCell;
    use std::rc::Rc;

    use nanosecond_scheduler::{Clock, Config, ManualClock, Scheduler, Task, TimePoint, Waiter};

    use super::ns;

    /// A manual clock that is 700 ns late at each wait, and notes what waiters are told to make up for.
    #[derive(Clone, Default)]
    struct Late {
        clock: ManualClock,
        waiters: Rc<RefCell<Vec<String>>>,
    }

    impl Clock for Late {
        fn now(&self) -> TimePoint {
            self.clock.now()
        }

        fn wait_until(&self, until: TimePoint, waiter: &mut Waiter) {
            self.waiters.borrow_mut().push(format!("{waiter:?}"));
            self.clock.set(until + ns(700));
        }
    }

    #[test]
    fn the_wait_makes_up_for_the_latency_that_is_estimated() {
        for (strange_loop, expected) in [(true, "lateness_ns: 700,"), (false, "lateness_ns: 0,")] {
            let clock = Late::default();
            let config = Config { strange_loop, lipschitz_constant: 0.0, ..Config::default() };
            let mut scheduler = Scheduler::with_clock(config, clock.clone()).unwrap();
            for at in 1..=3 {
                scheduler.schedule(Task::new(|| (), ns(10_000 * at))).unwrap();
            }
            scheduler.run_until_idle();
            let waiters = clock.waiters.take();
            assert_eq!(waiters.len(), 3);
            assert!(waiters[0].contains("lateness_ns: 0,"), "nothing is known yet: {}", waiters[0]);
            assert!(waiters[1..].iter().all(|waiter| waiter.contains(expected)), "{waiters:?}");
        }
    }
}

#[test]
fn without_the_loop_there_are_no_estimates() {
    let (mut scheduler, clock) = manual(Config { strange_loop: false, ..Config::default() });
    scheduler.schedule(Task::new(|| (), ns(0))).unwrap();
    clock.advance(ns(100));
    assert_eq!(scheduler.tick().executed, 1);
    assert_eq!(
        (scheduler.strange_loop_state(), scheduler.strange_loop()),
        (0.0, Estimates::default())
    );
    assert!(scheduler.attached_operator().is_none());
}

#[test]
fn an_overload_is_told_once_the_estimate_has_converged() {
    let (mut scheduler, clock) = manual(Config::default());
    let mut run = |work: u64, ticks: usize| {
        let mut told = Vec::new();
        for _ in 0..ticks {
            let (end, moving) = (scheduler.now() + ns(1_000), clock.clone());
            scheduler.schedule(Task::new(move || moving.advance(ns(work)), ns(0))).unwrap();
            scheduler.tick();
            clock.set(end);
            told.push(scheduler.is_overloaded());
        }
        told
    };
    let told = run(950, 100);
    assert!(!told[0] && told[99], "{told:?}");
    assert!(told.is_sorted(), "it is told, and stays: {told:?}");
    assert!(!run(500, 100)[99]);
}

/// No two ticks are alike: the last one's move says little of the load.
#[test]
fn an_overload_is_told_also_if_ticks_vary() {
    let (mut scheduler, clock) = manual(Config::default());
    let mut told = Vec::new();
    for n in 0..2_000 {
        let interval = 700 + scatter(n, 600); // 30 % up or down.
        let (end, moving) = (scheduler.now() + ns(interval), clock.clone());
        let body = move || moving.advance(ns(interval * 97 / 100));
        scheduler.schedule(Task::new(body, ns(0))).unwrap();
        scheduler.tick();
        clock.set(end);
        told.push(scheduler.is_overloaded());
    }
    let overloaded = told[200..].iter().filter(|told| **told).count();
    assert!(overloaded >= 1_700, "{overloaded} of 1,800");
}

/// Follows the greatest tick time: x ↦ x/2 + most/2.
struct Worst {
    most: f64,
}

impl Operator for Worst {
    fn dim(&self) -> usize {
        1
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        out[0] = 0.5 * x[0] + 0.5 * self.most;
    }

    fn lipschitz(&self) -> Option<Bound> {
        Some(Bound::Declared(0.5))
    }
}

impl Observer for Worst {
    fn observe(&mut self, observation: &Observation) {
        self.most = self.most.max(observation.tick_time_ns as f64);
    }
}

/// x ↦ kx + 1, whose k is the last tick time in µs.
struct Unsteady {
    k: f64,
}

impl Operator for Unsteady {
    fn dim(&self) -> usize {
        1
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        out[0] = self.k * x[0] + 1.0;
    }

    fn lipschitz(&self) -> Option<Bound> {
        Some(Bound::Declared(self.k))
    }
}

impl Observer for Unsteady {
    fn observe(&mut self, observation: &Observation) {
        self.k = observation.tick_time_ns as f64 / 1_000.0;
    }
}

#[test]
fn an_operator_that_contracts_no_more_is_said_to_diverge_and_has_no_bounds() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.attach_operator(Unsteady { k: 0.1 }, &[0.0], 2).unwrap();
    for work in [500, 900, 1_000, 500] {
        let moving = clock.clone();
        scheduler.schedule(Task::new(move || moving.advance(ns(work)), ns(0))).unwrap();
        scheduler.tick();
        let solver = scheduler.attached_operator().unwrap();
        let bounds = (solver.error_bound(), solver.a_priori_bound(3));
        if work < 1_000 && solver.status() == Status::Running {
            let k = work as f64 / 1_000.0;
            assert_eq!(bounds.0, Some(k / (1.0 - k) * solver.residual()));
        } else {
            assert_eq!((solver.status(), bounds), (Status::Diverged, (None, None)));
            assert_eq!(solver.evaluations(), 4);
        }
    }
    // One that has converged is told the same when it is resumed.
    let mut solver = FixedPoint::new(Unsteady { k: 0.0 }, &[0.0]).unwrap();
    assert_eq!(solver.solve(), Status::Converged);
    for k in [1.5, f64::NAN] {
        solver.operator_mut().k = k;
        solver.resume();
        assert_eq!((solver.status(), solver.error_bound()), (Status::Diverged, None));
    }
}

#[test]
fn an_operator_of_the_users_own_is_applied_a_bounded_number_of_times_per_busy_tick() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.attach_operator(Worst { most: 0.0 }, &[1.0], 3).unwrap();
    for work in [40, 80, 20] {
        let moving = clock.clone();
        scheduler.schedule(Task::new(move || moving.advance(ns(work)), ns(0))).unwrap();
        assert_eq!(scheduler.tick().executed, 1);
        scheduler.tick(); // An idle one is not observed.
    }
    let solver = scheduler.attached_operator().unwrap();
    assert_eq!(solver.evaluations(), 9);
    let expected = 80.0 + ((40.0 - 39.0 / 8.0) - 80.0) / 64.0;
    assert!((solver.state()[0] - expected).abs() < 1e-9, "{:?}", solver.state());
    assert!(scheduler.attach_operator(Worst { most: 0.0 }, &[], 1).is_err());
}

#[test]
fn an_operator_that_has_converged_goes_on_when_ticks_change_it() {
    let (mut scheduler, clock) = manual(Config::default());
    scheduler.attach_operator(Worst { most: 0.0 }, &[1.0], 5).unwrap();
    for work in [40, 80] {
        for _ in 0..20 {
            let moving = clock.clone();
            scheduler.schedule(Task::new(move || moving.advance(ns(work)), ns(0))).unwrap();
            scheduler.tick();
        }
        let solver = scheduler.attached_operator().unwrap();
        assert_eq!(solver.status(), Status::Converged);
        assert!((solver.state()[0] - work as f64).abs() < 1e-9, "{:?}", solver.state());
    }
}
