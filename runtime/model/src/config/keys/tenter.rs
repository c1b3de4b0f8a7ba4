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
        may("min_free_mib", Form::Int(0), "with less free disk space nothing new is taken in; 0: never looked at"),
        may(
            "query_max_ms",
            Form::Int(1),
            "what a query may read for, in milliseconds, before it is cut off; default 30000",
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
