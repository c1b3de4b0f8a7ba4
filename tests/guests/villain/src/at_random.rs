//! Calls host functions with random arguments.

use crate::tenter::hooks::types::{Datapoint, EntityRef, Task, Value};
use crate::tenter::hooks::{call, entities, http, log, resolver, secrets, state, tasks};

/// SplitMix64: the same for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Small, huge and odd numbers.
    fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.below(4),
            1 => u64::MAX - self.below(4),
            2 => i64::MAX as u64 + self.below(2),
            _ => self.next(),
        }
    }

    fn text(&mut self) -> String {
        let words =
            ["", "ip", "asn", "k", "192.0.2.1", "192.0.2.66", "../..", "\0", "\u{202e}", "http://[::1]/", "GET", "A"];
        match self.below(4) {
            0 | 1 => words[self.below(words.len() as u64) as usize].into(),
            2 => (0..self.below(600))
                .map(|_| char::from_u32(self.below(0x11_0000) as u32).unwrap_or('\u{fffd}'))
                .collect(),
            _ => "x".repeat(self.below(5_000) as usize),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(300)).map(|_| self.next() as u8).collect()
    }

    fn entity(&mut self) -> EntityRef {
        EntityRef { etype: self.text(), eid: self.text() }
    }

    fn some<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Option<T> {
        if self.below(2) == 0 { None } else { Some(make(self)) }
    }

    fn task(&mut self) -> Task {
        let time = |r: &mut Self| r.number() as i64;
        let datapoints = (0..self.below(3)).map(|_| Datapoint {
            attr: self.text(),
            value: Value::Real(f64::from_bits(self.number())),
            src: self.some(Self::text),
            t1: self.some(time),
            t2: self.some(time),
            confidence: self.some(|r| f64::from_bits(r.number())),
        });
        let datapoints = datapoints.collect();
        Task {
            entity: self.entity(),
            datapoints,
            ttl_tokens: vec![],
            tags: vec![self.text()],
            remove_entity: self.below(2) == 0,
        }
    }

    fn request(&mut self) -> http::Request {
        let parameter = |r: &mut Self| http::Parameter { name: r.text(), value: http::Sensitive::Clear(r.text()) };
        http::Request {
            method: self.text(),
            url: self.text(),
            query: vec![parameter(self)],
            headers: vec![parameter(self)],
            body: self.some(Self::bytes),
            timeout_ms: self.some(|r| r.number() as u32),
        }
    }
}

/// Makes 40 calls; returns how many of them the host answered with something else than an error.
pub(crate) fn calls(seed: u64) -> u64 {
    let mut r = Random(seed);
    let mut good = 0u64;
    for _ in 0..40 {
        let ok = match r.below(16) {
            0 => {
                log::write(log::Level::Info, &r.text());
                true
            }
            1 => call::resume_after(r.number() as u32, &r.text()),
            2 => call::memo().is_none() && call::now() > 0,
            3 | 4 => state::store(&r.text(), &r.bytes(), r.some(Random::number)).is_ok(),
            5 => state::fetch(&r.text()).is_ok(),
            6 => state::discard(&r.text()).is_ok(),
            7 => state::increment(&r.text(), r.number() as i64).is_ok(),
            8 => state::keys(&r.text(), r.some(Random::text).as_deref(), r.number() as u32).is_ok(),
            9 => entities::known(&r.entity()).is_ok(),
            10 => entities::read_record(&r.entity()).is_ok(),
            11 => tasks::submit(&(0..r.below(3)).map(|_| r.task()).collect::<Vec<_>>()).is_ok(),
            12 => http::send(&r.request()).is_ok(),
            13 => resolver::lookup(&r.text(), &r.text(), None).is_ok(),
            14 => resolver::reverse(&r.text(), Some(&r.text())).is_ok(),
            _ => secrets::hmac_sha256(&r.text(), &r.bytes()).is_ok(),
        };
        good += u64::from(ok);
    }
    good
}
