"""From what a module has written on objects to edits of the contract.

Tags are added and removed one by one and text at the end of a description is appended, so that two modules that write
on one object do not undo each other. What no module may set is left out, and told in the module's log.
"""

import json
import logging

from wit_world.exports import cases as _c

from . import fields

_log = logging.getLogger("tenter.iris")


def effects(given):
    """A patch for each object that was written on."""
    made = []
    for one in given:
        edits = edits_of(one)
        if edits:
            made.append(_c.Effect_Patch(_c.Patch(one._given.target, None, edits)))
    return made


def edits_of(one):
    """The edits of an object."""
    info = fields.KINDS[one.kind]
    edits = []
    for name, settable in info["fields"].items():
        old, new = one._before[name], one.__dict__.get(name)
        if old == new:
            continue
        if name == "custom_attributes":
            edits.extend(_custom(old, new))
        elif name == info["tags"]:
            edits.extend(_tags(old, new))
        elif name == info["description"] and _is_longer(old, new):
            edits.append(_c.Edit_AppendDescription(new[len(old) + 1 :] if old else new))
        elif settable:
            edits.append(_c.Edit_SetField(_c.Field(name, _text(new))))
        else:
            can = ", ".join(sorted(field for field, may in info["fields"].items() if may))
            _log.warning("%s of %r was written, which no module can set; the others are: %s", name, one, can)
    return edits


def _text(value):
    return json.dumps(value, default=str)


def _split(tags):
    if isinstance(tags, (list, tuple, set)):
        tags = ",".join(map(str, tags))
    return list(dict.fromkeys(tag.strip() for tag in (tags or "").split(",") if tag.strip()))


def _tags(old, new):
    before, after = _split(old), _split(new)
    edits = [_c.Edit_RemoveTag(tag) for tag in before if tag not in after]
    return edits + [_c.Edit_AddTag(tag) for tag in after if tag not in before]


def _is_longer(old, new):
    """Whether text was appended in lines of its own."""
    return isinstance(new, str) and bool(new) and (not old or new.startswith(old + "\n"))


def _custom(old, new):
    edits = []
    for tab, members in (new or {}).items():
        known = (old or {}).get(tab) or {}
        for name, field in (members or {}).items():
            if known.get(name) == field:
                continue
            whole = field if isinstance(field, dict) and "type" in field else {"type": "input_string", "value": field}
            edits.append(_c.Edit_SetCustomField(_c.CustomField(tab, name, whole["type"], _text(whole.get("value")))))
        for name in known:
            if name not in members:
                _log.warning("the field %s of the tab %s was removed, which no module can do; it stays", name, tab)
    return edits
