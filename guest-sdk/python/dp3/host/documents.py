"""A master record as DP³'s document."""

from dp3.common.task import HASH
from tenter import schema, values
from tenter.record import chunks, observations
from wit_world.imports import types as _t


def master(given) -> dict:
    """``_id``, ``#hash``, ``#time_created``, ``#revision``, ``#ttl``, ``#min_t2s``, then the attributes."""
    etype, text = given.entity.etype, given.entity.eid
    document = {"_id": schema.current.eid(etype, text), "#hash": HASH(f"{etype}:{text}")}
    if given.created is not None:
        document["#time_created"] = values.time(given.created)
    document["#revision"] = given.revision
    if given.ttl_tokens:
        document["#ttl"] = {
            one.name: None if one.until is None else values.time(one.until) for one in given.ttl_tokens
        }
    earliest = {}
    for one in given.attributes:
        stored = one.history
        kind = type(stored)
        if kind is _t.History_Plain:
            document[one.attr] = {
                "v": values.lift(stored.value.value),
                "ts_last_update": values.time(stored.value.updated),
            }
            continue
        points = observations(stored.value) if kind is _t.History_Observations else chunks(stored.value)
        document[one.attr] = points
        if points:
            earliest[one.attr] = min(point["t2"] for point in points)
    if earliest:
        document["#min_t2s"] = earliest
    return document
