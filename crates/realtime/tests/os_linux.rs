//! Hazards: "applied" that is not in force, and a refusal without its code or what would help.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use nanosecond_realtime::os::{self, Outcome, SchedClass};
use rustix::io::Errno;
use rustix::process::{geteuid, setrlimit, Resource, Rlimit};

const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_NICE: u32 = 23;
const NOBODY: u32 = 65_534;
/// Set in processes that run one test alone.
const ALONE: &str = "OS_TEST_ALONE";

const HALF: SchedClass = SchedClass::Deadline {
    runtime: Duration::from_millis(10),
    deadline: Duration::from_millis(15),
    period: Duration::from_millis(20),
};

/// Runs `test` on a thread of its own, which it may change at will.
fn on_a_thread<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(test).join().unwrap()
}

/// Runs the test of that name in a process of its own, as nobody if `unprivileged` and root.
/// False if this is that process.
fn alone_elsewhere(test: &str, unprivileged: bool) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return false;
    }
    // Not the path, whose folders nobody may be kept out of.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").current_dir("/");
    if unprivileged && geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("the test runs itself again");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "{stdout}{stderr}");
    true
}

/// The value of a line of /proc/self/status.
fn status(name: &str) -> String {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).trim().to_string()
}

fn has_capability(number: u32) -> bool {
    u64::from_str_radix(&status("CapEff"), 16).unwrap() >> number & 1 == 1
}

/// Whether the test's threads may run on every core.
fn on_all_cores() -> bool {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap();
    online.trim() == format!("0-{}", os::available_cores().len() - 1)
}

#[track_caller]
fn assert_denied(outcome: &Outcome, expected: Errno, words: &[&str]) {
    let Outcome::Denied { errno, hint } = outcome else { panic!("{outcome}") };
    assert_eq!(*errno, expected.raw_os_error(), "{hint}");
    for word in words {
        assert!(hint.contains(word), "no {word:?} in: {hint}");
    }
    assert_eq!(outcome.clone().require().unwrap_err().outcome(), outcome);
}

#[test]
fn a_pinned_thread_is_on_its_core() {
    let cores = os::available_cores();
    for &core in &cores {
        let cores = cores.clone();
        on_a_thread(move || {
            assert_eq!(os::pin_to_core(core), Outcome::Applied);
            assert_eq!(os::cores_in_force(), Some(vec![core]));
            assert_eq!(rustix::thread::sched_getcpu(), core);
            assert_eq!(on_a_thread(os::cores_in_force), Some(vec![core]), "not inherited");
            assert_eq!(os::available_cores(), cores, "a pin hides the other cores");
        });
    }
}

#[test]
fn a_core_that_does_not_exist_is_denied() {
    on_a_thread(|| {
        let before = os::cores_in_force();
        for core in [1_000, 1_023, 1_024, 4_096, usize::MAX] {
            let words = [format!("core {core} "), "available".into()];
            let words = words.each_ref().map(String::as_str);
            assert_denied(&os::pin_to_core(core), Errno::INVAL, &words);
        }
        assert_eq!(os::cores_in_force(), before);
    });
}

#[test]
fn an_applied_class_is_in_force() {
    if !has_capability(CAP_SYS_NICE) {
        eprintln!("NOT TESTED: classes that need CAP_SYS_NICE");
        return;
    }
    for class in [
        SchedClass::Fifo(1),
        SchedClass::Fifo(99),
        SchedClass::RoundRobin(1),
        SchedClass::RoundRobin(99),
    ] {
        on_a_thread(move || {
            assert_eq!(os::set_nice(3), Outcome::Applied);
            assert_eq!(os::set_class(class), Outcome::Applied);
            assert_eq!(os::class_in_force(), Some(class));
            assert_eq!(on_a_thread(os::class_in_force), Some(class), "not inherited");
            assert_eq!(os::set_class(SchedClass::Normal), Outcome::Applied);
            assert_eq!(os::class_in_force(), Some(SchedClass::Normal));
            assert_eq!(os::nice_in_force(), Some(3), "the nice value was lost");
        });
    }
}

/// Asks again while the bandwidth is taken: it is the whole machine's, and a thread that leaves
/// the class gives its share back up to a period later.
fn set_class_patiently(class: SchedClass) -> Outcome {
    let busy = Errno::BUSY.raw_os_error();
    let mut outcome = os::set_class(class);
    for _ in 0..500 {
        if !matches!(outcome, Outcome::Denied { errno, .. } if errno == busy) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        outcome = os::set_class(class);
    }
    outcome
}

/// One test, since its parts compete for the bandwidth.
#[test]
fn an_applied_deadline_is_in_force_and_beyond_the_bandwidth_it_is_denied() {
    if !has_capability(CAP_SYS_NICE) || !on_all_cores() {
        eprintln!("NOT TESTED: SCHED_DEADLINE, which needs CAP_SYS_NICE and all cores");
        return;
    }
    on_a_thread(|| {
        assert_eq!(set_class_patiently(HALF), Outcome::Applied);
        assert_eq!(os::class_in_force(), Some(HALF));
        assert_eq!(on_a_thread(os::class_in_force), Some(SchedClass::Normal));
        assert_denied(&os::pin_to_core(os::available_cores()[0]), Errno::BUSY, &["DEADLINE"]);
        assert_eq!(os::set_class(SchedClass::Normal), Outcome::Applied);
    });
    if os::throttling().is_none() {
        eprintln!("NOT TESTED: the bandwidth of SCHED_DEADLINE, which has no bound");
        return;
    }
    // Two halves per core would be all of its time, and some of it is for others.
    let asking = Barrier::new(2 * os::available_cores().len());
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let ask = || {
            let outcome = os::set_class(HALF);
            asking.wait();
            outcome
        };
        let threads: Vec<_> =
            (0..2 * os::available_cores().len()).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_applied()).collect();
    assert!(!refused.is_empty());
    for outcome in refused {
        assert_denied(outcome, Errno::BUSY, &["less runtime", "sched_rt_runtime_us"]);
    }
}

#[test]
fn a_deadline_on_a_pinned_thread_is_denied() {
    if os::available_cores().len() == 1 {
        eprintln!("NOT TESTED: a pinned thread, as there is but one core");
        return;
    }
    on_a_thread(|| {
        assert_eq!(os::pin_to_core(os::available_cores()[0]), Outcome::Applied);
        assert_denied(&os::set_class(HALF), Errno::PERM, &["pinned", "all cores"]);
        assert_eq!(os::class_in_force(), Some(SchedClass::Normal));
    });
}

#[test]
fn a_deadline_out_of_the_kernels_bounds_is_denied() {
    let us = Duration::from_micros;
    for (runtime, period) in [(1, 1_000), (60_000_000, 120_000_000)] {
        let (runtime, period) = (us(runtime), us(period));
        let class = SchedClass::Deadline { runtime, deadline: period, period };
        assert_denied(&os::set_class(class), Errno::INVAL, &["bounds", "period_min_us"]);
    }
}

#[test]
fn an_applied_nice_value_is_in_force() {
    on_a_thread(|| {
        let before = os::nice_in_force().unwrap();
        assert_eq!(os::set_nice(19), Outcome::Applied);
        assert_eq!(os::nice_in_force(), Some(19));
        if has_capability(CAP_SYS_NICE) {
            assert_eq!(os::set_nice(-20), Outcome::Applied);
            assert_eq!(os::nice_in_force(), Some(-20));
        }
        // Of the thread, not of the process: others are as they were.
        assert_eq!(
            rustix::process::getpriority_process(Some(rustix::process::getpid())),
            Ok(before)
        );
    });
}

#[test]
fn an_applied_timer_slack_is_in_force() {
    on_a_thread(|| {
        let default = os::timer_slack_in_force();
        for ns in [1, 12_345, 1_000_000] {
            assert_eq!(os::set_timer_slack(ns), Outcome::Applied);
            assert_eq!(os::timer_slack_in_force(), Some(ns));
        }
        assert_eq!(os::set_timer_slack(0), Outcome::Applied);
        assert_eq!(os::timer_slack_in_force(), default);
    });
}

#[test]
fn throttling_is_what_the_kernel_says() {
    let read = |name| -> i64 {
        let text = fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap();
        text.trim().parse().unwrap()
    };
    let (runtime, period) = (read("sched_rt_runtime_us"), read("sched_rt_period_us"));
    match os::throttling() {
        Some(throttling) => {
            assert_eq!(throttling.runtime.as_micros(), runtime as u128);
            assert_eq!(throttling.period.as_micros(), period as u128);
        }
        None => assert!(runtime == -1 || runtime >= period),
    }
}

#[test]
fn locked_memory_is_locked() {
    if !has_capability(CAP_IPC_LOCK) {
        eprintln!("NOT TESTED: mlockall, which needs CAP_IPC_LOCK");
        return;
    }
    if alone_elsewhere("locked_memory_is_locked", false) {
        return;
    }
    let locked = || status("VmLck").trim_end_matches(" kB").parse::<u64>().unwrap();
    assert_eq!(locked(), 0);
    assert_eq!(os::lock_memory(), Outcome::Applied);
    let before = locked();
    let more = vec![0_u8; 4 << 20];
    assert!(locked() >= before + 4 * 1024, "what comes later is not locked");
    drop(more);
    assert_eq!(os::unlock_memory(), Outcome::Applied);
    assert_eq!(locked(), 0);
}

#[test]
fn an_unprivileged_user_is_told_what_is_missing() {
    if alone_elsewhere("an_unprivileged_user_is_told_what_is_missing", true) {
        return;
    }
    assert!(!geteuid().is_root());
    let lower = |resource, bytes| {
        setrlimit(resource, Rlimit { current: Some(bytes), maximum: Some(bytes) }).unwrap();
    };
    lower(Resource::Rtprio, 0);
    lower(Resource::Nice, 0);
    let nice = os::nice_in_force();
    let right = "CAP_SYS_NICE";
    for class in [SchedClass::Fifo(7), SchedClass::RoundRobin(7)] {
        let words = [right, "RLIMIT_RTPRIO of at least 7", "it is 0", "ulimit -r"];
        assert_denied(&os::set_class(class), Errno::PERM, &words);
    }
    assert_denied(&os::set_class(HALF), Errno::PERM, &["SCHED_DEADLINE", right]);
    assert_eq!(os::set_class(SchedClass::Normal), Outcome::Applied);
    assert_eq!(os::class_in_force(), Some(SchedClass::Normal));

    let words = [right, "RLIMIT_NICE of at least 25", "it is 0", "ulimit -e"];
    assert_denied(&os::set_nice(-5), Errno::ACCESS, &words);
    assert_eq!(os::nice_in_force(), nice);

    lower(Resource::Memlock, 64 * 1024);
    let words = ["CAP_IPC_LOCK", "65536 bytes", "ulimit -l"];
    assert_denied(&os::lock_memory(), Errno::NOMEM, &words);
    lower(Resource::Memlock, 0);
    assert_denied(&os::lock_memory(), Errno::PERM, &["CAP_IPC_LOCK", "0 bytes"]);
}
