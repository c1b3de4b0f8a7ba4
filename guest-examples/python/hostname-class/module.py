"""Tells what kind of machine a host name hints at."""

import tenter

USUAL = [
    ["dhcp", "dynamic"], ["dyn", "dynamic"], ["pool", "dynamic"], ["dsl", "access"], ["cable", "access"],
    ["mail", "mail"], ["smtp", "mail"], ["vpn", "vpn"], ["proxy", "proxy"], ["www", "web"],
]  # fmt: skip


class HostnameClass(tenter.Module):
    """Tells what kind of machine a host name hints at."""

    title = "Classify hosts by name"
    parameters = [
        tenter.Parameter("string", "entity", title="Entity type", default="ip"),
        tenter.Parameter("json", "attributes", title="Attributes with names", default=["hostname"]),
        tenter.Parameter(
            "json",
            "rules",
            title="Rules",
            description="A list of [part of a name in lower case, class]; the first that fits counts.",
            default=USUAL,
        ),
    ]

    def __init__(self, config):
        self.entity = config["entity"]
        self.attributes = config["attributes"]
        self.rules = config["rules"]
        for part, _ in self.rules:
            if not part or part != part.lower():
                raise tenter.InvalidInput(f"rules: {part!r} fits no name: expected a part of a name in lower case")

    def register(self, on):
        for attribute in self.attributes:
            on.register_on_new_attr_hook(
                self.classify, self.entity, attribute, refresh=True, may_change=[["class"]]
            )
        on.request("write-entities", f"{self.entity}.class")

    def classify(self, eid, dp):
        """The class that a name hints at, for the entity that has it; nothing for a name without a hint."""
        if not isinstance(dp.v, str):
            return None
        name = dp.v.lower()
        for part, kind in self.rules:
            if part in name:
                return tenter.Task(self.entity, eid).plain("class", kind)
        return None
