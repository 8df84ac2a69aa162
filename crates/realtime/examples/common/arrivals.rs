//! When packets arrived in the capture that ships with the root's example `replay`.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

const CAPTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/replay/data/modbus-plant.pcap");

/// The time of each packet since the first, in the order of the file, which is that of time.
pub(crate) fn load() -> Result<Vec<Duration>, Box<dyn Error>> {
    let path = Path::new(CAPTURE);
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&bytes).ok_or_else(|| format!("{}: not the capture that ships", path.display()).into())
}

/// Reads a little-endian pcap file with microseconds, which is what ships.
fn parse(bytes: &[u8]) -> Option<Vec<Duration>> {
    const MAGIC: u32 = 0xa1b2_c3d4;
    const FILE_HEADER: usize = 24;
    const RECORD_HEADER: usize = 16;
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    if word(bytes, 0)? != MAGIC {
        return None;
    }
    let (mut arrivals, mut rest) = (Vec::new(), bytes.get(FILE_HEADER..)?);
    while !rest.is_empty() {
        let (seconds, micros, length) = (word(rest, 0)?, word(rest, 4)?, word(rest, 8)?);
        arrivals.push(Duration::new(seconds.into(), 0) + Duration::from_micros(micros.into()));
        rest = rest.get(RECORD_HEADER + length as usize..)?;
    }
    let first = *arrivals.first()?;
    arrivals.iter().map(|arrival| arrival.checked_sub(first)).collect()
}
