"""The capabilities that a module of IRIS asks for: those of `tenter_net.asks`, and what case objects and secrets need."""

from tenter_net.asks import derived

from . import fields, hooks, registration, settings


def requests_for(manifest, definitions):
    """All of them as (capability, scope)."""
    uses = set(getattr(manifest, "USES", ()))
    found = derived(manifest, settings.values().values())
    if any(capability == "http" for capability, _ in found):
        found.extend(("secret", one.name) for one in settings.parameters(definitions) if one.kind == "secret")
    if "case-write" not in {capability for capability, _ in found}:
        kinds = set()
        if "case-write" in uses:
            kinds = {hooks.parse(row.hook)[1] for row in registration.rows() if not row.hook.startswith(hooks.PRELOAD)}
        if "evidence" in uses:
            kinds.add("evidence")
        found.extend(("case-write", kind) for kind in sorted(kinds & set(fields.KINDS)))
    return list(dict.fromkeys(found))
