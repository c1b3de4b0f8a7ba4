"""Names of hooks in IRIS, and what they stand for in the contract."""

PRELOAD, POSTLOAD, MANUAL = "on_preload_", "on_postload_", "on_manual_trigger_"

# Kinds of objects whose names have more than one word; of others the first word is the kind.
_LONG = ("global_task", "activities_report")
# Hooks before something that is or is not to be: their data is an id.
ID_ONLY = ("delete", "duplicate")


def parse(name):
    """The phase, kind of object and action of a hook, in the contract's words; the action of a manual one is None."""
    for phase, prefix in (("before", PRELOAD), ("after", POSTLOAD)):
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            kind = next((long for long in _LONG if rest.startswith(long + "_")), rest.partition("_")[0])
            return phase, kind.replace("_", "-"), rest[len(kind) + 1 :].replace("_", "-")
    if name.startswith(MANUAL):
        return "manual", name[len(MANUAL) :].replace("_", "-"), None
    raise ValueError(f"{name!r} is no name of a hook; expected on_preload_.., on_postload_.. or on_manual_trigger_..")


def name_of(phase, event):
    """The name of the hook that an event is of."""
    kind = event.object.replace("-", "_")
    if phase == "manual":
        return MANUAL + kind
    return f"{PRELOAD if phase == 'before' else POSTLOAD}{kind}_{(event.action or '').replace('-', '_')}"
