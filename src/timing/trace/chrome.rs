//! A [`Trace`] in Chrome's trace-event format.

use alloc::collections::BTreeMap;
use core::fmt::{self, Display, Write};

use super::{Trace, TraceEvent, TraceKind};
use crate::task::TaskId;
use crate::time::TimePoint;

pub(super) fn write<W: Write>(trace: &Trace, out: &mut W) -> fmt::Result {
    let rows = Rows::new(trace);
    out.write_str("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"lost\":\"")?;
    writeln!(out, "{}\"}},\"traceEvents\":[", trace.lost())?;
    out.write_str(
        "{\"ph\":\"M\",\"pid\":1,\"cat\":\"__metadata\",\"name\":\"process_name\",\
         \"args\":{\"name\":\"nanosecond-scheduler\"}}",
    )?;
    for (row, number) in &rows.numbers {
        let name = Label::of_row(*row);
        write!(out, ",\n{{\"ph\":\"M\",\"pid\":1,\"tid\":{number},\"cat\":\"__metadata\"")?;
        out.write_str(",\"name\":\"thread_name\"")?;
        write!(out, ",\"args\":{{\"name\":\"{name}\"}}}}")?;
    }
    let mut exporter = Exporter { out, rows, open: BTreeMap::new(), waits: 0 };
    for event in trace.events() {
        exporter.event(event)?;
    }
    exporter.end(trace)?;
    exporter.out.write_str("\n]}\n")
}

/// What shares a row of the picture.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Unnamed,
    Named(&'static str),
    Task(TaskId),
}

/// The rows and their numbers, which are those of threads in the format.
struct Rows {
    numbers: BTreeMap<Row, usize>,
    /// How often each unnamed task started.
    starts: BTreeMap<TaskId, usize>,
}

impl Rows {
    /// Numbers the rows from 1 in the order in which they first appear.
    fn new(trace: &Trace) -> Self {
        let mut rows = Rows { numbers: BTreeMap::new(), starts: BTreeMap::new() };
        for event in trace.events().filter(|event| event.name.is_none()) {
            *rows.starts.entry(event.task).or_default() +=
                usize::from(event.kind == TraceKind::Start);
        }
        for event in trace.events() {
            let number = rows.numbers.len() + 1;
            rows.numbers.entry(rows.row(event)).or_insert(number);
        }
        rows
    }

    fn row(&self, event: &TraceEvent) -> Row {
        match event.name {
            Some(name) => Row::Named(name),
            None if self.starts[&event.task] > 1 => Row::Task(event.task),
            None => Row::Unnamed,
        }
    }

    fn number(&self, event: &TraceEvent) -> usize {
        self.numbers[&self.row(event)]
    }
}

/// What a task or a row is called, escaped for a JSON string.
enum Label {
    Name(&'static str),
    Task(TaskId),
}

impl Label {
    fn of(event: &TraceEvent) -> Self {
        event.name.map_or(Label::Task(event.task), Label::Name)
    }

    fn of_row(row: Row) -> Self {
        match row {
            Row::Unnamed => Label::Name("unnamed"),
            Row::Named(name) => Label::Name(name),
            Row::Task(task) => Label::Task(task),
        }
    }
}

impl Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Label::Task(task) => return write!(f, "task {}", task.to_bits()),
            Label::Name(name) => name,
        };
        name.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            '\0'..='\x1f' => write!(f, "\\u{:04x}", u32::from(c)),
            c => f.write_char(c),
        })
    }
}

/// A time in µs, exact to the ns.
struct Micros(u64);

impl Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

impl From<TimePoint> for Micros {
    fn from(at: TimePoint) -> Self {
        Micros(at.as_nanos())
    }
}

/// What of a task awaits its partner.
#[derive(Default)]
struct Open {
    release: Option<TimePoint>,
    start: Option<TraceEvent>,
}

struct Exporter<'a, W> {
    out: &'a mut W,
    rows: Rows,
    open: BTreeMap<TaskId, Open>,
    /// Waits written so far: each has a number of its own.
    waits: u64,
}

impl<W: Write> Exporter<'_, W> {
    fn event(&mut self, event: &TraceEvent) -> fmt::Result {
        let open = self.open.entry(event.task).or_default();
        match event.kind {
            TraceKind::Release => {
                open.release = Some(event.at);
                Ok(())
            }
            TraceKind::Start => {
                let unfinished = open.start.replace(*event);
                self.waited(event)?;
                unfinished.map_or(Ok(()), |start| self.instant(&start, "start"))
            }
            TraceKind::Finish => match open.start.take() {
                Some(start) => self.job(&start, event.at, ""),
                None => self.instant(event, "finish"),
            },
            TraceKind::Panic => {
                if let Some(start) = open.start.take() {
                    self.job(&start, event.at, "")?;
                }
                self.instant(event, "panic")
            }
            TraceKind::Miss => self.instant(event, "miss"),
            TraceKind::Skip => {
                self.waited(event)?;
                self.instant(event, "skip")
            }
            TraceKind::Cancel => {
                self.waited(event)?;
                self.instant(event, "cancel")
            }
        }
    }

    /// Writes the jobs that did not finish.
    fn end(&mut self, trace: &Trace) -> fmt::Result {
        // Releases may lie in the future.
        let past = trace.events().filter(|event| event.kind != TraceKind::Release);
        let last = past.map(|event| event.at).max().unwrap_or_default();
        for open in core::mem::take(&mut self.open).into_values() {
            if let Some(start) = open.start {
                self.job(&start, last, ",\"unfinished\":true")?;
            }
        }
        Ok(())
    }

    fn job(&mut self, start: &TraceEvent, finish: TimePoint, args: &str) -> fmt::Result {
        let duration = finish.as_nanos().saturating_sub(start.at.as_nanos());
        self.begin("X", Label::of(start), start)?;
        write!(self.out, ",\"dur\":{},\"cat\":\"job\"", Micros(duration))?;
        self.args(start, args)
    }

    fn instant(&mut self, event: &TraceEvent, name: &str) -> fmt::Result {
        self.begin("i", name, event)?;
        self.out.write_str(",\"s\":\"t\",\"cat\":\"event\"")?;
        self.args(event, "")
    }

    /// Writes the wait that ends with `end`, if its release is known and was before.
    fn waited(&mut self, end: &TraceEvent) -> fmt::Result {
        let release = self.open.get_mut(&end.task).and_then(|open| open.release.take());
        let Some(release) = release.filter(|release| *release < end.at) else { return Ok(()) };
        self.waits += 1;
        for (phase, at) in [("b", release), ("e", end.at)] {
            let event = TraceEvent { at, ..*end };
            self.begin(phase, format_args!("waiting {}", Label::of(end)), &event)?;
            write!(self.out, ",\"cat\":\"wait\",\"id\":{}", self.waits)?;
            self.args(end, "")?;
        }
        Ok(())
    }

    /// Opens an object with what all kinds have.
    fn begin(&mut self, phase: &str, name: impl Display, event: &TraceEvent) -> fmt::Result {
        let (tid, ts) = (self.rows.number(event), Micros::from(event.at));
        write!(self.out, ",\n{{\"ph\":\"{phase}\",\"pid\":1,\"tid\":{tid},\"name\":\"{name}\"")?;
        write!(self.out, ",\"ts\":{ts}")
    }

    /// Closes it with the task's number: a string, since it may exceed what JavaScript can tell.
    fn args(&mut self, event: &TraceEvent, more: &str) -> fmt::Result {
        write!(self.out, ",\"args\":{{\"task\":\"{}\"{more}}}}}", event.task.to_bits())
    }
}
