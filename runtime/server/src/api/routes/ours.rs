//! Our routes, under `/api/v1`.

use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{delete, get, patch, post, put};
use tenter_model::limits::MAX_UPLOAD_BYTES;

use crate::api::operation::ParamForm::{Flag, Number, Position, Text};
use crate::api::operation::{Content, Param, may, must};
use crate::api::{
    actions, audit, backup, breakers, deadletters, entities, hooks, invocations, modules, secrets, snapshots, status,
    tokens, why,
};
use crate::auth::Area::{CaseRead, CaseWrite, Inspect, Modules, Operate, Read, Tokens};

use super::{Route, drop, read, send};

const OF_MODULE: Param = may("module", Text, "of this module alone");
const BEFORE: Param = may("before", Position, "number of the last row of the page before");
const ROWS: Param = may("limit", Number(100), "rows at most, 1 to 1000");

/// The rows.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    let upload = put(modules::upload).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES));
    vec![
        read("/api/v1/snapshots", Read, get(snapshots::list)).says("Snapshot runs, newest first, and where the running one is")
            .asks(&[BEFORE, may("limit", Number(20), "rows at most, 1 to 1000")]).gives("Runs"),
        send("/api/v1/snapshots", Operate, post(snapshots::run)).says("Make a snapshot run").takes(Content::MaybeJson("RunWish"))
            .gives("Run").or(202, "it has begun").or(409, "another is under way"),
        read("/api/v1/status", Read, get(status::status)).says("How the server fares").gives("Status"),
        read("/api/v1/entities/{etype}", Read, get(entities::list)).says("Ids of stored entities, page by page")
            .asks(&[may("after", Text, "the last id of the page before"), ROWS]).gives("Ids"),
        read("/api/v1/entities/{etype}/{eid}/provenance", Read, get(why::provenance)).says("Datapoints of an entity with who wrote each")
            .asks(&[may("attr", Text, "of this attribute alone"), may("skip", Number(0), "rows to leave out"), may("limit", Number(20), "rows at most")])
            .gives("Object"),
        read("/api/v1/entities/{etype}/{eid}/why", Inspect, get(why::why)).says("Which hooks ran for an entity, and which did not and why")
            .asks(&[may("hook", Text, "of this kind alone")]).gives("Why"),
        read("/api/v1/modules", Read, get(modules::list)).says("Modules, in calling order").gives("Modules"),
        read("/api/v1/modules/{name}", Read, get(modules::show)).says("One module").gives("Module"),
        Route::new(Method::PUT, "/api/v1/modules/{name}", Some(Modules), upload).says("Upload a component")
            .asks(&[may("grant_requested", Flag, "grant what it asks for"), may("allow_downgrade", Flag, "take a lower version"),
                may("signature", Text, "a signature, as JSON")])
            .takes(Content::Media("application/wasm")).gives("Object").or(409, "a higher version is there"),
        read("/api/v1/modules/{name}/config", Modules, get(modules::config)).says("The configuration of a module").gives("ModuleConfig"),
        Route::new(Method::PUT, "/api/v1/modules/{name}/config", Some(Modules), put(modules::set_config))
            .says("Replace the configuration of a module").takes(Content::Json("Object")).gives("Object"),
        Route::new(Method::PATCH, "/api/v1/modules/{name}/config", Some(Modules), patch(modules::set_parameters))
            .says("Set some parameters of a module").takes(Content::Json("Object")).gives("Module"),
        read("/api/v1/modules/{name}/config/export", Modules, get(modules::export_config))
            .says("The configuration of a module in IRIS's shape, without secrets").gives("Object"),
        send("/api/v1/modules/{name}/config/import", Modules, post(modules::import_config))
            .says("Take a configuration in IRIS's shape").takes(Content::Json("Object")).gives("Object"),
        drop("/api/v1/modules/{name}/config", Modules, delete(modules::reset_config)).says("Let the file of a module count again").gives("Object"),
        drop("/api/v1/modules/{name}", Modules, delete(modules::remove)).says("Remove a module with all its versions").gives("Object"),
        send("/api/v1/modules/{name}/enable", Modules, post(modules::enable)).says("Switch a module on").gives("Module").or(409, "its hooks and those in use wait for each other"),
        send("/api/v1/modules/{name}/disable", Modules, post(modules::disable)).says("Switch a module off").gives("Module"),
        send("/api/v1/modules/{name}/activate", Modules, post(modules::activate)).says("Use another version that is there")
            .takes(Content::Json("Version")).gives("Module").or(409, "it asks for what is not granted"),
        send("/api/v1/modules/{name}/rollback", Modules, post(modules::rollback)).says("Use the version that was active before")
            .gives("Module").or(409, "there is none"),
        send("/api/v1/modules/{name}/grants", Modules, post(modules::grant)).says("Grant a capability").takes(Content::Json("Grant")).gives("Module"),
        drop("/api/v1/modules/{name}/grants", Modules, delete(modules::revoke)).says("Take a capability away")
            .asks(&[must("capability", Text, "its name"), may("scope", Text, "of what")]).gives("Module"),
        read("/api/v1/modules/{name}/secrets", Modules, get(secrets::list)).says("Secrets of a module, without their texts").gives("Object"),
        Route::new(Method::PUT, "/api/v1/modules/{name}/secrets/{secret}", Some(Modules), put(secrets::set))
            .says("Set a secret of a module").takes(Content::Json("Object")).gives("Object"),
        drop("/api/v1/modules/{name}/secrets/{secret}", Modules, delete(secrets::remove)).says("Forget a secret of a module").gives("Object"),
        send("/api/v1/modules/{name}/release", Modules, post(breakers::release)).says("Let paused hooks of a module go")
            .takes(Content::MaybeJson("Release")).gives("Object"),
        read("/api/v1/breakers", Inspect, get(breakers::list)).says("Hooks that are paused").gives("Breakers"),
        read("/api/v1/hooks", Read, get(hooks::list)).says("What is subscribed, in calling order").gives("Hooks"),
        read("/api/v1/hooks/kinds", Read, get(hooks::kinds)).says("Kinds of hooks").gives("HookKinds"),
        send("/api/v1/hooks/{module}/{subscription}/register", Modules, post(hooks::register)).says("Switch a subscription on, or register for a case hook")
            .asks(&[may("title", Text, "of the menu entry, for hooks of a menu"), may("run_asynchronously", Flag, "whether requests do not wait for it")])
            .gives("Object").or(409, "hooks would wait for each other"),
        send("/api/v1/hooks/{module}/{subscription}/deregister", Modules, post(hooks::deregister)).says("Switch a subscription off").gives("Object"),
        read("/api/v1/tokens", Tokens, get(tokens::list)).says("Tokens, without their texts").gives("TokenList"),
        send("/api/v1/tokens", Tokens, post(tokens::create)).says("Make a token").takes(Content::Json("NewToken")).gives("Token"),
        drop("/api/v1/tokens/{digest}", Tokens, delete(tokens::revoke)).says("Revoke a token").gives("Object").or(409, "it is the last of an operator"),
        read("/api/v1/errors", Inspect, get(status::errors)).says("Failures of hooks, newest first").asks(&[OF_MODULE, BEFORE, ROWS]).gives("Errors"),
        read("/api/v1/deadletters", Inspect, get(deadletters::list)).says("Tasks that ended through a fault").asks(&[OF_MODULE, BEFORE, ROWS]).gives("DeadLetters"),
        read("/api/v1/deadletters/{seq}", Inspect, get(deadletters::show)).says("One dead letter with its task").gives("Object"),
        drop("/api/v1/deadletters/{seq}", Operate, delete(deadletters::discard)).says("Throw a dead letter away").gives("Object"),
        send("/api/v1/deadletters/{seq}/retry", Operate, post(deadletters::retry)).says("Put a dead letter back into its queue").gives("Object").or(409, "it cannot go back"),
        read("/api/v1/invocations", Inspect, get(invocations::list)).says("Calls of hooks that are kept").asks(&[OF_MODULE, BEFORE, ROWS]).gives("Invocations"),
        read("/api/v1/invocations/{id}", Inspect, get(invocations::show)).says("One call with its output and log").gives("Object"),
        read("/api/v1/actions", CaseRead, get(actions::menu)).says("What modules offer on a kind of case object")
            .asks(&[must("object", Text, "such as `ioc`")]).gives("Actions"),
        send("/api/v1/actions", CaseWrite, post(actions::run)).says("Click menu entries on case objects; the jobs are under way")
            .takes(Content::Json("Click")).gives("Clicked"),
        read("/api/v1/jobs", CaseRead, get(actions::jobs)).says("Jobs of case hooks, newest first, of cases that the user may read")
            .asks(&[OF_MODULE, may("case", Position, "of this case alone"), may("state", Text, "in this state alone"), BEFORE, ROWS]).gives("Jobs"),
        read("/api/v1/jobs/{id}", CaseRead, get(actions::job)).says("One job with its result").gives("Job"),
        send("/api/v1/jobs/{id}/retry", CaseWrite, post(actions::retry)).says("Queue a job that has ended once more").gives("Job").or(409, "it has not ended"),
        drop("/api/v1/jobs/{id}", CaseWrite, delete(actions::cancel)).says("Cancel a job that waits").gives("Job").or(409, "it does not wait"),
        read("/api/v1/reconcile", Inspect, get(status::reconcile)).says("Whether each task that entered has exactly one end").gives("Object"),
        read("/api/v1/audit", Operate, get(audit::log)).says("Who changed what")
            .asks(&[may("after", Number(0), "number of the last row of the page before"), ROWS]).gives("Object"),
        read("/api/v1/audit/verify", Operate, get(audit::verify)).says("Whether the chain of the audit log is whole").gives("Object"),
        send("/api/v1/backup", Operate, post(backup::create)).says("Copy the database").gives("Object"),
    ]
}
