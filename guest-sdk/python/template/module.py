"""Greets every new address."""

import tenter


@tenter.on_entity_creation("ip")
@tenter.asks("write-entities", "ip.greeting")
def greet(eid, task):
    return tenter.Task("ip", eid).plain("greeting", f"Hello, {eid}!")
