//! Holds the architecture's invariants that can be read off the source (see ARCHITECTURE.md).

use std::fs;
use std::path::{Path, PathBuf};

/// All source files with their text, comments left out.
fn sources() -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                into.push((path, code.map(|line| format!("{line}\n")).collect()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    for (path, _) in &mut files {
        *path = path.strip_prefix(&root).unwrap().to_path_buf();
    }
    assert!(files.len() > 20, "the sources were not found");
    files
}

/// The files, relative to `src`, whose code contains `needle`.
fn files_with(needle: &str) -> Vec<String> {
    let mut files: Vec<String> = sources()
        .into_iter()
        .filter(|(_, code)| code.contains(needle))
        .map(|(path, _)| path.to_string_lossy().replace('\\', "/"))
        .collect();
    files.sort();
    files
}

#[test]
fn the_queue_never_sees_a_clock() {
    for (path, code) in sources().iter().filter(|(path, _)| path.starts_with("queue")) {
        assert!(!code.contains("clock") && !code.contains("Clock"), "{}", path.display());
    }
}

#[test]
fn only_the_tick_pops_and_executes() {
    assert_eq!(files_with("queue.pop_due("), ["queue/tests.rs", "tick.rs"]);
    assert_eq!(files_with("run_job("), ["execute.rs", "tick.rs"]);
}

#[test]
fn the_counter_is_read_in_one_file() {
    assert_eq!(files_with("_rdtsc"), ["clock/tsc.rs"]);
}

#[test]
fn unsafe_code_lives_in_few_files() {
    assert_eq!(files_with("unsafe "), ["clock/tsc.rs", "closure.rs", "paged.rs", "send_task.rs"]);
}

#[test]
fn windows_and_strange_loop_cannot_reach_the_queue() {
    for (path, code) in sources() {
        let name = path.to_string_lossy();
        if ["window", "strange_loop"].iter().any(|folder| path.starts_with(folder))
            || name == "reflection.rs"
        {
            let reaches =
                ["queue", "Queue", "store", "Store"].iter().any(|word| code.contains(word));
            assert!(!reaches, "{name}");
        }
    }
}
