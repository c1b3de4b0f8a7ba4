//! Decides which addresses may become entities: those inside an allowed prefix and outside of every denied one.

use std::net::IpAddr;

use serde::Deserialize;
use tenter_sdk::prelude::*;

mod prefix;
use prefix::Prefix;

#[derive(Deserialize)]
struct Settings {
    allow: Vec<String>,
    deny: Vec<String>,
}

struct AdmitPrefixes {
    allow: Vec<Prefix>,
    deny: Vec<Prefix>,
}

impl Module for AdmitPrefixes {
    const TITLE: &'static str = "Admit addresses by prefix";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("json", "allow")
                .description("Prefixes such as 192.0.2.0/24; an address outside of all is denied.")
                .default_json(r#"["0.0.0.0/0", "::/0"]"#),
            Parameter::new("json", "deny").description("Prefixes to keep out; they win.").default_json("[]"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let Settings { allow, deny } = config.parse()?;
        let parse = |texts: &[String]| texts.iter().map(|t| t.parse()).collect::<Result<Vec<_>>>();
        Ok(Self { allow: parse(&allow)?, deny: parse(&deny)? })
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.allow_entity_creation("ip", Self::admit);
    }
}

impl AdmitPrefixes {
    fn admit(&mut self, task: &Task) -> Result<Verdict> {
        let ip: IpAddr = task.entity.parse()?;
        if let Some(prefix) = self.deny.iter().find(|p| p.contains(ip)) {
            return Ok(Verdict::because(format!("{ip} is in the denied prefix {prefix}")));
        }
        if self.allow.iter().any(|p| p.contains(ip)) {
            return Ok(Verdict::Allow);
        }
        Ok(Verdict::because(format!("{ip} is in no allowed prefix")))
    }
}

tenter_sdk::export!(AdmitPrefixes: ingest);

#[cfg(test)]
mod tests;
