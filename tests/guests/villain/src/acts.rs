//! What the villain does.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant, SystemTime};

use crate::at_random;
use crate::exports::tenter::villain::things;
use crate::tenter::hooks::types::{Column, Datapoint, EntityRef, HookError, Series, Task, Value};
use crate::tenter::hooks::{call, entities, http, log, resolver, secrets, state, tasks};

pub(crate) struct Thing;

impl things::GuestThing for Thing {
    fn new() -> Self {
        Self
    }
}

thread_local! {
    /// Lives as long as the instance: shows whether it is warm.
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static CONFIG_TEXT: RefCell<String> = const { RefCell::new(String::new()) };
    static HOARD: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn set_config_text(text: String) {
    CONFIG_TEXT.set(text);
}

pub(crate) fn spin() -> ! {
    let mut n = 0u64;
    loop {
        n = std::hint::black_box(n + 1);
    }
}

/// Little on the stack in linear memory: fills the host's.
fn recurse_slim(n: u64) -> u64 {
    if std::hint::black_box(n) == u64::MAX { 0 } else { recurse_slim(n + 1).wrapping_mul(n | 1) + 1 }
}

/// Much on the stack in linear memory.
fn recurse(n: u64) -> u64 {
    let room = std::hint::black_box([n; 64]);
    if n == u64::MAX { 0 } else { recurse(n + 1) + room[(n % 64) as usize] }
}

pub(crate) fn act(what: &str, entity: &EntityRef) -> Result<Vec<Task>, HookError> {
    let calls = CALLS.get() + 1;
    CALLS.set(calls);
    let (name, rest) = what.split_once(' ').unwrap_or((what, ""));
    let n: u64 = rest.parse().unwrap_or(0);
    let said = |tags: Vec<String>| {
        Ok(vec![Task { entity: entity.clone(), datapoints: vec![], ttl_tokens: vec![], tags, remove_entity: false }])
    };
    let value = |value: Value| {
        let datapoint = Datapoint { attr: "hostname".into(), value, src: None, t1: None, t2: None, confidence: None };
        let mut tasks = said(vec![])?;
        tasks[0].datapoints.push(datapoint);
        Ok(tasks)
    };
    match name {
        "nothing" => Ok(vec![]),
        "count" => said(vec![calls.to_string()]),
        "config" => said(vec![CONFIG_TEXT.with_borrow(Clone::clone)]),
        "loop" => spin(),
        "work" => {
            (0..n).for_each(|i| {
                std::hint::black_box(i);
            });
            Ok(vec![])
        }
        "recurse-slim" => said(vec![recurse_slim(0).to_string()]),
        "recurse" => said(vec![recurse(0).to_string()]),
        "grow" => loop {
            // Not filled: that would cost fuel by the byte.
            HOARD.with_borrow_mut(|h| h.push(Vec::with_capacity(1 << 20)));
        },
        "hold" => {
            HOARD.with_borrow_mut(|h| h.extend((0..n).map(|_| Vec::with_capacity(1 << 20))));
            Ok(vec![])
        }
        "string" => value(Value::Text("x".repeat(n as usize))),
        "tasks" => Ok((0..n).map(|_| said(vec![]).unwrap_or_default()).flatten().collect()),
        "nan" => value(Value::Real(f64::NAN)),
        "infinite-confidence" => value(Value::Boolean(true)).map(|mut t: Vec<Task>| {
            t[0].datapoints[0].confidence = Some(f64::INFINITY);
            t
        }),
        "bad-type" => said(vec![]).map(|mut t: Vec<Task>| {
            t[0].entity.etype = "no type".into();
            t
        }),
        "bad-eid" => said(vec![]).map(|mut t: Vec<Task>| {
            t[0].entity.eid = "a\0b".into();
            t
        }),
        "eid" => said(vec![]).map(|mut t: Vec<Task>| {
            t[0].entity.eid = "e".repeat(n as usize);
            t
        }),
        "time" => value(Value::Time(rest.parse().unwrap_or(0))),
        "t1-t2" => value(Value::Boolean(true)).map(|mut t: Vec<Task>| {
            let (t1, t2) = rest.split_once(' ').unwrap_or(("", ""));
            (t[0].datapoints[0].t1, t[0].datapoints[0].t2) = (t1.parse().ok(), t2.parse().ok());
            t
        }),
        "allocate" => {
            HOARD.with_borrow_mut(|h| h.push(Vec::with_capacity(n as usize)));
            Ok(vec![])
        }
        "host-at-random" => said(vec![at_random::calls(n).to_string()]),
        "bad-tag" => said(vec!["ok".into(), "a\u{1b}[31m".into()]),
        "bad-json" => value(Value::Json("{".into())),
        "deep-json" => value(Value::Json("[".repeat(100_000))),
        "bad-address" => value(Value::Address("10.0.0.256".into())),
        "ragged" => value(Value::Chunk(vec![
            Series { name: "a".into(), column: Column::Integers(vec![1, 2]) },
            Series { name: "b".into(), column: Column::Integers(vec![1]) },
        ])),
        "late-error" => {
            let mut all: Vec<Task> = (0..n).flat_map(|_| said(vec![]).unwrap_or_default()).collect();
            all.extend(value(Value::Json("nope".into()))?);
            Ok(all)
        }
        "host-calls" => {
            (0..n).for_each(|_| {
                call::now();
            });
            Ok(vec![])
        }
        "host-bytes" => {
            log::write(log::Level::Info, &"x".repeat(n as usize));
            Ok(vec![])
        }
        "host-bytes-sum" => {
            let piece = "x".repeat(10_000);
            (0..n).for_each(|_| log::write(log::Level::Info, &piece));
            Ok(vec![])
        }
        "log" => {
            for i in 0..n {
                log::write(log::Level::Warning, &format!("line {i} \u{1b}[31mred\n{{\"level\":\"error\"}}"));
            }
            Ok(vec![])
        }
        "print" => {
            println!("to stdout");
            eprintln!("to stderr \u{1b}[2J");
            Ok(vec![])
        }
        "handles" => {
            (0..n).for_each(|_| std::mem::forget(things::Thing::new(Thing)));
            Ok(vec![])
        }
        "panic" => panic!("the villain panics"),
        "exit" => std::process::exit(3),
        "sometimes" => {
            assert!(calls % 2 == 1, "every second call");
            said(vec![calls.to_string()])
        }
        "sleep" => {
            std::thread::sleep(Duration::from_millis(n));
            said(vec!["awake".into()])
        }
        "probe" => said(probe()),
        "now" => said(vec![call::now().to_string(), call::id(), format!("{:?}", call::cause())]),
        "random" => said(vec![call::random().to_string(), RandomState::new().hash_one(1u8).to_string()]),
        "resume" => said(vec![call::resume_after(1, "memo").to_string(), format!("{:?}", call::memo())]),
        "state" => said(state_words(rest)),
        "state-or-fail" => match state::store("k", &vec![0; n as usize], None) {
            Ok(()) => Ok(vec![]),
            Err(e) => Err(HookError::Failed(format!("cannot keep it: {e:?}"))),
        },
        "state-or-panic" => {
            state::store("k", b"v", None).expect("room for state");
            Ok(vec![])
        }
        "state-fill" => {
            let piece = vec![7u8; 200 << 10];
            let mut last = String::from("no end");
            for i in 0..n {
                if let Err(e) = state::store(&format!("k{i}"), &piece, None) {
                    last = format!("{i} {e:?}");
                    break;
                }
            }
            said(vec![last])
        }
        "read" => {
            let (etype, eid) = rest.split_once('/').unwrap_or((rest, ""));
            let target = EntityRef { etype: etype.into(), eid: eid.into() };
            said(vec![format!("{:?}", entities::known(&target)), format!("{:?}", entities::read_record(&target))])
        }
        "schema" => said(vec![entities::schema(), entities::case_hooks().len().to_string()]),
        "denied" => said(vec![
            format!("{:?}", tasks::submit(&said(vec![])?)),
            format!(
                "{:?}",
                http::send(&http::Request {
                    method: "GET".into(),
                    url: "http://192.0.2.1/".into(),
                    query: vec![],
                    headers: vec![],
                    body: None,
                    timeout_ms: None,
                })
            ),
            format!("{:?}", resolver::lookup("example.com", "A", None)),
            format!("{:?}", resolver::reverse("192.0.2.1", None)),
            format!("{:?}", secrets::available()),
            format!("{:?}", secrets::hmac_sha256("key", b"text")),
        ]),
        "http" => {
            let (method, url) = rest.split_once(' ').unwrap_or((rest, ""));
            // `METHOD URL` or `METHOD URL SECRET`.
            let (url, secret) = url.split_once(' ').unwrap_or((url, ""));
            let used = http::Sensitive::Secret(http::SecretUse { prefix: "Bearer ".into(), name: secret.into() });
            let header = http::Parameter { name: "authorization".into(), value: used };
            let answer = http::send(&http::Request {
                method: method.into(),
                url: url.into(),
                query: vec![],
                headers: if secret.is_empty() { vec![] } else { vec![header] },
                body: (method == "POST").then(|| b"{}".to_vec()),
                timeout_ms: None,
            });
            match answer {
                Ok(answer) => told(&[format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))]),
                Err(error) => Err(HookError::Failed(format!("{error:?}"))),
            }
        }
        "http-many" => {
            let get = |_| {
                let (query, headers) = (vec![], vec![]);
                let (method, url) = ("GET".into(), rest.into());
                http::send(&http::Request { method, url, query, headers, body: None, timeout_ms: Some(1) })
            };
            let answers: Vec<_> = (0..20).map(get).collect();
            let went = answers.iter().filter(|answer| !matches!(answer, Err(http::HttpError::Denied(_)))).count();
            told(&[format!("{went} of {} went out", answers.len())])
        }
        "lookup" => {
            let (kind, name) = rest.split_once(' ').unwrap_or((rest, ""));
            let (name, server) = name.split_once(" at ").map_or((name, None), |(name, server)| (name, Some(server)));
            match resolver::lookup(name, kind, server) {
                Ok(found) => told(&found),
                Err(error) => Err(HookError::Failed(format!("{error:?}"))),
            }
        }
        "secrets" => {
            let mut words = secrets::available();
            words.push(format!("{:?}", secrets::hmac_sha256(rest, b"text").map(|mac| mac.len())));
            told(&words)
        }
        "invalid-input" => Err(HookError::InvalidInput("bad \u{1b}[31mdata".into())),
        "unavailable" => Err(HookError::Unavailable("nobody there".into())),
        "failed" => Err(HookError::Failed("my fault".into())),
        other => Err(HookError::Failed(format!("no such act: {other}"))),
    }
}

/// What was found out goes to the log.
fn told(what: &[String]) -> Result<Vec<Task>, HookError> {
    what.iter().for_each(|line| log::write(log::Level::Info, line));
    Ok(vec![])
}

/// What can be seen of the world outside.
fn probe() -> Vec<String> {
    let clock = |t: SystemTime| t.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros()).to_string();
    let before = Instant::now();
    let wall = clock(SystemTime::now());
    (0..10_000).for_each(|i| {
        std::hint::black_box(i);
    });
    vec![
        format!("env {}", std::env::vars().count()),
        format!("args {}", std::env::args().count()),
        format!("file {:?}", std::fs::read("/etc/passwd").map_err(|e| e.kind())),
        format!("write {:?}", std::fs::write("out", "x").map_err(|e| e.kind())),
        format!("tcp {:?}", std::net::TcpStream::connect("127.0.0.1:22").map(drop).map_err(|e| e.kind())),
        format!("udp {:?}", std::net::UdpSocket::bind("127.0.0.1:0").map(drop).map_err(|e| e.kind())),
        format!("wall {wall} {}", clock(SystemTime::now())),
        format!("passed {:?}", before.elapsed()),
    ]
}

/// Runs words such as `put:k:v`, `get:k`, `del:k`, `add:k:2`, `keys:prefix`, and tells what each gave.
fn state_words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| {
            let mut parts = word.split(':');
            let (op, key, arg) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            match op {
                "put" => format!("{:?}", state::store(key, arg.as_bytes(), None)),
                "big" => format!("{:?}", state::store(key, &vec![0; arg.parse().unwrap_or(0)], None)),
                "long" => format!("{:?}", state::fetch(&"k".repeat(arg.parse().unwrap_or(0)))),
                "get" => {
                    format!("{:?}", state::fetch(key).map(|v| v.map(|v| String::from_utf8_lossy(&v).into_owned())))
                }
                "del" => format!("{:?}", state::discard(key)),
                "add" => format!("{:?}", state::increment(key, arg.parse().unwrap_or(0))),
                "keys" => format!("{:?}", state::keys(key, None, 10)),
                _ => format!("? {word}"),
            }
        })
        .collect()
}
