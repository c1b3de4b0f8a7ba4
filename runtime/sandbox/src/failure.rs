//! Errors of wasmtime become reasons.
//!
//! Only part of what ends a call is a `Trap`. In this order: our own typed errors, from the error itself or from the
//! store's data; wasmtime's traps; other typed errors; a few texts, for which wasmtime has no public type (pinned by
//! tests, so that an upgrade which changes them is noticed); and else `abi`, since all that is left are values that
//! the canonical ABI refuses.

use std::time::Duration;

use tenter_model::host::{HookFailure, Reason};
use tenter_model::limits::CallLimits;
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::bindings::tenter::hooks::types::HookError;
use crate::engine::BACKTRACE_FRAMES;
use crate::guest::Refusal;
use crate::limits::Stop;
use crate::text::{cut, escape, message};

/// Longest backtrace kept.
const MAX_DETAIL: usize = 16 << 10;

/// What is known of a call when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) limits: CallLimits,
    pub(crate) fuel: u64,
    pub(crate) elapsed: Duration,
    pub(crate) stop: Option<Stop>,
    pub(crate) refusal: Option<Refusal>,
}

/// The failure for an error that came out of a guest.
pub(crate) fn classify(error: &Error, facts: &Facts) -> HookFailure {
    let (reason, what) = reason_of(error, facts);
    let refused = match facts.refusal {
        Some(refusal) if reason == Reason::Trap => format!(", after {}", describe(refusal)),
        _ => String::new(),
    };
    let hint = if reason == Reason::Host { "" } else { reason.hint() };
    let joint = if hint.is_empty() { "" } else { "; " };
    HookFailure {
        reason,
        message: message(&format!("{what}{refused}{joint}{hint}")),
        detail: Some(detail(&format!("{error:?}"))),
    }
}

/// The failure for an error that a guest returned on purpose. A guest that gives up after the host refused it
/// something fails for that reason: the operator has to act, not the author.
pub(crate) fn returned(error: HookError, refusal: Option<Refusal>) -> HookFailure {
    let (reason, text) = match error {
        HookError::InvalidInput(text) => (Reason::InvalidInput, text),
        HookError::Unavailable(text) => (Reason::Unavailable, text),
        HookError::Failed(text) => (Reason::Failed, text),
    };
    let reason = match refusal {
        Some(_) if reason == Reason::InvalidInput => reason,
        Some(Refusal::NotGranted(_)) => Reason::NotGranted,
        Some(Refusal::StateQuota) => Reason::StateQuota,
        Some(Refusal::Egress) => Reason::EgressDenied,
        None => reason,
    };
    match refusal {
        Some(refusal) if reason.is_fault() => {
            let text =
                format!("the module says {:?} after {}; {}", escape(&text, 500), describe(refusal), reason.hint());
            HookFailure::new(reason, message(&text))
        }
        _ => HookFailure::new(reason, message(&text)),
    }
}

/// The failure for a panic of the host inside a call.
pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> HookFailure {
    let text = payload
        .downcast_ref::<&str>()
        .map(|t| (*t).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    HookFailure::new(Reason::Host, message(&format!("the host panicked during the call: {text}")))
}

fn describe(refusal: Refusal) -> String {
    match refusal {
        Refusal::NotGranted(capability) => format!("the host refused what needs the grant `{capability}`"),
        Refusal::StateQuota => "the host had no room left for its state".to_owned(),
        Refusal::Egress => "the host refused to connect".to_owned(),
    }
}

fn reason_of(error: &Error, facts: &Facts) -> (Reason, String) {
    let millis = facts.elapsed.as_millis();
    if let Some(stop) = error.downcast_ref::<Stop>().copied().or(facts.stop) {
        let reason = match stop {
            Stop::Deadline => Reason::Deadline,
            Stop::Memory { .. } => Reason::Memory,
            Stop::Table { .. } => Reason::Table,
            Stop::HostCalls { .. } => Reason::HostCalls,
            Stop::HostBytes { .. } => Reason::HostcallFuel,
        };
        let what = match stop {
            Stop::Deadline => format!("ran for {millis} of {} ms", facts.limits.deadline_ms),
            other => other.to_string(),
        };
        return (reason, what);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        if *trap == Trap::MemoryOutOfBounds && below_the_stack(error) {
            return (Reason::Stack, "the guest's own stack in linear memory is full".to_owned());
        }
        return trapped(*trap, facts);
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return (Reason::Trap, format!("the guest called exit({})", exit.0));
    }
    if matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full)) {
        return (Reason::Handles, format!("more than {} resources are open", facts.limits.handles));
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (Reason::Host, format!("all slots for instances are in use: {error}"));
    }
    let root = error.root_cause().to_string();
    if root.contains(texts::HANDLES) {
        return (Reason::Handles, format!("more than {} resources are open", facts.limits.handles));
    }
    if root.contains(texts::HOSTCALL) {
        let limit = facts.limits.hostcall_bytes;
        return (Reason::HostcallFuel, format!("more than {limit} bytes would pass from guest to host at once"));
    }
    if root.contains(texts::COUNT) {
        return (Reason::Instances, root);
    }
    (Reason::Abi, root)
}

/// Texts of errors without a public type.
mod texts {
    pub(super) const HANDLES: &str = "store handle limit exceeded";
    pub(super) const HOSTCALL: &str = "fuel allocated for hostcalls has been exhausted";
    pub(super) const COUNT: &str = "resource limit exceeded";
    pub(super) const FAULT: &str = "memory fault at wasm address 0x";
}

fn trapped(trap: Trap, facts: &Facts) -> (Reason, String) {
    let millis = facts.elapsed.as_millis();
    match trap {
        Trap::OutOfFuel => {
            let limit = facts.limits.fuel;
            (Reason::Fuel, format!("used {} of {limit} fuel after {millis} ms", facts.fuel.min(limit)))
        }
        Trap::Interrupt => (Reason::Deadline, format!("ran for {millis} of {} ms", facts.limits.deadline_ms)),
        Trap::StackOverflow => (Reason::Stack, format!("the stack of 512 KiB is full after {millis} ms")),
        Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidChar
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer
        | Trap::CannotEnterComponent
        | Trap::CannotLeaveComponent => (Reason::Abi, trap.to_string()),
        other => (Reason::Trap, other.to_string()),
    }
}

/// Compiled languages keep part of their stack at the bottom of linear memory, so that running over it wraps below
/// address 0; an instruction's own offset can carry the address over the top again. A null pointer with a small offset
/// looks alike, but not at the end of a deep recursion.
fn below_the_stack(error: &Error) -> bool {
    let deep = error.downcast_ref::<WasmBacktrace>().is_some_and(|b| b.frames().len() >= BACKTRACE_FRAMES);
    let near_the_top = error.chain().any(|cause| {
        let text = cause.to_string();
        let address = text.strip_prefix(texts::FAULT).and_then(|t| t.split(' ').next());
        address
            .and_then(|a| u64::from_str_radix(a, 16).ok())
            .is_some_and(|a| (0xff00_0000..=0x1_00ff_ffff).contains(&a))
    });
    deep && near_the_top
}

/// Escapes line by line: a backtrace has lines on purpose.
fn detail(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| escape(line, 1000)).collect();
    cut(lines.join("\n"), MAX_DETAIL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenter_model::hook::Family;

    fn facts() -> Facts {
        Facts {
            limits: CallLimits::of(Family::Ingest),
            fuel: 50_000_100,
            elapsed: Duration::from_millis(31),
            stop: None,
            refusal: None,
        }
    }

    #[test]
    fn messages_say_limit_use_and_what_to_do() {
        let f = classify(&Error::from(Trap::OutOfFuel), &facts());
        assert_eq!(f.reason, Reason::Fuel);
        insta::assert_snapshot!(f.message, @"used 50000000 of 50000000 fuel after 31 ms; the hook computes too long or loops; raise `limits.fuel` of the module if that is its nature");
        let f = classify(&Error::from(Stop::Memory { asked: 70, limit: 64 }), &facts());
        assert_eq!(f.reason, Reason::Memory);
        insta::assert_snapshot!(f.message, @"linear memories would grow to 70 of 64 bytes; the hook needs more memory than allowed; raise `limits.memory_bytes` of the module or keep less in memory");
    }

    #[test]
    fn flags_count_when_the_error_lost_its_type() {
        let f = classify(&Error::msg("something else"), &Facts { stop: Some(Stop::Deadline), ..facts() });
        assert_eq!(f.reason, Reason::Deadline);
        assert_eq!(classify(&Error::msg("something else"), &facts()).reason, Reason::Abi);
        assert_eq!(classify(&Error::from(Trap::UnalignedPointer), &facts()).reason, Reason::Abi);
        assert_eq!(classify(&Error::from(I32Exit(3)), &facts()).reason, Reason::Trap);
    }

    #[test]
    fn giving_up_after_a_refusal_names_the_refusal() {
        let f = returned(HookError::Failed("no\u{1b}".into()), Some(Refusal::NotGranted("state")));
        assert_eq!(f.reason, Reason::NotGranted);
        insta::assert_snapshot!(f.message, @r#"the module says "no\\u{1b}" after the host refused what needs the grant `state`; the module lacks a grant; `tenter grant` gives it"#);
        assert_eq!(returned(HookError::Unavailable("x".into()), None).reason, Reason::Unavailable);
        assert_eq!(
            returned(HookError::InvalidInput("x".into()), Some(Refusal::StateQuota)).reason,
            Reason::InvalidInput
        );
    }
}
