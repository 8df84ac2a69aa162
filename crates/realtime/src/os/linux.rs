//! Linux, by rustix where it has the call, else by libc.

use std::fs;
use std::mem;
use std::num::NonZeroU64;
use std::time::Duration;

use rustix::io::Errno;
use rustix::mm::{mlockall, munlockall, MlockAllFlags};
use rustix::process::{getpid, getpriority_process, getrlimit, setpriority_process, Resource};
use rustix::thread::{
    current_timer_slack, sched_getaffinity, sched_setaffinity, set_current_timer_slack, CpuSet, Pid,
};

use super::{Outcome, SchedClass, Throttling};

pub(super) const INVALID: i32 = libc::EINVAL;
pub(super) const NO_MEMORY: i32 = libc::ENOMEM;

fn answer(result: Result<(), Errno>, hint: impl FnOnce(Errno) -> String) -> Outcome {
    match result {
        Ok(()) => Outcome::Applied,
        Err(errno) => Outcome::denied(errno.raw_os_error(), hint(errno)),
    }
}

fn cores_of(thread: Option<Pid>) -> Option<Vec<usize>> {
    let set = sched_getaffinity(thread).ok()?;
    Some((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect())
}

pub(super) fn available_cores() -> Option<Vec<usize>> {
    cores_of(Some(getpid()))
}

pub(super) fn cores_in_force() -> Option<Vec<usize>> {
    cores_of(None)
}

pub(super) fn pin_to_core(core: usize) -> Outcome {
    let result = if core < CpuSet::MAX_CPU {
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set)
    } else {
        Err(Errno::INVAL)
    };
    answer(result, |errno| match errno {
        Errno::INVAL => format!(
            "core {core} does not exist, is offline, or is outside the cgroup's cpuset; \
             cores {:?} are available",
            super::available_cores()
        ),
        Errno::PERM | Errno::BUSY => "a thread of class DEADLINE cannot be pinned".into(),
        _ => format!("sched_setaffinity failed: {errno}"),
    })
}

/// `struct sched_attr` in its first version, which all kernels since 3.14 take.
#[repr(C)]
#[derive(Default)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

const ATTR_SIZE: u32 = mem::size_of::<SchedAttr>() as u32;

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn set_attr(attr: &SchedAttr) -> Result<(), Errno> {
    // SAFETY: the kernel reads `attr.size` bytes at `attr`, which are all there, and keeps nothing.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, attr, 0) };
    if result == 0 {
        Ok(())
    } else {
        let error = std::io::Error::last_os_error();
        Err(Errno::from_raw_os_error(error.raw_os_error().unwrap_or(INVALID)))
    }
}

fn get_attr() -> Option<SchedAttr> {
    let mut attr = SchedAttr::default();
    // SAFETY: the kernel writes at most ATTR_SIZE bytes to `attr`, which is that long, and any
    // bytes are a valid `SchedAttr`.
    let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, ATTR_SIZE, 0) };
    (result == 0).then_some(attr)
}

pub(super) fn set_class(class: SchedClass) -> Outcome {
    let mut attr = SchedAttr {
        size: ATTR_SIZE,
        nice: nice_in_force().unwrap_or(0),
        priority: priority_of(class).into(),
        ..SchedAttr::default()
    };
    let policy = match class {
        SchedClass::Normal => libc::SCHED_OTHER,
        SchedClass::Fifo(_) => libc::SCHED_FIFO,
        SchedClass::RoundRobin(_) => libc::SCHED_RR,
        SchedClass::Deadline { runtime, deadline, period } => {
            // Without the flag such a thread cannot start others.
            attr.flags = libc::SCHED_FLAG_RESET_ON_FORK as u64;
            (attr.runtime, attr.deadline, attr.period) =
                (nanos(runtime), nanos(deadline), nanos(period));
            libc::SCHED_DEADLINE
        }
    };
    attr.policy = policy as u32;
    answer(set_attr(&attr), |errno| class_hint(class, errno))
}

/// The priority as the kernel wants it: 0 where there is none.
fn priority_of(class: SchedClass) -> u8 {
    match class {
        SchedClass::Fifo(priority) | SchedClass::RoundRobin(priority) => priority,
        SchedClass::Normal | SchedClass::Deadline { .. } => 0,
    }
}

fn class_hint(class: SchedClass, errno: Errno) -> String {
    match (class, errno) {
        (SchedClass::Deadline { .. }, Errno::PERM) if is_pinned() => {
            "SCHED_DEADLINE is refused to a pinned thread: it must be allowed on all cores \
             (and needs CAP_SYS_NICE)"
                .into()
        }
        (SchedClass::Deadline { .. }, Errno::PERM) => {
            "SCHED_DEADLINE needs CAP_SYS_NICE: run as root, or setcap cap_sys_nice+ep the program"
                .into()
        }
        (SchedClass::Deadline { .. }, Errno::BUSY) => {
            "the cores have not so much time left for SCHED_DEADLINE: ask for less runtime per \
             period, or raise kernel.sched_rt_runtime_us"
                .into()
        }
        (SchedClass::Deadline { .. }, Errno::INVAL) => format!(
            "{class} is out of the kernel's bounds: a runtime of at least 1.024 us, and a period \
             within kernel.sched_deadline_period_min_us to _max_us"
        ),
        (SchedClass::Normal, Errno::PERM) => {
            "this thread may not leave its class: it is IDLE and RLIMIT_NICE is too low".into()
        }
        (_, Errno::PERM) => format!(
            "{class} needs CAP_SYS_NICE, or an RLIMIT_RTPRIO of at least {} (it is {}; ulimit -r, \
             or rtprio in limits.conf); in a container also real-time runtime of the cgroup",
            priority_of(class),
            limit(Resource::Rtprio),
        ),
        _ => format!("sched_setattr to {class} failed: {errno}"),
    }
}

fn limit(resource: Resource) -> String {
    getrlimit(resource).current.map_or("unlimited".into(), |limit| limit.to_string())
}

/// Whether the calling thread is kept from some of the cores that are online.
fn is_pinned() -> bool {
    let online = fs::read_to_string("/sys/devices/system/cpu/online");
    let online = online.ok().and_then(|list| count_cores(list.trim()));
    online.zip(cores_in_force()).is_some_and(|(online, allowed)| allowed.len() < online)
}

/// The number of cores in a list as the kernel writes it: `0-3,8`.
fn count_cores(list: &str) -> Option<usize> {
    list.split(',')
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            Some(last.checked_sub(first)? + 1)
        })
        .sum()
}

pub(super) fn class_in_force() -> Option<SchedClass> {
    let attr = get_attr()?;
    let priority = u8::try_from(attr.priority).ok()?;
    match attr.policy as i32 {
        libc::SCHED_OTHER => Some(SchedClass::Normal),
        libc::SCHED_FIFO => Some(SchedClass::Fifo(priority)),
        libc::SCHED_RR => Some(SchedClass::RoundRobin(priority)),
        libc::SCHED_DEADLINE => Some(SchedClass::Deadline {
            runtime: Duration::from_nanos(attr.runtime),
            deadline: Duration::from_nanos(attr.deadline),
            period: Duration::from_nanos(attr.period),
        }),
        _ => None,
    }
}

pub(super) fn set_nice(nice: i32) -> Outcome {
    answer(setpriority_process(None, nice), |errno| match errno {
        Errno::ACCESS | Errno::PERM => format!(
            "a nice value of {nice} needs CAP_SYS_NICE, or an RLIMIT_NICE of at least {} (it is \
             {}; ulimit -e, or nice in limits.conf)",
            20 - nice,
            limit(Resource::Nice),
        ),
        _ => format!("setpriority failed: {errno}"),
    })
}

pub(super) fn nice_in_force() -> Option<i32> {
    getpriority_process(None).ok()
}

pub(super) fn set_timer_slack(ns: u64) -> Outcome {
    answer(set_current_timer_slack(NonZeroU64::new(ns)), |errno| {
        format!("prctl(PR_SET_TIMERSLACK, {ns}) failed: {errno}")
    })
}

pub(super) fn timer_slack_in_force() -> Option<u64> {
    current_timer_slack().ok()
}

pub(super) fn lock_memory() -> Outcome {
    answer(mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE), |errno| match errno {
        Errno::PERM | Errno::NOMEM | Errno::AGAIN => format!(
            "locking all memory needs CAP_IPC_LOCK, or an RLIMIT_MEMLOCK above what the process \
             uses (it is {} bytes; ulimit -l unlimited, or memlock in limits.conf)",
            limit(Resource::Memlock),
        ),
        _ => format!("mlockall failed: {errno}"),
    })
}

pub(super) fn unlock_memory() -> Outcome {
    answer(munlockall(), |errno| format!("munlockall failed: {errno}"))
}

pub(super) fn throttling() -> Option<Throttling> {
    let micros = |name| {
        let text = fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?;
        // A runtime of -1 means no limit.
        text.trim().parse().ok().map(Duration::from_micros)
    };
    let throttling = Throttling {
        runtime: micros("sched_rt_runtime_us")?,
        period: micros("sched_rt_period_us")?,
    };
    (throttling.runtime < throttling.period).then_some(throttling)
}

/// Bytes of the calling thread's stack below the address `top`.
pub(super) fn stack_left(top: usize) -> Option<usize> {
    let mut attr = mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: it only says who calls.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: this thread exists, and `attr` has room for what is written on success.
    let status = unsafe { libc::pthread_getattr_np(this, attr.as_mut_ptr()) };
    if status != 0 {
        return None;
    }
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: `attr` was initialised above; the two results are ours to write.
    let status = unsafe { libc::pthread_attr_getstack(attr.as_ptr(), &mut lowest, &mut size) };
    // SAFETY: `attr` was initialised above and is not used again.
    unsafe { libc::pthread_attr_destroy(attr.as_mut_ptr()) };
    if status == 0 {
        top.checked_sub(lowest as usize)
    } else {
        None
    }
}

/// Makes the allocator keep what is freed, and take large blocks from what it keeps.
#[cfg(target_env = "gnu")]
pub(super) fn keep_freed_memory() -> Outcome {
    const SETTINGS: [(i32, i32); 2] = [(libc::M_TRIM_THRESHOLD, -1), (libc::M_MMAP_MAX, 0)];
    for (parameter, value) in SETTINGS {
        // SAFETY: mallopt may be called at any time by any thread.
        if unsafe { libc::mallopt(parameter, value) } != 1 {
            return Outcome::denied(INVALID, "glibc refused mallopt");
        }
    }
    Outcome::Applied
}

#[cfg(not(target_env = "gnu"))]
pub(super) fn keep_freed_memory() -> Outcome {
    Outcome::unsupported("this allocator cannot be told to keep freed memory")
}
