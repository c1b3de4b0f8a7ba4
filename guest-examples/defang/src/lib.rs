//! Makes indicators that were written so that nobody clicks on them usable again, and says where they lead.

use std::net::IpAddr;

use tenter_sdk::prelude::*;

struct Defang;

impl Module for Defang {
    const TITLE: &'static str = "Make defanged indicators usable";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.before("ioc", "create", Self::restore);
        on.after("ioc", "create", Self::tag);
        on.manual("ioc", "Explain", Self::explain);
        on.request("case-write", "ioc");
    }
}

impl Defang {
    fn restore(&mut self, _: &Context, _: &Event, proposal: &Proposal) -> Result<Judgement> {
        let mut body: serde_json::Map<String, serde_json::Value> = proposal.parse()?;
        let Some(value) = body.get("ioc_value").and_then(|value| value.as_str()) else {
            return Ok(Judgement::Unchanged);
        };
        let restored = restored(value);
        if restored == value {
            return Ok(Judgement::Unchanged);
        }
        body.insert("ioc_value".into(), restored.into());
        Ok(Judgement::replaced(&body.into()))
    }

    fn tag(&mut self, _: &Context, _: &Event, written: &[Written]) -> Result<Outcome> {
        let mut outcome = Outcome::nothing();
        for ioc in written.iter().filter_map(|written| written.new.as_ref()) {
            if is_private(&value_of(ioc)?) {
                // A tag is added whatever else has changed since.
                outcome = outcome.patch(Patch::of(ioc).of_any_version().add_tag("private-address"));
            }
        }
        Ok(outcome)
    }

    fn explain(&mut self, _: &Context, _: &Event, iocs: &[CaseObject]) -> Result<ManualOutcome> {
        let mut lines = Vec::new();
        for ioc in iocs {
            let value = value_of(ioc)?;
            let what = match (value.parse::<IpAddr>(), is_private(&value)) {
                (Ok(_), true) => "an address of a private network, which leads nowhere from outside",
                (Ok(_), false) => "an address",
                (Err(_), _) if value.contains("://") => "a URL",
                (Err(_), _) => "no address and no URL",
            };
            lines.push(format!("* `{value}` is {what}."));
        }
        let message = format!("{} explained", lines.len());
        Ok(ManualOutcome::nothing().report(message, Media::Markdown, lines.join("\n")))
    }
}

fn value_of(ioc: &CaseObject) -> Result<String> {
    let body: serde_json::Value = ioc.parse()?;
    Ok(body.get("ioc_value").and_then(|value| value.as_str()).unwrap_or_default().to_owned())
}

/// Undoes the usual ways to write an indicator so that no program makes a link of it.
fn restored(value: &str) -> String {
    let mut text = value.trim().replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[@]", "@");
    for (written, meant) in [("hxxps://", "https://"), ("hxxp://", "http://")] {
        if let Some(rest) = text.strip_prefix(written) {
            text = format!("{meant}{rest}");
        }
    }
    text
}

fn is_private(value: &str) -> bool {
    match value.parse() {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
        Err(_) => false,
    }
}

tenter_sdk::export!(Defang: cases);

#[cfg(test)]
mod tests;
