//! The replay example, run as its users run it: on the capture that ships with it, on the same
//! packets in other formats, and on files that are broken in every way one meets.
#![cfg(all(feature = "std", not(loom), not(miri)))]

#[path = "common/example.rs"]
mod example;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const CAPTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/replay/data/modbus-plant.pcap");
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    report: PathBuf,
}

impl Run {
    /// The figures in the table row that starts with `name`.
    fn row(&self, name: &str) -> Vec<&str> {
        let line = self.stdout.lines().find(|line| line.starts_with(&format!("  {name}  ")));
        let line = line.unwrap_or_else(|| panic!("no row {name:?} in:\n{}", self.stdout));
        line[name.len() + 2..].split_whitespace().collect()
    }

    /// Everything printed that does not depend on the machine or on the test.
    fn trace(&self) -> Vec<&str> {
        let lines = self.stdout.lines().skip(1);
        lines.take_while(|line| *line != "Wall time").collect()
    }

    /// Asserts that the file was refused with exit code 2 and this message.
    fn assert_unusable(&self, message: &str) {
        assert_eq!(self.code, Some(2), "{}", self.stderr);
        assert!(self.stderr.contains(message), "{message:?} is not in {:?}", self.stderr);
    }
}

/// The example's binary.
fn example() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| example::build("replay"))
}

/// Runs the example.
fn replay(test: &str, arguments: &[&dyn AsRef<OsStr>]) -> Run {
    let report = scratch(&format!("{test}.html"));
    let mut command = Command::new(example());
    command.arg("--report").arg(&report);
    command.args(arguments.iter().map(|argument| argument.as_ref()));
    let output = command.output().expect("the example starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
        report,
    }
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replay-{name}"))
}

/// Replays `content` as a file.
fn replay_bytes(test: &str, content: &[u8]) -> Run {
    let path = scratch(&format!("{test}.pcap"));
    std::fs::write(&path, content).expect("the folder for test files is writable");
    replay(test, &[&path])
}

fn capture() -> Vec<u8> {
    std::fs::read(CAPTURE).expect("the capture ships with the example")
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..][..4].try_into().expect("4 bytes"))
}

/// The records of a little-endian pcap file, headers included.
fn records(file: &[u8]) -> Vec<&[u8]> {
    let mut rest = &file[FILE_HEADER..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (record, behind) = rest.split_at(RECORD_HEADER + u32_at(rest, 8) as usize);
        records.push(record);
        rest = behind;
    }
    records
}

fn with_records(file: &[u8], records: &[&[u8]]) -> Vec<u8> {
    [&file[..FILE_HEADER], &records.concat()].concat()
}

/// The capture as big-endian pcap with nanosecond timestamps.
fn as_big_endian_ns(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(0xa1b2_3c4d_u32.to_be_bytes());
    out.extend([0, 2, 0, 4]);
    for offset in [8, 12, 16, 20] {
        out.extend(u32_at(file, offset).to_be_bytes());
    }
    for record in records(file) {
        let nanos = u32_at(record, 4) * 1000;
        for field in [u32_at(record, 0), nanos, u32_at(record, 8), u32_at(record, 12)] {
            out.extend(field.to_be_bytes());
        }
        out.extend(&record[RECORD_HEADER..]);
    }
    out
}

fn pcapng_block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = (body.len() + padding + 12) as u32;
    let mut block = [kind.to_le_bytes(), length.to_le_bytes()].concat();
    block.extend(body);
    block.resize(block.len() + padding, 0);
    block.extend(length.to_le_bytes());
    block
}

/// The capture as pcapng whose timestamps count 2^-30 s.
fn as_pcapng(file: &[u8]) -> Vec<u8> {
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let resolution = [9, 0, 1, 0, 0x80 | 30, 0, 0, 0, 0, 0, 0, 0];
    let interface = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &resolution].concat();
    let mut out = pcapng_block(0x0a0d_0d0a, &section);
    out.extend(pcapng_block(1, &interface));
    for record in records(file) {
        let (seconds, micros) = (u64::from(u32_at(record, 0)), u64::from(u32_at(record, 4)));
        let ticks = (seconds << 30) + (micros << 30).div_ceil(1_000_000);
        let fields = [0, (ticks >> 32) as u32, ticks as u32, u32_at(record, 8), u32_at(record, 12)];
        let mut body: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        body.extend(&record[RECORD_HEADER..]);
        out.extend(pcapng_block(6, &body));
    }
    out
}

/// The expected figures were computed from the file by a script of its own, without a scheduler.
#[test]
fn shipped_capture_gives_the_known_figures_every_time() {
    let run = replay("shipped", &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.row("bytes on the wire"), ["970,680"]);
    assert_eq!(run.row("connections"), ["3"]);
    assert_eq!(run.row("late responses (over 200 ms)"), ["122"]);
    assert_eq!(run.row("packets"), ["13,622"]);
    assert_eq!(run.row("idle timeouts"), ["13,622", "13,619", "3", "0"]);
    assert_eq!(run.row("response deadlines"), ["3,628", "3,506", "122", "0"]);
    assert_eq!(run.row("all"), ["30,872", "17,125", "13,747", "0"]);
    assert!(run.stdout.contains("virtual, all jobs") && run.stdout.contains("per packet, median"));

    let again = replay("shipped-again", &[]);
    assert_eq!(run.trace(), again.trace());
}

#[test]
fn other_timeouts_give_their_known_figures() {
    let run = replay("timeouts", &[&"--idle", &"0.05", &"--response=200"]);
    assert_eq!(run.row("idle timeouts"), ["13,622", "12,991", "631", "0"]);
    assert_eq!(run.row("response deadlines"), ["3,817", "3,817", "0", "0"]);
    let run = replay("timeouts", &[&"--idle=0.01", &"--response", &"0.5"]);
    assert_eq!(run.row("idle timeouts"), ["13,622", "11,319", "2,303", "0"]);
    assert_eq!(run.row("response deadlines"), ["3,869", "188", "3,681", "0"]);
}

#[test]
fn the_same_packets_in_other_formats_give_the_same_trace() {
    let expected = replay("format", &[]);
    let ns = replay_bytes("big-endian", &as_big_endian_ns(&capture()));
    let ng = replay_bytes("pcapng", &as_pcapng(&capture()));
    for run in [ns, ng] {
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert_eq!(run.trace(), expected.trace());
    }
}

#[test]
fn the_report_needs_no_network_and_escapes_names() {
    let path = scratch("a&b.pcap");
    std::fs::copy(CAPTURE, &path).expect("the folder for test files is writable");
    let run = replay("report", &[&path]);
    let page = std::fs::read_to_string(&run.report).expect("the report was written");
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("</svg>").count(), 3);
    assert!(page.contains("Replay of replay-a&amp;b.pcap"));
    for remote in ["http:", "https:", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(remote), "the report refers to {remote}");
    }
}

#[test]
fn real_time_replays_every_packet_and_says_what_is_pending() {
    let run = replay("real-time", &[&"--speed", &"1000"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.stdout.contains("at 1000 times real time"));
    assert!(!run.stdout.contains("virtual") && !run.stdout.contains("Wall time"));
    assert_eq!(run.row("packets"), ["13,622"]);
    let idle: Vec<u64> =
        run.row("idle timeouts").iter().map(|n| n.replace(',', "").parse().unwrap()).collect();
    assert_eq!(idle[0], 13_622);
    // The connection that spoke last waits for its timeout still.
    assert!(idle[3] >= 1, "{idle:?}");
    assert_eq!(idle[0], idle[1] + idle[2] + idle[3]);
}

#[test]
fn a_truncated_file_is_replayed_up_to_a_counted_warning() {
    let file = capture();
    let whole = with_records(&file, &records(&file)[..1000]);
    let cut = [&whole[..], &records(&file)[1000][..50]].concat();
    let run = replay_bytes("truncated", &cut);
    assert_eq!(run.code, Some(0));
    let warning = format!("50 bytes into the record at offset {}", whole.len());
    assert!(run.stderr.contains("1 truncated packet"), "{}", run.stderr);
    assert!(run.stderr.contains(&warning), "{}", run.stderr);
    assert_eq!(run.trace(), replay_bytes("whole", &whole).trace());
}

#[test]
fn files_without_packets_are_refused_with_the_offset() {
    let file = capture();
    replay_bytes("empty", &[]).assert_unusable("offset 0: the file is empty");
    replay_bytes("text", b"Not a capture, but a text that is longer than a header.\n")
        .assert_unusable("offset 0: this is no pcap or pcapng file: it starts with 4e 6f 74 20");
    replay_bytes("stub", &file[..3]).assert_unusable("offset 3: the file ends after 3 bytes");
    replay_bytes("header", &file[..20]).assert_unusable("offset 20: the file ends within");
    replay_bytes("packetless", &file[..24]).assert_unusable("offset 24: the file ends before");
    replay_bytes("first-cut", &file[..60]).assert_unusable("offset 24: the file ends before");
    replay("missing", &[&scratch("no-such-file")]).assert_unusable("no-such-file: cannot read it");
    replay("folder", &[&env!("CARGO_TARGET_TMPDIR")]).assert_unusable("cannot read it");
}

#[test]
fn packets_out_of_order_are_counted_and_replayed() {
    let file = capture();
    let mut swapped = records(&file);
    swapped.swap(5000, 5001);
    let mut late = records(&file);
    let early = late.remove(100);
    late.insert(9000, early);

    // Within the look-ahead the scheduler puts them in order again.
    let run = replay_bytes("swapped", &with_records(&file, &swapped));
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("warning: 1 packet out of order"), "{}", run.stderr);
    assert_eq!(run.trace(), replay("in-order", &[]).trace());

    // Beyond, the packet runs late, and that is the one latency there is.
    let run = replay_bytes("late", &with_records(&file, &late));
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.contains("warning: 1 packet out of order"), "{}", run.stderr);
    assert_eq!(run.row("packets"), ["13,622"]);
    let latency = run.row("virtual, all jobs");
    assert_eq!(latency[latency.len() - 4..latency.len() - 2], ["0", "ns"]);
    assert_eq!(latency.last(), Some(&"s"), "{latency:?}");
}

#[test]
fn a_timestamp_far_off_costs_neither_time_nor_memory() {
    let file = capture();
    let mut jump = records(&file)[7000].to_vec();
    jump[..4].fill(0xff);
    let mut jumping = records(&file);
    jumping[7000] = &jump;
    let run = replay_bytes("jump", &with_records(&file, &jumping));
    assert_eq!(run.code, Some(0));
    assert_eq!(run.row("packets"), ["13,622"]);
    let page = std::fs::metadata(&run.report).expect("the report was written");
    assert!(page.len() < 200_000, "{} bytes", page.len());
}

#[test]
fn damage_ends_the_replay_with_its_offset() {
    let file = capture();
    let whole = as_pcapng(&with_records(&file, &records(&file)[..40]));
    let mut damaged = as_pcapng(&with_records(&file, &records(&file)[..80]));
    damaged[whole.len() + 4..][..4].fill(0);
    let run = replay_bytes("damaged", &damaged);
    run.assert_unusable(&format!("offset {}: the block there is damaged", whole.len()));
    assert_eq!(run.trace(), replay_bytes("undamaged", &whole).trace());

    let mut nameless = as_pcapng(&with_records(&file, &records(&file)[..1]));
    let packet =
        nameless.len() - pcapng_block(6, &vec![0; 20 + records(&file)[0].len() - 16]).len();
    nameless[packet + 8] = 7;
    replay_bytes("nameless", &nameless)
        .assert_unusable(&format!("offset {packet}: the packet there names interface 7, but 1"));
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_the_value() {
    let cases: [(&[&str], &str); 8] = [
        (&["--speed", "nonsense"], "--speed \"nonsense\": expected a whole number from 1 to 1000"),
        (&["--speed", "0"], "--speed \"0\""),
        (&["--speed", "1001"], "--speed \"1001\""),
        (&["--speed"], "missing argument for option '--speed'"),
        (&["--idle", "-1"], "--idle \"-1\": expected a number above 0 and up to 86400"),
        (&["--response", "NaN"], "--response \"NaN\": expected"),
        (&["--bogus"], "invalid option '--bogus'"),
        (&["one.pcap", "two.pcap"], "unexpected argument \"two.pcap\""),
    ];
    for (arguments, message) in cases {
        let arguments: Vec<&dyn AsRef<OsStr>> = arguments.iter().map(|a| a as _).collect();
        let run = replay("usage", &arguments);
        run.assert_unusable(message);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn help_goes_to_stdout_and_an_unwritable_report_is_exit_code_1() {
    let help = replay("help", &[&"--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("--speed N|max"));
    let run = replay("unwritable", &[&"--report", &scratch("no-folder/report.html")]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("cannot write the report"), "{}", run.stderr);
}
