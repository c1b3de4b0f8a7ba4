//! Fuses a risk, 0 to 1, from what is known of an address, of the domains that resolve to it and of the certificates
//! that it presented.
//!
//! Domains come first: the hook of addresses depends on `domains.risk`, which the hook of domains may change, and the
//! host orders them by that. Each reason counts by its own; together they are the chance that not all of them are
//! harmless.

use serde::Deserialize;
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct RiskScore {
    /// Risk of what is on a list.
    listed: f64,
    /// Risk of a name that looks random.
    random: f64,
    /// Bits per character from which a name looks random.
    random_bits: f64,
    /// Risk of an address that presents a certificate which it signed itself.
    self_signed: f64,
}

impl Module for RiskScore {
    const TITLE: &'static str = "Risk from linked domains and certificates";

    fn parameters() -> Vec<Parameter> {
        let risk = |name: &str, what: &str, default: &str| {
            Parameter::new("float", name).description(what).section("Risk, 0 to 1").default_json(default)
        };
        vec![
            risk("listed", "Of what is on a list.", "0.8"),
            risk("random", "Of a name that looks random.", "0.3"),
            Parameter::new("float", "random_bits")
                .description("Bits per character from which a name looks random.")
                .default_json("3.5"),
            risk("self_signed", "Of an address with a certificate that it signed itself.", "0.2"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        let module: Self = config.parse()?;
        for (name, risk) in [("listed", module.listed), ("random", module.random), ("self_signed", module.self_signed)]
        {
            if !(0.0..=1.0).contains(&risk) {
                return Err(HookError::invalid(format_args!("{name}: {risk} is no risk: expected 0 to 1")));
            }
        }
        Ok(module)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.correlate("domain", ["indicator", "entropy"], ["risk"], Self::domain);
        let address = ["indicator", "domains.risk", "certificates.self_signed"];
        on.correlate("ip", address, ["risk", "risk_from"], Self::address);
        for attribute in ["domain.risk", "ip.risk", "ip.risk_from"] {
            on.request("write-entities", attribute);
        }
    }
}

impl RiskScore {
    fn domain(&mut self, view: &View) -> Option<Changes> {
        let mut fused = Fused::default();
        if view.root.has("indicator") {
            fused.add(self.listed, "indicator");
        }
        if view.value::<f64>("entropy").is_some_and(|bits| bits >= self.random_bits) {
            fused.add(self.random, "random name");
        }
        Some(view.changes().set("risk", fused.risk()?))
    }

    fn address(&mut self, view: &View) -> Option<Changes> {
        let mut fused = Fused::default();
        if view.root.has("indicator") {
            fused.add(self.listed, "indicator");
        }
        for domain in view.follow("domains") {
            if let Some(risk) = domain.value::<f64>("risk") {
                fused.add(risk, &domain.entity.to_string());
            }
        }
        for certificate in view.follow("certificates") {
            if certificate.value("self_signed") == Some(true) {
                fused.add(self.self_signed, &certificate.entity.to_string());
            }
        }
        Some(view.changes().set("risk", fused.risk()?).set("risk_from", fused.reasons))
    }
}

/// Risks that are taken as independent of each other.
#[derive(Default)]
struct Fused {
    reasons: Vec<String>,
    risks: Vec<f64>,
}

impl Fused {
    fn add(&mut self, risk: f64, reason: &str) {
        self.risks.push(risk);
        self.reasons.push(reason.to_owned());
    }

    /// The chance that not all are harmless, to three digits; nothing without a reason.
    fn risk(&self) -> Option<f64> {
        let harmless: f64 = self.risks.iter().map(|risk| 1.0 - risk).product();
        (!self.risks.is_empty()).then(|| ((1.0 - harmless) * 1000.0).round() / 1000.0)
    }
}

tenter_sdk::export!(RiskScore: snapshot);

#[cfg(test)]
mod tests;
