//! What `wit/` says, as Rust: one set of shared types, one world of imports, and one world for each family.
//!
//! The worlds are written here and not taken from `wit/worlds.wit`, since each of those includes the export `module`,
//! and two families in one component would then define it twice. Imports that a module never calls leave no trace in
//! its component; exports come into being where [`crate::export!`] is used.
//!
//! The path is relative to the SDK's own folder and is the same in the project's repository and in a module's
//! folder, where `tenter new` unpacks both: `vendor/tenter/guest-sdk/rust` and `vendor/tenter/wit`.

/// Types and host imports.
pub mod imports {
    wit_bindgen::generate!({
        inline: "
            package tenter:sdk;
            world imports {
                import tenter:hooks/log@0.1.0;
                import tenter:hooks/call@0.1.0;
                import tenter:hooks/state@0.1.0;
                import tenter:hooks/entities@0.1.0;
                import tenter:hooks/views@0.1.0;
                import tenter:hooks/tasks@0.1.0;
                import tenter:hooks/http@0.1.0;
                import tenter:hooks/resolver@0.1.0;
                import tenter:hooks/secrets@0.1.0;
            }
        ",
        path: "../../wit",
        additional_derives: [PartialEq, Clone],
        generate_unused_types: true,
        with: { "tenter:hooks/types@0.1.0/hook-error": crate::HookError },
        generate_all,
        pub_export_macro: true,
    });
}

macro_rules! family {
    ($(#[$doc:meta])* $name:ident, $world:literal, $export:literal, $inline:literal) => {
        $(#[$doc])*
        pub mod $name {
            wit_bindgen::generate!({
                inline: $inline,
                path: "../../wit",
                world: $world,
                additional_derives: [PartialEq, Clone],
                generate_unused_types: true,
                with: {
                    "tenter:hooks/types@0.1.0": crate::bindings::imports::tenter::hooks::types,
                    "tenter:hooks/types@0.1.0/hook-error": crate::HookError,
                },
                generate_all,
                pub_export_macro: true,
                export_macro_name: $export,
            });
        }
    };
}

family!(
    /// The mandatory export.
    module, "module-only", "export_module",
    "package tenter:sdk; world module-only { export tenter:hooks/module@0.1.0; }"
);
family!(
    /// Ingestion.
    ingest, "ingest-only", "export_ingest",
    "package tenter:sdk; world ingest-only { export tenter:hooks/ingest@0.1.0; }"
);
family!(
    /// Snapshot runs.
    snapshot, "snapshot-only", "export_snapshot",
    "package tenter:sdk; world snapshot-only { export tenter:hooks/snapshot@0.1.0; }"
);
family!(
    /// The sweep.
    update, "update-only", "export_update",
    "package tenter:sdk; world update-only { export tenter:hooks/update@0.1.0; }"
);
family!(
    /// The clock.
    schedule, "schedule-only", "export_schedule",
    "package tenter:sdk; world schedule-only { export tenter:hooks/schedule@0.1.0; }"
);
family!(
    /// Case management.
    cases, "cases-only", "export_cases",
    "package tenter:sdk; world cases-only { export tenter:hooks/cases@0.1.0; }"
);
