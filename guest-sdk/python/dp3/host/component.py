"""Current values as DP³ hands them to correlation hooks: dictionaries that may be changed in place.

Each entity of a component is one dictionary, and every link to it holds that same dictionary as ``record``; so what a hook
writes through a link is seen wherever the entity is. When the hook is done, what differs from what the host gave becomes
the contract's changes. Entities that paths lead to come with the view, with the attributes that the paths name; what else
of them a hook looks at is asked of the host then, where ``read-entities`` is granted.
"""

import logging

from tenter import schema, values
from tenter.errors import Denied
from tenter.views import fetch_seen
from wit_world.exports import snapshot as _s
from wit_world.imports import types as _t

_LOG = logging.getLogger("dp3")
_ABSENT = object()


class Values(dict):
    """Current values of one entity. Whatever the view did not bring is loaded at the first look that could miss it."""

    __slots__ = ("_entity", "_load")

    def _full(self):
        load, self._load = self._load, None
        if load is not None:
            load()

    def __missing__(self, key):
        if self._load is not None:
            self._full()
            if dict.__contains__(self, key):
                return dict.__getitem__(self, key)
        raise KeyError(key)

    def get(self, key, default=None):
        found = dict.get(self, key, _ABSENT)
        if found is _ABSENT and self._load is not None:
            self._full()
            found = dict.get(self, key, _ABSENT)
        return default if found is _ABSENT else found

    def __contains__(self, key):
        if not dict.__contains__(self, key) and self._load is not None:
            self._full()
        return dict.__contains__(self, key)

    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return dict.__getitem__(self, key)

    def pop(self, key, *default):
        if key in self:
            return dict.pop(self, key)
        return dict.pop(self, key, *default)

    def __delitem__(self, key):
        if key in self:
            dict.__delitem__(self, key)
        else:
            raise KeyError(key)


def _loading(name):
    plain = getattr(dict, name)

    def method(self, *args):
        if self._load is not None:
            self._full()
        return plain(self, *args)

    method.__name__ = name
    return method


for _name in ("__iter__", "__len__", "keys", "values", "items", "copy", "__repr__", "__or__", "__eq__", "popitem"):
    setattr(Values, _name, _loading(_name))


class Component:
    """The entities of one call."""

    def __init__(self, view, used_links):
        self._used = used_links
        self._given = {}
        self._entities = {}
        #: What the hook gets.
        self.root = self._made(view.root, whole=True)
        for seen in view.linked:
            self._made(seen, whole=False)
        for key in list(self._entities):
            self._link(key)

    def _made(self, seen, whole):
        ref = seen.entity
        key = (ref.etype, ref.eid)
        made = Values()
        made._entity = ref
        made._load = None if whole else lambda: self._load(key)
        dict.__setitem__(made, "eid", schema.current.eid(ref.etype, ref.eid))
        self._entities[key] = made
        self._given[key] = {}
        self._fill(key, seen.values)
        return made

    def _fill(self, key, current):
        """Enters values that the host gave; what is there already stays, since the hook may have changed it."""
        made, given = self._entities[key], self._given[key]
        by_attr = {}
        for one in current:
            by_attr.setdefault(one.attr, []).append(one)
        for attr, several in by_attr.items():
            if attr in given:
                continue
            given[attr] = several
            if not dict.__contains__(made, attr):
                dict.__setitem__(made, attr, self._lifted(key[0], attr, several))
                weights = self._weights(key[0], attr, several)
                if weights is not None:
                    dict.__setitem__(made, f"{attr}#c", weights)
        return by_attr

    def _lifted(self, etype, attr, several):
        if len(several) > 1 or self._is_multi(etype, attr):
            return [values.lift(one.value) for one in several]
        return values.lift(several[0].value)

    def _weights(self, etype, attr, several):
        if several[0].confidence is None:
            return None
        if len(several) > 1 or self._is_multi(etype, attr):
            return [one.confidence for one in several]
        return several[0].confidence

    @staticmethod
    def _is_multi(etype, attr):
        spec = schema.current.attribute(etype, attr)
        return spec is not None and spec.multi_value

    def _link(self, key, attrs=None):
        """Puts the records of linked entities into used links."""
        made = self._entities[key]
        for attr in self._given[key] if attrs is None else attrs:
            if (key[0], attr) not in self._used and (None, attr) not in self._used:
                continue
            value = dict.get(made, attr)
            for link in _links(value):
                link["record"] = self._entity(link.etype, str(link["eid"]))

    def _entity(self, etype, eid):
        found = self._entities.get((etype, eid))
        if found is None:
            found = self._made(_t.EntityView(_t.EntityRef(etype, eid), []), whole=False)
        return found

    def _load(self, key):
        etype, eid = key
        try:
            seen = fetch_seen(etype, eid)
        except Denied:
            _LOG.warning(
                "values of %s/%s that no path of the module names cannot be read: name them in depends_on, or the operator "
                "grants `read-entities %s`",
                etype,
                eid,
                etype,
            )
            return
        if seen is not None:
            self._link(key, self._fill(key, seen.values))

    def correlated(self, tasks):
        """What the hook answers: what differs from what the host gave, and tasks."""
        changes = []
        for key, made in self._entities.items():
            given = self._given[key]
            changed = []
            for name in dict.keys(made):
                if name == "eid" or (isinstance(name, str) and name.endswith("#c") and dict.__contains__(made, name[:-2])):
                    continue
                if self._differs(key[0], name, given.get(name), made):
                    changed.append(name)
            removed = [attr for attr in given if not dict.__contains__(made, attr)]
            changes.extend(self._change(made, str(name)) for name in changed)
            changes.extend(_s.Change(made._entity, attr, []) for attr in removed)
        return _s.Correlated(changes, tasks)

    def _differs(self, etype, attr, several, made):
        if several is None:
            return True
        value = dict.__getitem__(made, attr)
        if len(several) == 1 and type(several[0].value) in values.IMMUTABLE and not self._is_multi(etype, attr):
            before = values.lift(several[0].value)
            if type(value) is not type(before) or value != before:
                return True
        elif _bare(value) != _bare(self._lifted(etype, attr, several)):
            return True
        return dict.get(made, f"{attr}#c") != self._weights(etype, attr, several)

    def _change(self, made, attr):
        etype = made._entity.etype
        value, weights = dict.__getitem__(made, attr), dict.get(made, f"{attr}#c")
        spec = schema.current.attribute(etype, attr)
        if value is None and spec is not None:
            return _s.Change(made._entity, attr, [])
        if isinstance(value, (list, tuple)) and self._is_multi(etype, attr):
            several = list(value)
            each = list(weights) if isinstance(weights, (list, tuple)) else [weights] * len(several)
            each += [None] * (len(several) - len(each))
        else:
            several, each = [value], [weights if isinstance(weights, (int, float)) else None]
        lower = schema.current.lower if spec is not None else _unknown
        return _s.Change(
            made._entity, attr, [_s.Weighted(lower(etype, attr, one), c) for one, c in zip(several, each)]
        )


def _unknown(_etype, _attr, value):
    """A value of a name that the specification does not know: kept as it is."""
    return _t.Value_Json("null") if value is None else values.lower(value)


def _links(value):
    if isinstance(value, values.Link):
        return [value]
    if isinstance(value, list):
        return [link for one in value for link in _links(one)]
    return []


def _bare(value):
    """The value without the records of its links."""
    if isinstance(value, dict):
        hidden = "record" if "eid" in value else None
        return {key: _bare(one) for key, one in value.items() if key != hidden}
    if isinstance(value, (list, tuple)):
        return [_bare(one) for one in value]
    return value
