"""Tags indicators by rules, and notes on them why."""

import tenter

TITLE = "Tag indicators by rules"
PARAMETERS = [
    tenter.Parameter(
        "json",
        "rules",
        title="Rules",
        description='A list of {"ends_with", "tag", "note"}.',
        default=[{"ends_with": ".onion", "tag": "tor", "note": "a hidden service of Tor"}],
    ),
]

rules = []


def configure(config, on):
    rules[:] = config["rules"]


@tenter.after("ioc", "create")
@tenter.after("ioc", "update")
@tenter.asks("case-write", "ioc")
def look(context, event, written):
    for one in written:
        if one.new is None or (one.old is not None and value_of(one.old) == value_of(one.new)):
            continue
        fitting = [rule for rule in rules if value_of(one.new).endswith(rule["ends_with"])]
        for rule in fitting:
            one.new.add_tag(rule["tag"]).append_description(f"Tagged {rule['tag']}: {rule['note']}.")
        if fitting:
            one.new.set_custom_field("Rules", "Matched", ", ".join(rule["ends_with"] for rule in fitting))


def value_of(ioc):
    return ioc.get("ioc_value", "").lower()
