//! What the type system guarantees: programs that must not compile, and the one word that makes
//! each of them compile.
//!
//! The compiler is called directly, and its error code is checked, not its prose: that holds from
//! version to version.
#![cfg(not(miri))]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nanosecond_scheduler::{SendTask, TaskId};

const fn assert_send<T: Send>() {}
const fn assert_send_and_sync<T: Send + Sync>() {}

const _: () = {
    assert_send::<SendTask>();
    assert_send_and_sync::<TaskId>();
    #[cfg(feature = "std")]
    {
        assert_send_and_sync::<nanosecond_scheduler::Remote>();
        assert_send_and_sync::<nanosecond_scheduler::RemoteId>();
        assert_send::<nanosecond_scheduler::RemoteError>();
        assert_send::<nanosecond_scheduler::TaskPanic>();
    }
};

/// Where Cargo puts what it has built for this test.
fn dependencies() -> PathBuf {
    let test = env::current_exe().expect("the test knows where it is");
    test.parent().expect("it is in a directory").to_owned()
}

fn rustc() -> Command {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2021", "--crate-type", "lib", "--emit", "metadata"]);
    rustc.args(["--cap-lints", "allow", "--error-format", "json"]);
    rustc.arg("-L").arg(format!("dependency={}", dependencies().display()));
    rustc
}

/// The only dependency of the library without features, as Cargo has built it for this test.
fn libm() -> PathBuf {
    let files = std::fs::read_dir(dependencies()).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let is_libm = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("liblibm-") && name.ends_with(".rlib")
    };
    let newest = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).unwrap();
    paths.filter(is_libm).max_by_key(newest).expect("libm lies beside the test")
}

/// Where the library's metadata is: without features.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libnanosecond_scheduler.rmeta");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
        let build = rustc()
            .args(["--crate-name", "nanosecond_scheduler", source, "-o"])
            .arg(&out)
            .arg("--extern")
            .arg(format!("libm={}", libm().display()))
            .output()
            .expect("rustc can be run");
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        out
    })
}

/// The codes of the errors with which a program that uses the library does not compile.
fn errors(name: &str, program: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join(format!("{name}.rs"));
    let prelude = "use core::time::Duration; use std::rc::Rc; use std::sync::Arc;\n\
                   use nanosecond_scheduler::*;\n";
    std::fs::write(&source, format!("{prelude}{program}")).expect("the target directory is ours");
    let check = rustc()
        .arg("--extern")
        .arg(format!("nanosecond_scheduler={}", library().display()))
        .args(["--crate-name", name])
        .arg(&source)
        .arg("-o")
        .arg(directory.join(format!("lib{name}.rmeta")))
        .output()
        .expect("rustc can be run");
    let messages = String::from_utf8_lossy(&check.stderr);
    let code = |part: &str| part.split('"').next().map(str::to_owned);
    let mut codes: Vec<String> =
        messages.split("\"code\":{\"code\":\"").skip(1).filter_map(code).collect();
    codes.dedup();
    assert_eq!(check.status.success(), codes.is_empty(), "{messages}");
    codes
}

/// `program` compiles with `good` in place of `HOLE`; with `bad` it fails with `code` only.
fn check(name: &str, program: &str, good: &str, bad: &str, code: &str) {
    let with_good = errors(&format!("{name}_good"), &program.replace("HOLE", good));
    assert_eq!(with_good, [""; 0], "{name} with {good}");
    let with_bad = errors(&format!("{name}_bad"), &program.replace("HOLE", bad));
    assert_eq!(with_bad, [code], "{name} with {bad}");
}

#[test]
fn scheduler_task_and_handle_stay_on_their_thread() {
    let program = "fn needs_send<T: Send>() {} pub fn program() { needs_send::<HOLE>() }";
    check("scheduler", program, "SendTask", "Scheduler<ManualClock>", "E0277");
    check("task", program, "SendTask", "Task", "E0277");
    check("handle", program, "TaskId", "JoinHandle<u8>", "E0277");
    check("context", program, "TimePoint", "Context<'static>", "E0277");
    check("clock", program, "TimePoint", "ManualClock", "E0277");
}

#[test]
fn a_send_task_takes_only_what_may_go_to_another_thread() {
    for start in ["new(move ||", "with_context(move |_|", "periodic(move |_|", "sporadic(move |_|"]
    {
        let constructor = start.split('(').next().unwrap_or_default();
        let program = format!(
            "pub fn program(n: HOLE<u8>) -> SendTask {{
                SendTask::{start} assert_eq!(*n, 1), Duration::ZERO)
            }}"
        );
        check(&format!("send_{constructor}"), &program, "Arc", "Rc", "E0277");
    }
}

#[test]
fn a_task_does_not_become_a_send_task() {
    let program = "pub fn program(task: HOLE) -> SendTask { task.into() }";
    check("task_into_send", program, "SendTask", "Task", "E0277");
}

#[test]
fn a_task_owns_what_it_captures() {
    let program = "pub fn program() -> Task {
        let n = 1u8;
        let captured = HOLE;
        Task::new(move || drop(captured), Duration::ZERO)
    }";
    check("captures", program, "n", "&n", "E0597");
}

#[test]
fn a_context_does_not_outlive_its_job() {
    let program = "pub fn program() -> Task {
        let mut kept = None;
        Task::periodic(move |cx| kept = Some(HOLE), Duration::from_secs(1))
    }";
    check("escape", program, "cx.id()", "cx", "E0521");
}
