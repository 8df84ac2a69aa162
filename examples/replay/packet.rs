//! One packet of a capture: when it was seen, how long it was, and which connection it belongs to.

use std::net::IpAddr;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

/// What the replay needs of a packet; the bytes themselves stay with the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Capture instant, ns since 1970.
    pub(crate) time_ns: u64,
    /// Length on the wire, in bytes, also where the capture kept less.
    pub(crate) wire_bytes: u32,
    /// File offset just behind this packet's record.
    pub(crate) end_offset: u64,
    pub(crate) content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// TCP or UDP over IP.
    Segment(Segment),
    /// IP without a readable TCP or UDP header: ICMP, fragments, cut headers.
    OtherIp,
    NotIp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) key: FlowKey,
    /// Which side of `key` sent it.
    pub(crate) from_low: bool,
    /// Whether it carries application data, as opposed to a bare acknowledgement.
    pub(crate) has_payload: bool,
}

type Endpoint = (IpAddr, u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Protocol {
    Tcp,
    Udp,
}

/// The 5-tuple without direction: both sides of a conversation have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    protocol: Protocol,
    low: Endpoint,
    high: Endpoint,
}

/// Reads the headers of a frame. `link` is its LINKTYPE number; a type that is not supported, like
/// a frame that is no IP, is `NotIp`.
pub(crate) fn dissect(link: u16, frame: &[u8]) -> Content {
    let Some(headers) = headers(link, frame) else { return Content::NotIp };
    let (source, destination, ip) = match &headers.net {
        Some(LaxNetSlice::Ipv4(v4)) => (
            IpAddr::from(v4.header().source_addr()),
            IpAddr::from(v4.header().destination_addr()),
            v4.payload(),
        ),
        Some(LaxNetSlice::Ipv6(v6)) => (
            IpAddr::from(v6.header().source_addr()),
            IpAddr::from(v6.header().destination_addr()),
            v6.payload(),
        ),
        _ => return Content::NotIp,
    };
    let (protocol, ports, payload) = match &headers.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            (Protocol::Tcp, (tcp.source_port(), tcp.destination_port()), tcp.payload())
        }
        Some(TransportSlice::Udp(udp)) => {
            (Protocol::Udp, (udp.source_port(), udp.destination_port()), udp.payload())
        }
        _ => return Content::OtherIp,
    };
    let (source, destination) = ((source, ports.0), (destination, ports.1));
    let (low, high) = (source.min(destination), source.max(destination));
    Content::Segment(Segment {
        key: FlowKey { protocol, low, high },
        from_low: source == low,
        // A snap length that cut behind the headers hides payload that the IP length promises.
        has_payload: !payload.is_empty() || ip.incomplete,
    })
}

/// Numbers: <https://www.tcpdump.org/linktypes.html>.
fn headers(link: u16, frame: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    match link {
        1 => LaxSlicedPacket::from_ethernet(frame).ok(),
        // BSD loopback: an address family in 4 bytes.
        0 | 108 => LaxSlicedPacket::from_ip(frame.get(4..)?).ok(),
        // Raw IP; 12 and 14 are what some systems wrote for it.
        12 | 14 | 101 | 228 | 229 => LaxSlicedPacket::from_ip(frame).ok(),
        // Linux "cooked" v1 and v2: the protocol at byte 14 of 16, or at byte 0 of 20.
        113 => cooked(frame.get(14..16)?, frame.get(16..)?),
        276 => cooked(frame.get(0..2)?, frame.get(20..)?),
        _ => None,
    }
}

fn cooked<'a>(protocol: &[u8], payload: &'a [u8]) -> Option<LaxSlicedPacket<'a>> {
    let number = u16::from_be_bytes(protocol.try_into().ok()?);
    Some(LaxSlicedPacket::from_ether_type(EtherType(number), payload))
}
