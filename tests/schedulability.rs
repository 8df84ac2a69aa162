//! Hazard: the schedulability example, run as its users run it, on sets with known verdicts, on sets
//! that take for ever, and on files that are broken in every way one meets.
#![cfg(all(feature = "std", not(loom), not(miri)))]

#[path = "common/example.rs"]
mod example;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::{json, Value};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/oracles/rt_task_sets.json");

/// The example's binary.
fn example() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| example::build("schedulability"))
}

fn run(arguments: &[&str]) -> Output {
    Command::new(example()).args(arguments).output().expect("the example starts")
}

/// The lines that the example prints, which is to succeed.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let text = String::from_utf8(output.stdout).expect("output is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// A file that holds `text`.
fn file(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("schedulability-{name}.json"));
    std::fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

fn set(name: &str, tasks: &Value) -> String {
    file(name, &json!({ "sets": [{ "name": name, "tasks_C_T_D": tasks }] }).to_string())
}

#[test]
fn verdicts_and_schedules_are_those_of_the_table() {
    let table: Value =
        serde_json::from_str(include_str!("data/oracles/rt_task_sets.json")).unwrap();
    let sets = table["sets"].as_array().unwrap();
    let lines = lines(&["--simulate", TABLE]);
    assert_eq!(lines.len(), sets.len());
    for (line, set) in lines.iter().zip(sets) {
        let nonpreemptive = &set["rta_nonpreemptive_integer_time"];
        let all_meet = nonpreemptive["meets"].as_array().unwrap().iter().all(|meets| meets == true);
        for (key, expected) in [
            ("name", &set["name"]),
            ("edf_nonpreemptive_ok", &set["edf_nonpreemptive_integer_ok"]),
            ("fp_nonpreemptive_response", &nonpreemptive["response"]),
            ("fp_nonpreemptive_ok", &json!(all_meet)),
            ("edf_preemptive_ok", &set["edf_preemptive_demand_ok"]),
            ("fp_preemptive_response", &set["rta_preemptive"]["response"]),
        ] {
            assert_eq!(&line[key], expected, "{key} of {}", set["name"]);
        }
        assert_eq!(line.get("unknown"), None);
        for (key, schedule) in set["simulated_synchronous"].as_object().unwrap() {
            // The table plays two hyperperiods, of which the second is like the first.
            let seen = &line["simulated_synchronous"][key];
            assert_eq!(seen["worst_response"], schedule["worst_response"], "{key}");
            let misses = &schedule["first_misses_task_release_finish"];
            assert_eq!(seen["misses"] == 0, misses.as_array().unwrap().is_empty(), "{key}");
            let first = &seen["first_misses_task_release_finish"];
            assert!(misses.as_array().unwrap().starts_with(first.as_array().unwrap()), "{key}");
        }
    }
}

#[test]
fn sets_come_from_standard_input_as_from_a_file() {
    let mut command = Command::new(example());
    let output = command.arg("-").stdin(File::open(TABLE).unwrap()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, run(&[TABLE]).stdout);
}

#[test]
fn without_a_file_it_checks_those_that_ship_with_it() {
    let lines = lines(&[]);
    let verdict = |line: &Value| line["fp_nonpreemptive_ok"].as_bool();
    let verdicts: Vec<_> = lines.iter().map(verdict).collect();
    assert_eq!(verdicts, [Some(true), Some(false), Some(true), Some(false)]);
    assert_eq!(lines[0].get("simulated_synchronous"), None);
}

#[test]
fn an_unbounded_response_is_null_and_no_unknown() {
    let overloaded = json!([[1, 2, 2], [2, 3, 9]]);
    let line = &lines(&[&set("overloaded", &overloaded)])[0];
    assert_eq!(line["fp_nonpreemptive_response"], json!([2, null]));
    assert_eq!(line["fp_preemptive_response"], json!([1, null]));
    assert_eq!(line["fp_nonpreemptive_ok"], false);
    assert_eq!(line["edf_nonpreemptive_ok"], false);
    assert_eq!(line.get("unknown"), None);
}

#[test]
fn hyperperiods_without_end_are_capped_and_that_is_said() {
    // Three primes: a hyperperiod of 10^27, and ΣC/T within 10^-8 of 1.
    let primes = [1_000_000_007_u64, 1_000_000_009, 1_000_000_021];
    let tasks: Vec<_> = primes.map(|p| json!([p / 3, p, p])).to_vec();
    let file = set("primes", &json!(tasks));
    let line = &lines(&["--simulate", "--work", "100000", &file])[0];
    assert_eq!(line["hyperperiod"], Value::Null);
    assert_eq!(line["simulated_synchronous"]["edf_preemptive"], Value::Null);
    assert_eq!(line["edf_preemptive_ok"], true);
    let unknown = line["unknown"].as_array().expect("something is not known");
    assert!(unknown.contains(&json!("simulated_synchronous")), "{unknown:?}");
    // A hyperperiod that fits, but has too many jobs.
    let file = set("long", &json!([[1, 3, 3], [1, 1_000_000_007_u64, 1_000_000_007_u64]]));
    let line = &lines(&["--simulate", "--work", "100000", &file])[0];
    assert_eq!(line["hyperperiod"], 3_000_000_021_u64);
    assert_eq!(line["unknown"], json!(["simulated_synchronous"]));
    assert_eq!(line["fp_nonpreemptive_ok"], true);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place_and_bound() {
    let bound = "must be a whole number from 1 to 18446744073709551614";
    for (name, task, message) in [
        ("zero-c", json!([0, 5, 5]), format!("C is 0; it {bound}")),
        ("zero-t", json!([1, 0, 5]), format!("T is 0; it {bound}")),
        ("negative-c", json!([-1, 5, 5]), format!("C is -1; it {bound}")),
        ("negative-d", json!([1, 5, -5]), "D is -5; it must be".to_owned()),
        ("fraction", json!([1.5, 5, 5]), format!("C is 1.5; it {bound}")),
        ("string", json!(["1", 5, 5]), format!("C is \"1\"; it {bound}")),
        ("too-large", json!([1, u64::MAX, 5]), format!("T is {}; it {bound}", u64::MAX)),
        ("two", json!([1, 5]), "expected three numbers [C, T, D], not [1,5]".to_owned()),
        ("number", json!(7), "expected three numbers [C, T, D], not 7".to_owned()),
    ] {
        let path = set(name, &json!([[1, 4, 4], task]));
        assert_refused(&path, &format!("{path}: set 1 ({name:?}), task 2: {message}"));
    }
    for (name, text, message) in [
        ("empty", "", "not JSON"),
        ("cut", "{\"sets\": [{", "not JSON"),
        ("list", "[]", "there is no \"sets\""),
        ("no-list", "{\"sets\": 5}", "\"sets\" is not a list"),
        ("no-name", "{\"sets\": [{\"tasks_C_T_D\": []}]}", "set 1: there is no \"name\""),
        ("no-tasks", "{\"sets\": [{\"name\": \"a\"}]}", "set 1 (\"a\"): no \"tasks_C_T_D\""),
    ] {
        assert_refused(&file(name, text), message);
    }
    assert_refused("no/such/file.json", "no/such/file.json: ");
    assert_refused("--no-such-option", "--no-such-option");
}

/// Nothing is printed but the message, and the exit status is 2.
fn assert_refused(argument: &str, message: &str) {
    let output = run(&[argument]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(message), "{message:?} is not in {stderr:?}");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}
