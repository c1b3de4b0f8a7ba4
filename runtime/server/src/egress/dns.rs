//! Look-ups of records: questions to the servers of names, over UDP and, where an answer is cut, over TCP.
//!
//! The servers are those of `tenter.yml`, else those of `/etc/resolv.conf`. Each is asked twice at most. An answer counts
//! when it comes from the server that was asked, has the number of the question, and repeats it.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, TYPE};
use tenter_model::egress::ResolveError;

/// How long one server is waited for before another one is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rounds through the servers.
const ROUNDS: usize = 2;
/// Servers of the system that are asked.
const MOST_SERVERS: usize = 3;
/// What the system is set up with.
const SYSTEM: &str = "/etc/resolv.conf";
/// Records of an answer that are kept.
const MOST_RECORDS: usize = 256;

/// Looks a name up; `servers` empty: those of the system. For `PTR` the name may be an address.
pub(super) fn lookup(
    servers: &[SocketAddr],
    time: Duration,
    name: &str,
    kind: &str,
) -> Result<Vec<String>, ResolveError> {
    let until = Instant::now() + time;
    let name = match name.parse::<IpAddr>() {
        Ok(address) if kind == "PTR" => reversed(address),
        _ => name.trim_end_matches('.').to_owned(),
    };
    let of_system;
    let servers = if servers.is_empty() {
        of_system = configured(&std::fs::read_to_string(SYSTEM).unwrap_or_default());
        &of_system[..]
    } else {
        servers
    };
    let mut last = ResolveError::TimedOut;
    for server in std::iter::repeat_n(servers, ROUNDS).flatten() {
        let left = until.saturating_duration_since(Instant::now()).min(PATIENCE);
        if left.is_zero() {
            return Err(ResolveError::TimedOut);
        }
        match ask(*server, left, &name, kind) {
            Ok(found) => return Ok(found),
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Elsewhere(error)) => last = error,
        }
    }
    Err(last)
}

/// An answer that is none.
enum Trouble {
    /// Others would say the same.
    Final(ResolveError),
    /// Another server may know.
    Elsewhere(ResolveError),
}

fn ask(server: SocketAddr, time: Duration, name: &str, kind: &str) -> Result<Vec<String>, Trouble> {
    let wrong = |_| Trouble::Final(ResolveError::Other("this is no name".to_owned()));
    let kind = record_type(kind).ok_or(Trouble::Final(ResolveError::Denied))?;
    let mut number = [0; 2];
    getrandom::fill(&mut number).map_err(|_| Trouble::Final(ResolveError::Other("no randomness".to_owned())))?;
    let mut query = Packet::new_query(u16::from_be_bytes(number));
    query.set_flags(PacketFlag::RECURSION_DESIRED);
    let question = Question::new(Name::new(name).map_err(wrong)?, QTYPE::TYPE(kind), CLASS::IN.into(), false);
    query.questions.push(question);
    let bytes = query.build_bytes_vec().map_err(wrong)?;
    let until = Instant::now() + time;
    let mut answer = over_udp(server, until, &bytes, &query).map_err(io)?;
    let cut = Packet::parse(&answer).is_ok_and(|packet| packet.has_flags(PacketFlag::TRUNCATION));
    if cut {
        answer = over_tcp(server, until, &bytes).map_err(io)?;
    }
    let unreadable = || Trouble::Elsewhere(ResolveError::Other("the server's answer cannot be read".to_owned()));
    let packet = Packet::parse(&answer).map_err(|_| unreadable())?;
    if !answers(&packet, &query) {
        return Err(unreadable());
    }
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Err(Trouble::Final(ResolveError::NotFound)),
        other => {
            return Err(Trouble::Elsewhere(ResolveError::Other(format!("the server of names says {other:?}"))));
        }
    }
    let found: Vec<String> =
        packet.answers.iter().filter_map(|record| text_of(&record.rdata, kind)).take(MOST_RECORDS).collect();
    if found.is_empty() { Err(Trouble::Final(ResolveError::NotFound)) } else { Ok(found) }
}

fn io(error: std::io::Error) -> Trouble {
    Trouble::Elsewhere(match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => ResolveError::TimedOut,
        _ => ResolveError::Other(format!("the server of names: {error}")),
    })
}

fn remaining(until: Instant) -> std::io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn over_udp(server: SocketAddr, until: Instant, bytes: &[u8], query: &Packet<'_>) -> std::io::Result<Vec<u8>> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // Connected: the system drops what others send.
    socket.connect(server)?;
    socket.send(bytes)?;
    let mut buffer = vec![0; 4096];
    loop {
        socket.set_read_timeout(Some(remaining(until)?))?;
        let length = socket.recv(&mut buffer)?;
        let answer = buffer.get(..length).unwrap_or_default();
        // Anything else may be made up by somebody who guesses; the true answer may still come.
        if Packet::parse(answer).is_ok_and(|packet| answers(&packet, query)) {
            return Ok(answer.to_vec());
        }
    }
}

fn over_tcp(server: SocketAddr, until: Instant, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, remaining(until)?)?;
    stream.set_write_timeout(Some(remaining(until)?))?;
    let length = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), bytes].concat())?;
    let mut exactly = |count: usize| -> std::io::Result<Vec<u8>> {
        let mut read = Vec::with_capacity(count);
        let mut buffer = [0; 4096];
        while read.len() < count {
            // One byte at a time must not take for ever.
            stream.set_read_timeout(Some(remaining(until)?))?;
            let room = buffer.len().min(count - read.len());
            let got = stream.read(buffer.get_mut(..room).unwrap_or_default())?;
            if got == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            read.extend_from_slice(buffer.get(..got).unwrap_or_default());
        }
        Ok(read)
    };
    let length = exactly(2)?.into_iter().fold(0, |sum, byte| (sum << 8) | usize::from(byte));
    exactly(length)
}

/// Whether this is the answer to that question.
fn answers(packet: &Packet<'_>, query: &Packet<'_>) -> bool {
    let same = |a: &Question<'_>, b: &Question<'_>| {
        a.qtype == b.qtype && a.qname.to_string().eq_ignore_ascii_case(&b.qname.to_string())
    };
    packet.id() == query.id()
        && packet.has_flags(PacketFlag::RESPONSE)
        && packet.questions.len() == query.questions.len()
        && packet.questions.iter().zip(&query.questions).all(|(a, b)| same(a, b))
}

fn record_type(kind: &str) -> Option<TYPE> {
    Some(match kind {
        "A" => TYPE::A,
        "AAAA" => TYPE::AAAA,
        "PTR" => TYPE::PTR,
        "TXT" => TYPE::TXT,
        "MX" => TYPE::MX,
        "NS" => TYPE::NS,
        "CNAME" => TYPE::CNAME,
        _ => return None,
    })
}

/// A record as text, if it is of that kind: an answer also holds the aliases on the way.
fn text_of(data: &RData<'_>, kind: TYPE) -> Option<String> {
    Some(match (data, kind) {
        (RData::A(a), TYPE::A) => Ipv4Addr::from_bits(a.address).to_string(),
        (RData::AAAA(a), TYPE::AAAA) => std::net::Ipv6Addr::from_bits(a.address).to_string(),
        (RData::PTR(name), TYPE::PTR) => name.0.to_string(),
        (RData::NS(name), TYPE::NS) => name.0.to_string(),
        (RData::CNAME(name), TYPE::CNAME) => name.0.to_string(),
        (RData::MX(mx), TYPE::MX) => format!("{} {}", mx.preference, mx.exchange),
        (RData::TXT(text), TYPE::TXT) => {
            let mut bytes = Vec::new();
            for (key, value) in text.iter_raw() {
                bytes.extend_from_slice(key);
                if let Some(value) = value {
                    bytes.push(b'=');
                    bytes.extend_from_slice(value);
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => return None,
    })
}

/// The name under which the names of an address stand.
fn reversed(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let digits = (0..32).map(|n| format!("{:x}.", (ip.to_bits() >> (4 * n)) & 15));
            digits.collect::<String>() + "ip6.arpa"
        }
    }
}

/// Servers of a `resolv.conf`; without one, that of this machine, as the system does.
fn configured(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|word| *word == "nameserver").and(words.next())?;
        Some(SocketAddr::new(address.parse().ok()?, 53))
    });
    let mut servers: Vec<SocketAddr> = servers.take(MOST_SERVERS).collect();
    if servers.is_empty() {
        servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53));
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_turned_around() {
        assert_eq!(reversed("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
        let six = reversed("2001:db8::1".parse().unwrap());
        assert!(six.starts_with("1.0.0.0.") && six.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"), "{six}");
    }

    /// A server of names that answers so many questions over UDP, each with all these packets, and then one over TCP.
    fn server(answer: impl Fn(Packet<'_>) -> Vec<Vec<u8>> + Send + 'static, tcp: bool) -> SocketAddr {
        // One port for both; another test may have one of them.
        let both = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").ok()?;
            let socket = UdpSocket::bind(listener.local_addr().ok()?).ok()?;
            Some((listener, socket))
        };
        let (listener, socket) = (0..100).find_map(|_| both()).unwrap();
        let address = socket.local_addr().unwrap();
        // Ends with the process.
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                for packet in answer(Packet::parse(&buffer[..length]).unwrap()) {
                    socket.send_to(&packet, from).unwrap();
                }
                if tcp {
                    let (mut stream, _) = listener.accept().unwrap();
                    let mut length = [0; 2];
                    stream.read_exact(&mut length).unwrap();
                    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                    stream.read_exact(&mut query).unwrap();
                    let whole = reply(&Packet::parse(&query).unwrap(), RCODE::NoError, &[("192.0.2.7", 7)]);
                    let length = u16::try_from(whole.len()).unwrap().to_be_bytes();
                    stream.write_all(&length).unwrap();
                    // Byte by byte, as slow lines do.
                    whole.iter().for_each(|byte| stream.write_all(&[*byte]).unwrap());
                }
            }
        });
        address
    }

    fn reply(query: &Packet<'_>, code: RCODE, addresses: &[(&str, u32)]) -> Vec<u8> {
        let mut packet = Packet::new_reply(query.id());
        packet.questions = query.questions.clone();
        *packet.rcode_mut() = code;
        for (address, ttl) in addresses {
            let address: Ipv4Addr = address.parse().unwrap();
            let data = RData::A(simple_dns::rdata::A { address: address.to_bits() });
            let name = query.questions[0].qname.clone();
            packet.answers.push(simple_dns::ResourceRecord::new(name, simple_dns::CLASS::IN, *ttl, data));
        }
        packet.build_bytes_vec().unwrap()
    }

    fn look(server: SocketAddr) -> Result<Vec<String>, ResolveError> {
        lookup(&[server], Duration::from_secs(10), "host.example.", "A")
    }

    #[test]
    fn the_answer_to_the_question_counts_and_no_other() {
        let guessed = server(
            |query| {
                let mut other = Packet::new_query(query.id().wrapping_add(1));
                other.questions = query.questions.clone();
                let mut wrong = query.clone();
                wrong.questions[0].qname = Name::new("evil.example").unwrap();
                vec![
                    b"no packet".to_vec(),
                    reply(&other, RCODE::NoError, &[("203.0.113.1", 1)]),
                    reply(&wrong, RCODE::NoError, &[("203.0.113.2", 1)]),
                    reply(&query, RCODE::NoError, &[("192.0.2.1", 1), ("192.0.2.2", 1)]),
                ]
            },
            false,
        );
        assert_eq!(look(guessed), Ok(vec!["192.0.2.1".into(), "192.0.2.2".into()]));
    }

    #[test]
    fn no_name_no_record_and_a_server_in_trouble_are_told_apart() {
        let says = |code| server(move |query| vec![reply(&query, code, &[])], false);
        assert_eq!(look(says(RCODE::NameError)), Err(ResolveError::NotFound));
        assert_eq!(look(says(RCODE::NoError)), Err(ResolveError::NotFound));
        assert!(matches!(look(says(RCODE::ServerFailure)), Err(ResolveError::Other(_))));
        // Another server is asked then.
        let fine = server(|query| vec![reply(&query, RCODE::NoError, &[("192.0.2.1", 1)])], false);
        let both = [says(RCODE::ServerFailure), fine];
        assert_eq!(lookup(&both, Duration::from_secs(10), "host.example", "A"), Ok(vec!["192.0.2.1".into()]));
        let silent = server(|_| vec![], false);
        assert_eq!(lookup(&[silent], Duration::from_millis(100), "host.example", "A"), Err(ResolveError::TimedOut));
        assert!(matches!(
            lookup(&[silent], Duration::from_millis(100), &"x".repeat(300), "A"),
            Err(ResolveError::Other(_))
        ));
    }

    #[test]
    fn an_answer_that_was_cut_is_asked_for_again_over_tcp() {
        let cut = server(
            |query| {
                let mut packet = Packet::new_reply(query.id());
                packet.questions = query.questions.clone();
                packet.set_flags(PacketFlag::TRUNCATION);
                vec![packet.build_bytes_vec().unwrap()]
            },
            true,
        );
        assert_eq!(look(cut), Ok(vec!["192.0.2.7".into()]));
    }

    #[test]
    fn servers_of_the_system_are_found() {
        let text = "# a comment\nsearch example.org\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver x\n";
        let want: Vec<SocketAddr> = vec!["192.0.2.53:53".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap()];
        assert_eq!(configured(text), want);
        assert_eq!(configured(""), ["127.0.0.1:53".parse().unwrap()]);
    }
}
