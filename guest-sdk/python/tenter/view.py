"""What snapshot hooks see and change: current values of an entity and of those that it is linked with.

A change is part of the snapshot and of what later hooks of the run see; it is not stored as a datapoint. For that, a hook
returns a task.
"""

from wit_world.exports import snapshot as _s

from . import schema, values
from .errors import Denied, InvalidInput
from .record import Record


class Entity:
    """Current values of one entity: ``entity["name"]`` reads, ``entity["name"] = value`` changes, ``del`` removes.

    An attribute with several values (``multi_value``) reads as a list; of what the specification does not know, the
    number of values decides.
    """

    __slots__ = ("_view", "_ref", "_given", "_read", "_changed", "etype", "eid")

    def __init__(self, view, seen):
        self._view = view
        self._ref = seen.entity
        self.etype = seen.entity.etype
        self.eid = schema.current.eid(self.etype, seen.entity.eid)
        self._given = given = {}
        for one in seen.values:
            given.setdefault(one.attr, []).append(one)
        self._read = {}
        self._changed = {}

    def __contains__(self, attr):
        changed = self._changed.get(attr)
        return bool(changed) if changed is not None else attr in self._given

    def __iter__(self):
        names = dict.fromkeys(self._given)
        names.update(dict.fromkeys(self._changed))
        return iter([name for name in names if name in self])

    def keys(self):
        """Names of the attributes that have a value."""
        return list(self)

    def __getitem__(self, attr):
        changed = self._changed.get(attr)
        if changed is not None:
            if not changed:
                raise KeyError(attr)
            lifted = [value for value, _ in changed]
            return lifted if len(lifted) > 1 or self._is_multi(attr) else lifted[0]
        if attr not in self._read:
            lifted = [values.lift(one.value) for one in self._given[attr]]
            self._read[attr] = lifted if len(lifted) > 1 or self._is_multi(attr) else lifted[0]
        return self._read[attr]

    def _is_multi(self, attr):
        spec = schema.current.attribute(self.etype, attr)
        return spec is not None and spec.multi_value

    def get(self, attr, default=None):
        """The current value, or the default."""
        return self[attr] if attr in self else default

    def weighted(self, attr) -> list:
        """The current values with their confidence, which is None for plain attributes."""
        changed = self._changed.get(attr)
        if changed is not None:
            return list(changed)
        return [(values.lift(one.value), one.confidence) for one in self._given.get(attr, ())]

    def confidence(self, attr):
        """The confidence of the current value, the first one where there are several; None for plain attributes."""
        for _, confidence in self.weighted(attr):
            return confidence
        return None

    def links(self, attr) -> list:
        """The links of an attribute, whether it holds one, several or a mirror's."""
        found = []
        for value, _ in self.weighted(attr):
            found.extend(value if isinstance(value, list) else [value])
        return [link for link in found if isinstance(link, dict) and "eid" in link]

    def follow(self, attr) -> list:
        """The entities that a link attribute leads to, as far as they are loaded: name an attribute of theirs in
        ``depends_on`` to load them. What is not loaded is asked of the host where ``read-entities`` is granted."""
        spec = schema.current.attribute(self.etype, attr)
        found = []
        for link in self.links(attr):
            etype = getattr(link, "etype", None) or (spec.link_to if spec else None)
            entity = self._view.find(etype, link["eid"])
            if entity is not None:
                found.append(entity)
        return found

    def __setitem__(self, attr, value):
        if isinstance(value, list) and self._is_multi(attr):
            self._changed[attr] = [(one, None) for one in value]
        else:
            self._changed[attr] = [(value, None)]

    def __delitem__(self, attr):
        if attr not in self:
            raise KeyError(attr)
        self.remove(attr)

    def set(self, attr, value, confidence=None):
        """Sets an attribute to one value, perhaps with a confidence of 0 to 1; what was there goes."""
        self._changed[attr] = [(value, confidence)]

    def set_all(self, attr, weighted):
        """Sets an attribute to several (value, confidence); what was there goes."""
        self._changed[attr] = [tuple(one) for one in weighted]

    def remove(self, attr):
        """Removes the current values of an attribute."""
        self._changed[attr] = []

    def changes(self) -> list:
        """The changes of the contract."""
        lower = schema.current.lower
        return [
            _s.Change(self._ref, attr, [_s.Weighted(lower(self.etype, attr, v), c) for v, c in weighted])
            for attr, weighted in self._changed.items()
        ]


class View(Entity):
    """The entity that the hook runs for; ``record`` is its master record where the hook asked for it."""

    __slots__ = ("record", "_linked")

    def __init__(self, view, master=None):
        Entity.__init__(self, self, view.root)
        self._linked = {(self.etype, str(self._ref.eid)): self}
        for seen in view.linked:
            self._linked[seen.entity.etype, seen.entity.eid] = Entity(self, seen)
        self.record = None if master is None else Record(master)

    @property
    def linked(self) -> list:
        """The entities that came with the view."""
        return [entity for entity in self._linked.values() if entity is not self and entity is not None]

    def find(self, etype, eid):
        """An entity of the view, or one that the host may tell of; None where there is none."""
        key = (etype, str(eid))
        if key not in self._linked:
            from . import views

            try:
                seen = None if etype is None else views.fetch_seen(etype, eid)
            except Denied:
                seen = None
            self._linked[key] = None if seen is None else Entity(self, seen)
        return self._linked[key]

    def correlated(self, tasks):
        """What the hook answers: the changes of all entities, and tasks."""
        changes = []
        for entity in self._linked.values():
            if entity is not None:
                changes.extend(entity.changes())
        return _s.Correlated(changes, tasks)


class Run:
    """A snapshot run: its ``id``, and the ``time`` that values are computed for."""

    __slots__ = ("id", "time")

    def __init__(self, run):
        self.id, self.time = run.id, values.time(run.time)


def path(steps) -> list:
    """A walk over attributes, from a list of names or from dotted names."""
    if isinstance(steps, str):
        return steps.split(".")
    steps = list(steps)
    if not steps or not all(isinstance(step, str) for step in steps):
        raise InvalidInput(f"{steps!r} is no path: expected names of attributes, such as ['site', 'name']")
    return steps


def paths(several) -> list:
    """Walks over attributes."""
    return [path(one) for one in several or ()]
