//! A module for people.

use serde_json::Value;

use crate::output::{bytes, field, members, pairs, table};

/// One word or a few: whether it serves, and why not.
pub(crate) fn state(module: &Value) -> String {
    let flag = |name: &str| module.get(name).and_then(Value::as_bool);
    let problem = field(module, "problem");
    if flag("enabled") == Some(false) {
        "disabled".to_owned()
    } else if !members(module, "missing_grants").is_empty() {
        "waits for grants".to_owned()
    } else if flag("configured") == Some(false) {
        format!("not configured: lacks {}", field(module, "lacks"))
    } else if !problem.is_empty() {
        format!("broken: {problem}")
    } else if flag("loaded") == Some(false) {
        "not loaded".to_owned()
    } else {
        "active".to_owned()
    }
}

/// What it asks for and was not granted, as `grant` takes it; of a version that waits, too.
pub(crate) fn missing(module: &Value) -> Vec<String> {
    let waiting = module.get("waiting").map_or(&[][..], |w| members(w, "missing"));
    let mut all: Vec<String> = members(module, "missing_grants").iter().chain(waiting).map(grant).collect();
    all.sort();
    all.dedup();
    all
}

/// A grant as `tenter grant` takes it: scopes with blanks in quotes.
pub(crate) fn grant(item: &Value) -> String {
    let (capability, scope) = (field(item, "capability"), field(item, "scope"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    match scope.as_str() {
        "" => capability,
        s if s.chars().all(plain) => format!("{capability} {s}"),
        s => format!("{capability} '{}'", s.replace('\'', r"'\''")),
    }
}

/// All of it.
pub(crate) fn human(module: &Value) -> String {
    let size = module.get("size").and_then(Value::as_u64).map_or(String::new(), bytes);
    let mut text = pairs(&[
        ("name", field(module, "name")),
        ("title", field(module, "title")),
        ("description", field(module, "description")),
        ("version", field(module, "version")),
        ("state", state(module)),
        ("digest", field(module, "digest")),
        ("size", size),
        ("uploaded", field(module, "uploaded_at")),
        ("families", field(module, "families")),
    ]);
    let mut section = |title: &str, columns: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            let block = table(columns, rows);
            text.extend(block.lines().map(|l| format!("  {l}\n")));
        }
    };
    let hooks = members(module, "subscriptions").iter().map(|s| {
        let about = [field(s, "etype"), field(s, "attr")].into_iter().filter(|p| !p.is_empty());
        vec![field(s, "id"), field(s, "kind"), about.collect::<Vec<_>>().join(".")]
    });
    section("Hooks", &["subscription", "kind", "about"], hooks.collect());

    let granted = members(module, "grants");
    let missing = members(module, "missing_grants");
    let same = |a: &Value, b: &Value| ["capability", "scope"].iter().all(|k| field(a, k) == field(b, k));
    let mut capabilities: Vec<Vec<String>> = Vec::new();
    for request in members(module, "requests") {
        let state =
            if missing.iter().any(|m| same(m, request)) { "asked for, not granted" } else { "asked for, granted" };
        capabilities.push(vec![field(request, "capability"), field(request, "scope"), state.to_owned()]);
    }
    for grant in granted.iter().filter(|g| !members(module, "requests").iter().any(|r| same(r, g))) {
        capabilities.push(vec![field(grant, "capability"), field(grant, "scope"), "granted, not asked for".to_owned()]);
    }
    section("Capabilities", &["capability", "scope", "state"], capabilities);

    if let Some(waiting) = module.get("waiting").filter(|w| w.is_object()) {
        let rows = members(waiting, "requests").iter().map(|request| {
            let is_in = |list: &str| members(waiting, list).iter().any(|m| same(m, request));
            let state = match (is_in("missing"), is_in("new")) {
                (false, _) => "granted",
                (true, true) => "new, not granted",
                (true, false) => "not granted",
            };
            vec![field(request, "capability"), field(request, "scope"), state.to_owned()]
        });
        let title = format!("Version {} waits; it asks for", field(waiting, "version"));
        section(&title, &["capability", "scope", "state"], rows.collect());
    }

    let parameters = members(module, "parameters").iter().map(|p| {
        let mandatory = if p.get("mandatory") == Some(&Value::Bool(true)) { "yes" } else { "" };
        vec![field(p, "name"), field(p, "kind"), mandatory.to_owned(), field(p, "default"), field(p, "description")]
    });
    section("Parameters", &["name", "kind", "mandatory", "default", "description"], parameters.collect());

    let versions = members(module, "versions").iter().map(|v| {
        let digest = field(v, "digest").chars().take(19).collect();
        let is = |name: &str| module.pointer(name).is_some_and(|d| Some(d) == v.get("digest"));
        let state = match (is("/digest"), is("/waiting/digest"), is("/previous")) {
            (true, ..) => "active",
            (_, true, _) => "waits for grants",
            (.., true) => "active before",
            _ => "",
        };
        vec![field(v, "version"), digest, field(v, "uploaded_at"), state.to_owned()]
    });
    section("Versions", &["version", "digest", "uploaded", "state"], versions.collect());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn services() -> Value {
        json!({
            "name": "services", "enabled": true, "loaded": false, "problem": null, "version": "0.1.0",
            "digest": "sha256:00112233445566778899", "size": 70_000, "uploaded_at": "2026-01-01T00:00:00Z",
            "title": "Services", "description": "Names what ports stand for.", "families": ["ingest"],
            "subscriptions": [{"id": "ports", "kind": "on-new-attribute", "etype": "ip", "attr": "open_ports"}],
            "requests": [{"capability": "write-entities", "scope": "ip.services"}, {"capability": "http", "scope": "GET https://a.example/*"}],
            "grants": [{"capability": "write-entities", "scope": "ip.services", "origin": "operator"}, {"capability": "state", "scope": "", "origin": "site"}],
            "missing_grants": [{"capability": "http", "scope": "GET https://a.example/*"}],
            "parameters": [{"name": "ports", "kind": "json", "mandatory": false, "default": "{}", "description": "More ports."}],
            "versions": [{"version": "0.1.0", "digest": "sha256:00112233445566778899", "size": 70_000, "uploaded_at": "2026-01-01T00:00:00Z"}],
        })
    }

    #[test]
    fn a_module_is_shown_whole() {
        insta::assert_snapshot!(human(&services()), @"
        name         services
        title        Services
        description  Names what ports stand for.
        version      0.1.0
        state        waits for grants
        digest       sha256:00112233445566778899
        size         68.36 KiB
        uploaded     2026-01-01T00:00:00Z
        families     ingest

        Hooks
          SUBSCRIPTION  KIND              ABOUT
          ports         on-new-attribute  ip.open_ports

        Capabilities
          CAPABILITY      SCOPE                    STATE
          write-entities  ip.services              asked for, granted
          http            GET https://a.example/*  asked for, not granted
          state                                    granted, not asked for

        Parameters
          NAME   KIND  MANDATORY  DEFAULT  DESCRIPTION
          ports  json             {}       More ports.

        Versions
          VERSION  DIGEST               UPLOADED              STATE
          0.1.0    sha256:001122334455  2026-01-01T00:00:00Z  active
        ");
    }

    #[test]
    fn a_version_that_waits_is_shown_with_what_is_new() {
        let mut module = services();
        let (http, write) = (module["requests"][1].clone(), module["requests"][0].clone());
        let state = json!({"capability": "state", "scope": ""});
        module["missing_grants"] = json!([]);
        module["versions"] = json!([
            {"version": "0.0.9", "digest": "00", "uploaded_at": "2025-12-01T00:00:00Z"},
            {"version": "0.1.0", "digest": "sha256:00112233445566778899", "uploaded_at": "2026-01-01T00:00:00Z"},
            {"version": "0.2.0", "digest": "22", "uploaded_at": "2026-02-01T00:00:00Z"},
        ]);
        module["previous"] = json!("00");
        module["waiting"] = json!({
            "version": "0.2.0", "digest": "22", "requests": [write, http, state], "missing": [http, state], "new": [state],
        });
        let text = human(&module);
        let shown = text.split("\n\n").filter(|part| part.starts_with("Version")).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(shown, @"
        Version 0.2.0 waits; it asks for
          CAPABILITY      SCOPE                    STATE
          write-entities  ip.services              granted
          http            GET https://a.example/*  not granted
          state                                    new, not granted
        Versions
          VERSION  DIGEST               UPLOADED              STATE
          0.0.9    00                   2025-12-01T00:00:00Z  active before
          0.1.0    sha256:001122334455  2026-01-01T00:00:00Z  active
          0.2.0    22                   2026-02-01T00:00:00Z  waits for grants
        ");
        assert_eq!(super::state(&module), "not loaded");
        assert_eq!(missing(&module), ["http 'GET https://a.example/*'", "state"]);
    }

    #[test]
    fn states_and_grants() {
        let module = services();
        assert_eq!(state(&module), "waits for grants");
        assert_eq!(missing(&module), ["http 'GET https://a.example/*'"]);
        assert_eq!(state(&json!({"enabled": false, "missing_grants": []})), "disabled");
        assert_eq!(state(&json!({"enabled": true, "loaded": false, "problem": "no entity"})), "broken: no entity");
        assert_eq!(state(&json!({"enabled": true, "loaded": true})), "active");
    }
}
