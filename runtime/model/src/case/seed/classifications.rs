//! Classifications of cases: the reference taxonomy of security incidents, as MISP names its entries.

/// A value and its words.
type Entry = (&'static str, &'static str);

/// Predicate with its words, and its values with theirs. Ids are places in the whole list.
#[rustfmt::skip]
pub(super) const CLASSIFICATIONS: &[(&str, &str, &[Entry])] = &[
    ("abusive-content", "Abusive Content", &[
        ("spam", "Spam"), ("harmful-speech", "Harmful Speech"), ("violence", "Child Sexual Exploitation, Sexual or Violent Content"),
    ]),
    ("malicious-code", "Malicious Code", &[
        ("virus", "Virus"), ("worm", "Worm"), ("trojan", "Trojan"), ("spyware", "Spyware"), ("dialer", "Dialer"),
        ("rootkit", "Rootkit"), ("malware", "Malware"), ("botnet-drone", "Botnet Drone"), ("ransomware", "Ransomware"),
        ("infected-system", "Infected System"), ("c2-server", "C2 Server"), ("malware-distribution", "Malware Distribution"),
        ("malware-configuration", "Malware Configuration"),
    ]),
    ("information-gathering", "Information Gathering", &[
        ("scanner", "Scanning"), ("sniffing", "Sniffing"), ("social-engineering", "Social Engineering"),
    ]),
    ("intrusion-attempts", "Intrusion Attempts", &[
        ("ids-alert", "Exploitation of Known Vulnerabilities"), ("brute-force", "Login Attempts"),
        ("exploit", "New Attack Signature"),
    ]),
    ("intrusion", "Intrusion", &[
        ("privileged-account-compromise", "Privileged Account Compromise"),
        ("unprivileged-account-compromise", "Unprivileged Account Compromise"),
        ("botnet-member", "Botnet Member"), ("domain-compromise", "Domain Compromise"),
        ("application-compromise", "Application Compromise"), ("system-compromise", "System Compromise"),
        ("burglary", "Burglary"),
    ]),
    ("availability", "Availability", &[
        ("dos", "Denial of Service"), ("ddos", "Distributed Denial of Service"),
        ("misconfiguration", "Misconfiguration"), ("sabotage", "Sabotage"), ("outage", "Outage"),
    ]),
    ("information-content-security", "Information Content Security", &[
        ("unauthorised-information-access", "Unauthorised Access to Information"),
        ("unauthorised-information-modification", "Unauthorised Modification of Information"),
        ("data-loss", "Data Loss"), ("data-leak", "Leak of Confidential Information"),
    ]),
    ("fraud", "Fraud", &[
        ("unauthorized-use-of-resources", "Unauthorised Use of Resources"), ("copyright", "Copyright"),
        ("masquerade", "Masquerade"), ("phishing", "Phishing"),
    ]),
    ("vulnerable", "Vulnerable", &[
        ("weak-crypto", "Weak Cryptography"), ("ddos-amplifier", "DDoS Amplifier"),
        ("potentially-unwanted-accessible", "Potentially Unwanted Accessible Services"),
        ("information-disclosure", "Information Disclosure"), ("vulnerable-system", "Vulnerable System"),
    ]),
    ("conformity", "Conformity", &[
        ("regulator", "Regulator"), ("standard", "Standard"), ("security-policy", "Security Policy"),
        ("other-conformity", "Other Conformity"),
    ]),
    ("other", "Other", &[("other", "Uncategorised"), ("undetermined", "Undetermined")]),
    ("test", "Test", &[("test", "Test")]),
];
