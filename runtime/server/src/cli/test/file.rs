//! Files of tests as data: what `docs/modules.md` describes, read and checked before anything runs.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tenter_model::capability::{DNS_PORT, Grant};
use tenter_model::config::Tree;
use tenter_model::egress::{METHODS, RECORDS, Url};
use tenter_model::{HookKind, Timestamp};

use super::matching;
use super::outside::{Answer, Fault, Name, Script};
use super::spot::{Read, Spot};
use crate::cli::workbench;
use crate::error::{CliError, Kind};

/// The time that modules see in cases that name none: tests give the same whenever they run.
const NOW: &str = "2026-01-01T00:00:00Z";

/// A case: calls of one instance, and the world around it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The file, as it was named.
    pub(super) file: String,
    /// Line in it, from 1.
    pub(super) line: u32,
    /// What it says of itself.
    pub(super) name: String,
    /// Configuration of the module; absent: that of the site.
    pub(super) config: Option<Json>,
    /// Absent: all that the module asks for.
    pub(super) grants: Option<Vec<Grant>>,
    /// Limits that differ from the defaults.
    pub(super) limits: BTreeMap<String, u64>,
    /// The time of calls that name none.
    pub(super) now: Timestamp,
    /// Folder of configuration.
    pub(super) site: Option<PathBuf>,
    /// What is outside.
    pub(super) script: Script,
    /// Granted folders: contents of files by name.
    pub(super) files: BTreeMap<String, BTreeMap<String, String>>,
    /// Module state before the first call.
    pub(super) state: BTreeMap<String, String>,
    /// Entities in the store.
    pub(super) records: Vec<Json>,
    /// In order.
    pub(super) calls: Vec<Call>,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) hook: HookKind,
    pub(super) subscription: Option<String>,
    pub(super) now: Timestamp,
    pub(super) input: Json,
    pub(super) expect: Json,
}

/// The files of tests in a folder, in order of their names; a file is taken as it is.
///
/// # Errors
/// When there is no such folder, or it cannot be read.
pub(super) fn files_in(place: &Path) -> Result<Vec<PathBuf>, CliError> {
    let wrong = |e: std::io::Error| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        CliError::new(kind, format!("cannot read tests in {}: {e}", place.display()))
    };
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let entries = std::fs::read_dir(place).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(wrong)?;
    let is_test = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|x| ["yml", "yaml", "json"].iter().any(|known| x == *known))
    };
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).filter(is_test).collect();
    files.sort();
    Ok(files)
}

/// The cases of a file.
///
/// # Errors
/// What is wrong in it, with its place and what was expected.
pub(super) fn read(path: &Path) -> Result<Vec<Case>, CliError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::new(Kind::Failed, format!("cannot read tests in {file}: {e}")))?;
    parse(&file, &text, path.parent().unwrap_or(Path::new("."))).map_err(|problem| {
        CliError::new(Kind::Invalid, crate::output::plain(&problem.to_string()))
            .help("docs/modules.md describes the form of tests")
    })
}

/// The cases of a text; paths in it are relative to that folder.
pub(super) fn parse(file: &str, text: &str, folder: &Path) -> Read<Vec<Case>> {
    let mut tree = Tree::read(file, text)?;
    tree.json = matching::repeated(tree.json);
    let whole = Spot::whole(file, &tree);
    if tree.json.is_null() {
        return whole.wrong("a list of cases");
    }
    whole.items()?.iter().map(|spot| case(file, spot, folder)).collect()
}

fn case(file: &str, spot: &Spot<'_>, folder: &Path) -> Read<Case> {
    spot.keys(&[
        "name",
        "config",
        "grants",
        "limits",
        "now",
        "site",
        "http",
        "dns",
        "secrets",
        "files",
        "state",
        "records",
        "calls",
        "hook",
        "subscription",
        "input",
        "expect",
    ])?;
    let now = match spot.get("now") {
        Some(now) => time(&now)?,
        None => Timestamp::parse(NOW).unwrap_or(Timestamp(0)),
    };
    let calls = match (spot.get("calls"), spot.get("hook")) {
        (Some(_), Some(hook)) => hook.because("a case has either `calls` or `hook`".to_owned(), None)?,
        (Some(calls), None) => {
            for alone in ["subscription", "input", "expect"] {
                if let Some(spot) = spot.get(alone) {
                    return spot.because(format!("with `calls`, {alone} stands in each of them"), None);
                }
            }
            let calls = calls.items()?;
            let keys = ["hook", "subscription", "now", "input", "expect"];
            calls.iter().map(|call| call.keys(&keys).and_then(|()| self::call(call, now))).collect::<Read<Vec<_>>>()?
        }
        (None, _) => vec![call(spot, now)?],
    };
    let config = spot.get("config").map(|config| config.entries().map(|_| config.json.clone())).transpose()?;
    let grants = spot.get("grants").map(|grants| {
        grants.items()?.iter().map(|g| workbench::grant(g.text()?).or_else(|why| g.because(why, None))).collect()
    });
    let mut limits = BTreeMap::new();
    for (name, limit) in spot.get("limits").map_or(Ok(Vec::new()), |limits| limits.entries())? {
        limits.insert(name.to_owned(), limit.json.as_u64().map_or_else(|| limit.wrong("a whole number"), Ok)?);
    }
    let mut files = BTreeMap::new();
    for (name, contents) in spot.get("files").map_or(Ok(Vec::new()), |files| files.entries())? {
        let contents: BTreeMap<_, _> = contents.texts()?.into_iter().collect();
        let odd = |path: &str| path.split('/').any(|step| step.is_empty() || step == "." || step == "..");
        if let Some(path) = contents.keys().find(|path| odd(path)) {
            return spot.because(format!("files: {path:?} is no path of a file in the folder {name}"), None);
        }
        files.insert(name.to_owned(), contents);
    }
    let texts = |key: &str| spot.get(key).map_or(Ok(Vec::new()), |texts| texts.texts());
    Ok(Case {
        file: file.to_owned(),
        line: spot.line(),
        name: spot.need("name")?.text()?.to_owned(),
        config,
        grants: grants.transpose()?,
        limits,
        now,
        site: spot.get("site").map(|site| site.text().map(|site| folder.join(site))).transpose()?,
        script: Script {
            http: spot.list("http")?.iter().map(answer).collect::<Read<_>>()?,
            dns: spot.list("dns")?.iter().map(name).collect::<Read<_>>()?,
            secrets: texts("secrets")?.into_iter().collect(),
        },
        files,
        state: texts("state")?.into_iter().collect(),
        records: spot.list("records")?.iter().map(|record| record.json.clone()).collect(),
        calls,
    })
}

fn call(spot: &Spot<'_>, now: Timestamp) -> Read<Call> {
    let hook = spot.need("hook")?;
    let kind = hook.text()?.parse::<HookKind>().or_else(|e| hook.because(e.to_string(), None))?;
    if let Some(expect) = spot.get("expect") {
        expect.entries()?;
        matching::check(&expect)?;
    }
    Ok(Call {
        hook: kind,
        subscription: spot.get("subscription").map(|s| s.text().map(str::to_owned)).transpose()?,
        now: spot.get("now").map_or(Ok(now), |now| time(&now))?,
        input: spot.get("input").map_or_else(|| serde_json::json!({}), |input| input.json.clone()),
        expect: spot.get("expect").map_or(Json::Null, |expect| expect.json.clone()),
    })
}

fn time(spot: &Spot<'_>) -> Read<Timestamp> {
    Timestamp::parse(spot.text()?).map_or_else(|| spot.wrong("a time such as 2030-01-01T00:00:00Z"), Ok)
}

fn answer(spot: &Spot<'_>) -> Read<Answer> {
    spot.keys(&["method", "url", "status", "headers", "body", "json", "error"])?;
    let method = match spot.get("method") {
        Some(method) => match METHODS.iter().find(|known| Some(**known) == method.json.as_str()) {
            Some(known) => *known,
            None => return method.wrong(format!("one of {}", METHODS.join(", "))),
        },
        None => "GET",
    };
    let given = spot.need("url")?;
    let url = Url::parse(given.text()?).or_else(|why| given.because(why, None))?;
    let status = match spot.get("status") {
        Some(status) => {
            match status.json.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| (100..1000).contains(n)) {
                Some(n) => n,
                None => return status.wrong("a status of HTTP, such as 404"),
            }
        }
        None => 200,
    };
    let mut headers = spot.get("headers").map_or(Ok(Vec::new()), |headers| headers.texts())?;
    let body = match (spot.get("body"), spot.get("json")) {
        (Some(_), Some(json)) => json.because("an answer has either `body` or `json`".to_owned(), None)?,
        (Some(body), None) => body.text()?.as_bytes().to_vec(),
        (None, Some(json)) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            json.json.to_string().into_bytes()
        }
        (None, None) => Vec::new(),
    };
    let fault = fault(spot, &[Fault::TimedOut, Fault::TooLarge, Fault::Unreachable])?;
    Ok(Answer { method: method.to_owned(), url, status, headers, body, fault })
}

fn name(spot: &Spot<'_>) -> Read<Name> {
    spot.keys(&["name", "kind", "server", "answers", "error"])?;
    let kind = match spot.get("kind") {
        Some(kind) => match RECORDS.iter().find(|known| Some(**known) == kind.json.as_str()) {
            Some(known) => *known,
            None => return kind.wrong(format!("one of {}", RECORDS.join(", "))),
        },
        None => "A",
    };
    Ok(Name {
        name: spot.need("name")?.text()?.to_owned(),
        kind: kind.to_owned(),
        server: spot.get("server").map(|server| self::server(&server)).transpose()?,
        answers: spot.list("answers")?.iter().map(|a| a.text().map(str::to_owned)).collect::<Read<_>>()?,
        fault: fault(spot, &[Fault::TimedOut, Fault::NotFound])?,
    })
}

/// An address, at the port of DNS unless it says another.
fn server(spot: &Spot<'_>) -> Read<SocketAddr> {
    let text = spot.text()?;
    let with_port = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DNS_PORT));
    text.parse().ok().or_else(with_port).map_or_else(|| spot.wrong("an address such as 192.0.2.53"), Ok)
}

fn fault(spot: &Spot<'_>, known: &[Fault]) -> Read<Option<Fault>> {
    let Some(error) = spot.get("error") else { return Ok(None) };
    let names: Vec<_> = known.iter().map(|fault| fault.name()).collect();
    let fault = known.iter().find(|fault| Some(fault.name()) == error.json.as_str());
    fault.copied().map_or_else(|| error.wrong(format!("one of {}", names.join(", "))), |fault| Ok(Some(fault)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_a_world_and_calls() {
        let text = r#"
- name: asks a peer
  config: {url: "https://a.example"}
  grants: [state, "http GET https://a.example/*"]
  limits: {fuel: 1000}
  now: 2026-01-02T03:04:05Z
  site: ../site
  http: [{url: "https://a.example/x?y=1", json: {ok: true}}, {method: POST, url: "https://a.example/", error: timed-out}]
  dns: [{name: a.example, kind: TXT, server: 192.0.2.53, answers: [x]}, {name: b.example, error: not-found}]
  secrets: {token: "12345678"}
  files: {lists: {a/b.txt: one}}
  state: {k: v}
  calls:
    - hook: on-task-start
      input: {task: {etype: ip, eid: {$repeat: ab, times: 3}}}
    - {hook: cron, now: 2027-01-01T00:00:00Z, subscription: s, expect: {log: [{message: {$contains: x}}]}}
- {name: short, hook: update-entity, input: {entity: {etype: ip, eid: x}}, expect: {result: failed}}
"#;
        let cases = parse("t/a.yml", text, Path::new("t")).unwrap();
        let case = &cases[0];
        assert_eq!((case.line, case.site.as_deref()), (2, Some(Path::new("t/../site"))));
        assert_eq!(case.grants.as_ref().unwrap()[1].to_string(), "http GET https://a.example/*");
        assert_eq!(case.script.http[0].headers, [("content-type".to_owned(), "application/json".to_owned())]);
        assert_eq!(case.script.http[1].fault, Some(Fault::TimedOut));
        assert_eq!(case.calls[0].input["task"]["eid"], "ababab");
        assert_eq!(
            case.calls.iter().map(|c| c.now.to_string()).collect::<Vec<_>>(),
            ["2026-01-02T03:04:05Z", "2027-01-01T00:00:00Z"]
        );
        assert_eq!((cases[1].name.as_str(), cases[1].calls.len()), ("short", 1));
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_line() {
        let wrong = |text: &str| parse("tests/a.yml", text, Path::new("tests")).unwrap_err().to_string();
        let errors = [
            wrong(""),
            wrong("name: x\n"),
            wrong("- hook: cron\n"),
            wrong("- name: x\n  hook: crom\n"),
            wrong("- name: x\n"),
            wrong("- name: x\n  hook: cron\n  inptu: {}\n"),
            wrong("- name: x\n  hook: cron\n  calls: []\n"),
            wrong("- name: x\n  calls:\n    - {hook: cron, inputs: 1}\n"),
            wrong("- name: x\n  calls: []\n  expect: {}\n"),
            wrong("- name: x\n  hook: cron\n  now: soon\n"),
            wrong("- name: x\n  hook: cron\n  grants: [stat]\n"),
            wrong("- name: x\n  hook: cron\n  http:\n    - {url: a.example}\n"),
            wrong("- name: x\n  hook: cron\n  http:\n    - {method: SEND, url: 'https://a.example'}\n"),
            wrong("- name: x\n  hook: cron\n  http: [{url: 'https://a.example', status: 7}]\n"),
            wrong("- name: x\n  hook: cron\n  dns: [{name: a, kind: AX}]\n"),
            wrong("- name: x\n  hook: cron\n  dns: [{name: a, error: lost}]\n"),
            wrong("- name: x\n  hook: cron\n  dns: [{name: a, server: ns.example}]\n"),
            wrong("- name: x\n  hook: cron\n  files: {a: {../b: x}}\n"),
            wrong("- name: x\n  hook: cron\n  expect: {tasks: {$contain: x}}\n"),
            wrong("- name: x\n  hook: cron\n  expect: [1]\n"),
            wrong("- name: [1\n"),
        ];
        insta::assert_snapshot!(errors.join("\n"), @r#"
        tests/a.yml:1:1: found nothing; expected a list of cases
        tests/a.yml:1:1: found a mapping; expected a list
        tests/a.yml:1:3: [0]: name is missing
        tests/a.yml:2:9: [0].hook: "crom" is not a kind of hook, did you mean "cron"?; `tenter hook kinds` lists them
        tests/a.yml:1:3: [0]: hook is missing
        tests/a.yml:3:10: [0].inptu: unknown key; expected one of name, config, grants, limits, now, site, http, dns, secrets, files, state, records, calls, hook, subscription, input, expect; did you mean "input"?
        tests/a.yml:2:9: [0].hook: a case has either `calls` or `hook`
        tests/a.yml:3:28: [0].calls[0].inputs: unknown key; expected one of hook, subscription, now, input, expect; did you mean "input"?
        tests/a.yml:3:11: [0].expect: with `calls`, expect stands in each of them
        tests/a.yml:3:8: [0].now: found "soon"; expected a time such as 2030-01-01T00:00:00Z
        tests/a.yml:3:12: [0].grants[0]: "stat" is not a capability, did you mean "state"?
        tests/a.yml:4:13: [0].http[0].url: an address begins with https:// or http://
        tests/a.yml:4:16: [0].http[0].method: found "SEND"; expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
        tests/a.yml:3:45: [0].http[0].status: found 7; expected a status of HTTP, such as 404
        tests/a.yml:3:25: [0].dns[0].kind: found "AX"; expected one of A, AAAA, PTR, TXT, MX, NS, CNAME
        tests/a.yml:3:26: [0].dns[0].error: found "lost"; expected one of timed-out, not-found
        tests/a.yml:3:27: [0].dns[0].server: found "ns.example"; expected an address such as 192.0.2.53
        tests/a.yml:1:3: [0]: files: "../b" is no path of a file in the folder a
        tests/a.yml:3:30: [0].expect.tasks.$contain: unknown key; expected one of $contains, $one-of, $includes, $at-least, $at-most; did you mean "$contains"?
        tests/a.yml:3:11: [0].expect: found a list; expected a mapping
        tests/a.yml:1:9: not valid YAML: unclosed bracket '['
        "#);
    }
}
