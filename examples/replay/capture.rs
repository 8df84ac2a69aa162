//! Reads a pcap or pcapng file as a stream of packets; every problem names its file offset.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{Block, InterfaceDescriptionBlock, LegacyPcapReader, OptionCode, PcapBlockOwned};
use pcap_parser::{PcapError, PcapNGReader};

use crate::packet::{dissect, Packet};

/// What is read at once, in bytes, and the size up to which a first header block is understood.
const BUFFER: usize = 1 << 16;
/// Longest record or block accepted, in bytes; libpcap's bound too.
const MAX_BLOCK: usize = 16 << 20;
/// First bytes of a pcapng file, the same in both byte orders.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const PCAPNG_HEADER: u64 = 28;
const PCAP_HEADER: u64 = 24;

/// Why a capture cannot be read (further), and where.
#[derive(Debug)]
pub(crate) struct CaptureError {
    /// `None` if not a byte could be read.
    offset: Option<u64>,
    problem: String,
}

impl CaptureError {
    fn new(offset: u64, problem: impl Into<String>) -> Self {
        CaptureError { offset: Some(offset), problem: problem.into() }
    }

    fn unreadable(error: io::Error) -> Self {
        CaptureError { offset: None, problem: format!("cannot read it: {error}") }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(offset) = self.offset {
            write!(f, "offset {offset}: ")?;
        }
        f.write_str(&self.problem)
    }
}

/// The file ended inside its last record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truncation {
    /// Where the unfinished record starts.
    pub(crate) offset: u64,
    /// How many bytes of it are there.
    pub(crate) bytes: u64,
}

/// An open capture file.
pub(crate) struct Capture {
    reader: Box<dyn PcapReaderIterator>,
    layout: Layout,
    truncation: Option<Truncation>,
}

/// What one look at the reader brought; it owns its data, so the reader is free again.
enum Step {
    Block { bytes: usize, packet: Result<Option<Packet>, String> },
    NeedMore,
    Cut,
    Damaged,
    End,
}

impl Capture {
    /// Opens `path` and checks the file header.
    pub(crate) fn open(path: &Path) -> Result<Self, CaptureError> {
        let mut file = File::open(path).map_err(CaptureError::unreadable)?;
        let mut head = Vec::with_capacity(BUFFER);
        file.by_ref()
            .take(BUFFER as u64)
            .read_to_end(&mut head)
            .map_err(CaptureError::unreadable)?;
        let is_pcapng = identify(&head)?;
        let stream = Cursor::new(head).chain(file);
        let reader = if is_pcapng {
            PcapNGReader::new(BUFFER, stream).map(|r| Box::new(r) as Box<dyn PcapReaderIterator>)
        } else {
            LegacyPcapReader::new(BUFFER, stream).map(|r| Box::new(r) as _)
        };
        let reader = reader.map_err(|_| CaptureError::new(0, "the file header is damaged"))?;
        Ok(Capture { reader, layout: Layout::default(), truncation: None })
    }

    /// The packet that a replay starts with.
    pub(crate) fn first_packet(&mut self) -> Result<Packet, CaptureError> {
        let first = self.next_packet()?;
        let offset = self.reader.consumed() as u64;
        first
            .ok_or_else(|| CaptureError::new(offset, "the file ends before its first whole packet"))
    }

    /// The next packet in file order, or `None` at the end of the file.
    pub(crate) fn next_packet(&mut self) -> Result<Option<Packet>, CaptureError> {
        loop {
            let offset = self.reader.consumed() as u64;
            match self.step() {
                Step::Block { bytes, packet } => {
                    self.reader.consume(bytes);
                    let packet = packet.map_err(|problem| CaptureError::new(offset, problem))?;
                    if let Some(packet) = packet {
                        return Ok(Some(Packet { end_offset: offset + bytes as u64, ..packet }));
                    }
                }
                Step::NeedMore => self.read_more(offset)?,
                Step::Cut => {
                    let bytes = self.reader.data().len() as u64;
                    self.truncation = Some(Truncation { offset, bytes });
                    return Ok(None);
                }
                Step::Damaged => {
                    return Err(CaptureError::new(offset, "the block there is damaged"));
                }
                Step::End => return Ok(None),
            }
        }
    }

    /// Where the file broke off, once `next_packet` has reached its end.
    pub(crate) fn truncation(&self) -> Option<Truncation> {
        self.truncation
    }

    /// Packets without a timestamp of their own so far (pcapng "simple packets").
    pub(crate) fn untimed(&self) -> u64 {
        self.layout.untimed
    }

    fn step(&mut self) -> Step {
        match self.reader.next() {
            Ok((bytes, block)) => Step::Block { bytes, packet: self.layout.packet(block) },
            Err(PcapError::Eof) => Step::End,
            Err(PcapError::UnexpectedEof) => Step::Cut,
            Err(PcapError::Incomplete(_) | PcapError::BufferTooSmall) => Step::NeedMore,
            Err(_) => Step::Damaged,
        }
    }

    /// Reads on, into a larger buffer where the block at `offset` does not fit the present one.
    fn read_more(&mut self, offset: u64) -> Result<(), CaptureError> {
        let before = self.reader.data().len();
        if self.reader.refill().is_err() {
            return Err(CaptureError::new(offset + before as u64, "cannot read on"));
        }
        let after = self.reader.data().len();
        if after > before || self.reader.reader_exhausted() {
            return Ok(());
        }
        if after >= MAX_BLOCK {
            let problem = format!("the block there claims more than {MAX_BLOCK} bytes");
            return Err(CaptureError::new(offset, problem));
        }
        self.reader.grow((after * 2).max(BUFFER));
        Ok(())
    }
}

/// Whether a file that starts with `head` is pcapng (`true`) or pcap (`false`).
fn identify(head: &[u8]) -> Result<bool, CaptureError> {
    let Some(magic) = head.first_chunk::<4>() else {
        let problem = match head.len() {
            0 => "the file is empty".to_owned(),
            n => format!("the file ends after {n} bytes, within the file header"),
        };
        return Err(CaptureError::new(head.len() as u64, problem));
    };
    let is_pcapng = *magic == PCAPNG;
    // Microseconds, nanoseconds, and Kuznetsov's variant with longer records.
    let is_pcap = matches!(u32::from_le_bytes(*magic), 0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34)
        || matches!(u32::from_be_bytes(*magic), 0xa1b2_c3d4 | 0xa1b2_3c4d);
    if !is_pcapng && !is_pcap {
        let [a, b, c, d] = magic;
        let problem = format!(
            "this is no pcap or pcapng file: it starts with {a:02x} {b:02x} {c:02x} {d:02x}"
        );
        return Err(CaptureError::new(0, problem));
    }
    let header = if is_pcapng { PCAPNG_HEADER } else { PCAP_HEADER };
    if (head.len() as u64) < header {
        let problem = format!("the file ends within its file header of {header} bytes");
        return Err(CaptureError::new(head.len() as u64, problem));
    }
    Ok(is_pcapng)
}

/// What earlier blocks said about how to read packets.
#[derive(Default)]
struct Layout {
    big_endian: bool,
    interfaces: Vec<Interface>,
    latest_ns: u64,
    untimed: u64,
}

struct Interface {
    link: u16,
    /// Timestamp units per second; `None` where the file gives a resolution beyond 2^127.
    ticks_per_second: Option<u128>,
    offset_seconds: i64,
}

impl Layout {
    /// Takes note of a block; a packet block gives a packet.
    fn packet(&mut self, block: PcapBlockOwned<'_>) -> Result<Option<Packet>, String> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let ticks =
                    if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
                // The upper half of the field describes frame check sequences.
                let link = header.network.0 as u16;
                let interface =
                    Interface { link, ticks_per_second: Some(ticks), offset_seconds: 0 };
                self.interfaces = vec![interface];
                Ok(None)
            }
            PcapBlockOwned::Legacy(record) => {
                let seconds = i128::from(record.ts_sec);
                let fraction = u64::from(record.ts_usec);
                self.timed(0, seconds, fraction, record.origlen, record.data)
            }
            PcapBlockOwned::NG(Block::SectionHeader(section)) => {
                self.big_endian = section.big_endian();
                self.interfaces.clear();
                Ok(None)
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                self.interfaces.push(Interface::new(&description, self.big_endian));
                Ok(None)
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                self.timed(packet.if_id, 0, ticks, packet.origlen, packet.packet_data())
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                self.untimed += 1;
                let link = self.interface(0)?.link;
                Ok(Some(self.at(self.latest_ns, link, packet.origlen, packet.packet_data())))
            }
            PcapBlockOwned::NG(_) => Ok(None),
        }
    }

    fn timed(
        &mut self,
        interface: u32,
        seconds: i128,
        ticks: u64,
        wire_bytes: u32,
        frame: &[u8],
    ) -> Result<Option<Packet>, String> {
        let interface = self.interface(interface)?;
        let (time_ns, link) = (interface.time_ns(seconds, ticks)?, interface.link);
        self.latest_ns = time_ns;
        Ok(Some(self.at(time_ns, link, wire_bytes, frame)))
    }

    fn at(&self, time_ns: u64, link: u16, wire_bytes: u32, frame: &[u8]) -> Packet {
        Packet { time_ns, wire_bytes, end_offset: 0, content: dissect(link, frame) }
    }

    fn interface(&self, number: u32) -> Result<&Interface, String> {
        self.interfaces.get(number as usize).ok_or_else(|| {
            let known = self.interfaces.len();
            format!("the packet there names interface {number}, but {known} are described")
        })
    }
}

impl Interface {
    fn new(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let exponent = u32::from(block.if_tsresol & 0x7f);
        let base: u128 = if block.if_tsresol & 0x80 == 0 { 10 } else { 2 };
        let offset_seconds = block
            .options
            .iter()
            .find(|option| option.code == OptionCode::IfTsoffset)
            .and_then(|option| option.value().first_chunk::<8>().copied())
            .map_or(0, |bytes| match big_endian {
                true => i64::from_be_bytes(bytes),
                false => i64::from_le_bytes(bytes),
            });
        let ticks_per_second = base.checked_pow(exponent);
        Interface { link: block.linktype.0 as u16, ticks_per_second, offset_seconds }
    }

    /// `seconds` and `ticks` of this interface as ns since 1970.
    fn time_ns(&self, seconds: i128, ticks: u64) -> Result<u64, String> {
        let per_second = self.ticks_per_second.ok_or("its interface has no usable resolution")?;
        // At most 2^64 · 10^9, which is far below 2^127.
        let fraction_ns = (u128::from(ticks) * 1_000_000_000 / per_second) as i128;
        let time_ns = (seconds + i128::from(self.offset_seconds)) * 1_000_000_000 + fraction_ns;
        match u64::try_from(time_ns) {
            // Half the range of a time point, so that timeouts after it are representable too.
            Ok(nanos) if nanos <= i64::MAX as u64 => Ok(nanos),
            _ => Err(format!(
                "the timestamp there, {time_ns} ns, lies outside the years 1970 to 2262"
            )),
        }
    }
}
