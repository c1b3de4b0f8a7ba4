//! Keys of `tenter.yml`, which DP³ does not have.

use super::{Form, Keys, MODULE_NAME, Others, may, must};

pub(in super::super) const TENTER: Keys = Keys {
    list: &[
        may(
            "listen",
            Form::Pattern(r"^.+:\d{1,5}$"),
            "address and port; default 127.0.0.1:5000. Any other than loopback needs tokens",
        ),
        may("data", Form::Text, "folder of the store, seen from this one; default data"),
        may("lanes", Form::Int(0), "workers; 0 = as many as cores"),
        may(
            "synchronous",
            Form::Word(&["full", "normal"]),
            "normal: a loss of power may cost the last commits; default full",
        ),
        may(
            "cache_mib",
            Form::Int(1),
            "mebibytes of the store that its writer keeps in memory, and each of its readers a quarter; default 64",
        ),
        may("min_free_mib", Form::Int(0), "with less free disk space nothing new is taken in; 0: never looked at"),
        may(
            "query_max_ms",
            Form::Int(1),
            "what a query may read for, in milliseconds, before it is cut off; default 30000",
        ),
        may("http", Form::Mapping(&HTTP), "what clients of the HTTP API may take"),
        may("egress", Form::Mapping(&EGRESS), "how requests and look-ups of modules leave this server"),
        may(
            "duplicate_keys",
            Form::Word(&["last", "refuse"]),
            "what counts where a key stands twice in JSON that comes in; default last, as in DP³",
        ),
        may(
            "signatures",
            Form::WordOrFalse(&["required", "optional", "off"]),
            "whether uploads are signed; default off",
        ),
        may(
            "signers",
            Form::Names(r"^(\*|[a-z][a-z0-9_-]{0,62})$", &Form::List(&Form::Pattern("^ed25519:[0-9a-f]{64}$"))),
            "public keys by module, \"*\" for those without keys of their own",
        ),
        may(
            "modules",
            Form::Names(MODULE_NAME, &Form::Maybe(&Form::Mapping(&MODULE))),
            "what the operator decided about each module",
        ),
    ],
    others: Others::Error,
};

const HTTP: Keys = Keys {
    list: &[
        may("max_body_mib", Form::Int(1), "a body, decompressed; default 8, at most 1024"),
        may("max_url_bytes", Form::Int(256), "path and query; default 61440, at most 65534"),
        may("max_header_bytes", Form::Int(1024), "all headers together; default 32768, at most 1048576"),
        may("max_headers", Form::Int(16), "their number; default 100, at most 1000"),
        may("max_connections", Form::Int(8), "open at once; default 2048"),
        may("header_timeout", Form::Duration, "for the head of a request; default 10s, 0 = no limit"),
        may("idle_timeout", Form::Duration, "without a request on a kept connection; default 75s, 0 = no limit"),
        may(
            "progress_timeout",
            Form::Duration,
            "for the next 4 KiB of what a client sends or reads; default 30s, 0 = no limit",
        ),
        may("request_timeout", Form::Duration, "for a request that only reads; default 60s, 0 = no limit"),
    ],
    others: Others::Error,
};

const EGRESS: Keys = Keys {
    list: &[
        may("proxy", Form::Pattern("^https?://.+"), "an HTTP proxy for requests of modules; default none"),
        may("ca_file", Form::Pattern("^/"), "certificates (PEM) that are trusted beside those that browsers trust"),
        may(
            "dns",
            Form::List(&Form::Text),
            "servers for look-ups of modules, such as 192.0.2.53; default the system's",
        ),
    ],
    others: Others::Error,
};

pub(in super::super) const MODULE: Keys = Keys {
    list: &[
        may("grants", Form::List(&Form::Grant), "what it may do"),
        may(
            "limits",
            Form::Names(
                "^(fuel|deadline_ms|memory_bytes|table_elements|hostcall_bytes|handles|host_calls)$",
                &Form::Int(1),
            ),
            "what differs from the defaults",
        ),
        may("isolation", Form::Word(&["warm", "fresh"]), "fresh: a new instance for each call; default warm"),
        may(
            "on_admission_fault",
            Form::Word(&["closed", "open"]),
            "open: a fault of allow-entity-creation counts as allowed, as in DP³; default closed",
        ),
        may(
            "on_before_fault",
            Form::Word(&["skip", "deny"]),
            "deny: a fault of before counts as a denial; default skip: the data stays and the next module is asked",
        ),
        may(
            "effect_hooks",
            Form::Word(&["quiet", "call"]),
            "call: what it does to case objects calls after hooks, at most 8 deep; default quiet",
        ),
        may("quarantine", Form::Bool, "whether hooks that keep breaking rules are paused; default on"),
        may("recording", Form::Word(&["sample", "all"]), "which calls that went well are recorded; default sample"),
        may(
            "may_change",
            Form::Word(&["report", "strict"]),
            "strict: a snapshot hook's change that its subscription does not declare makes its output invalid; default report",
        ),
        may(
            "files",
            Form::Names("^[a-z][a-z0-9_-]{0,62}$", &Form::Pattern("^/")),
            "absolute folders by name, which it may read at /files/NAME where `files NAME` is granted",
        ),
    ],
    others: Others::Error,
};

pub(in super::super) const GRANT: Keys = Keys {
    list: &[
        must("capability", Form::Text, "name of the capability"),
        may("scope", Form::Text, "of what; see `tenter grant --help`"),
    ],
    others: Others::Error,
};
