//! Reading task sets. What cannot be used is refused with its place: set, task, value and bound.

use std::path::Path;
use std::{fs, io};

use nanosecond_scheduler::analysis::TaskModel;
use serde_json::Value;

pub(crate) struct TaskSet {
    pub(crate) name: String,
    pub(crate) tasks: Vec<TaskModel>,
}

/// Reads all sets of a file; that of the name `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<TaskSet>, String> {
    let text = match path.to_str() {
        Some("-") => io::read_to_string(io::stdin()),
        _ => fs::read_to_string(path),
    };
    let text = text.map_err(|error| error.to_string())?;
    let file: Value = serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))?;
    let sets = file.get("sets").ok_or("there is no \"sets\"")?;
    let sets = sets.as_array().ok_or("\"sets\" is not a list")?;
    sets.iter().enumerate().map(|(index, set)| task_set(index, set)).collect()
}

fn task_set(index: usize, set: &Value) -> Result<TaskSet, String> {
    let place = format!("set {}", index + 1);
    let name = set.get("name").ok_or_else(|| format!("{place}: there is no \"name\""))?;
    let name = name.as_str().ok_or_else(|| format!("{place}: the name is not a string: {name}"))?;
    let place = format!("{place} ({name:?})");
    let tasks = set.get("tasks_C_T_D").ok_or_else(|| format!("{place}: no \"tasks_C_T_D\""))?;
    let tasks =
        tasks.as_array().ok_or_else(|| format!("{place}: \"tasks_C_T_D\" is not a list"))?;
    let task = |(index, value)| {
        task(value).map_err(|error| format!("{place}, task {}: {error}", index + 1))
    };
    let tasks = tasks.iter().enumerate().map(task).collect::<Result<_, _>>()?;
    Ok(TaskSet { name: name.to_owned(), tasks })
}

fn task(value: &Value) -> Result<TaskModel, String> {
    let Some([wcet, period, deadline]) = value.as_array().map(Vec::as_slice) else {
        return Err(format!("expected three numbers [C, T, D], not {value}"));
    };
    let (wcet, period, deadline) =
        (number("C", wcet, 1)?, number("T", period, 1)?, number("D", deadline, 0)?);
    TaskModel::new(wcet, period, deadline).map_err(|error| error.to_string())
}

/// A whole number of at least `least`. The greatest of 64 bits stands for ever, so it is left out.
fn number(name: &str, value: &Value, least: u64) -> Result<u64, String> {
    let most = u64::MAX - 1;
    match value.as_u64() {
        Some(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("{name} is {value}; it must be a whole number from {least} to {most}")),
    }
}
