"""What case hooks see and answer.

Edits of an object are written on the object: ``ioc.add_tag("tor")``. They become one patch per object when the hook
returns, and are applied together with everything else that it made, or not at all.
"""

import json

from wit_world.exports import cases as _c

from . import task as _task
from .errors import InvalidInput
from .values import json_text

#: Kinds of content of a report.
TEXT, MARKDOWN, JSON = _c.Media.TEXT, _c.Media.MARKDOWN, _c.Media.JSON
_MEDIA = {"text": TEXT, "markdown": MARKDOWN, "json": JSON}


class CaseObject:
    """An object of a case: ``object`` (its kind), ``id``, ``uuid``, ``version`` and ``body``, a dictionary.

    Fields of the body are read as ``ioc["ioc_value"]``. Writing to ``body`` changes nothing: use the methods.
    """

    __slots__ = ("_from", "_body", "_edits", "_any_version")

    def __init__(self, given):
        self._from, self._body, self._edits, self._any_version = given, None, [], False

    @property
    def object(self) -> str:
        """The kind, such as ``ioc``."""
        return self._from.target.object

    @property
    def id(self) -> int:
        """The id, unique in its kind."""
        return self._from.target.id

    @property
    def uuid(self):
        """The UUID, where the kind has one."""
        return self._from.uuid

    @property
    def version(self) -> int:
        """Grows with every write."""
        return self._from.version

    @property
    def body(self) -> dict:
        """The object as the API tells it."""
        if self._body is None:
            self._body = json.loads(self._from.body)
        return self._body

    def __getitem__(self, field):
        return self.body[field]

    def get(self, field, default=None):
        """A field of the body, or the default."""
        return self.body.get(field, default)

    def of_any_version(self):
        """Lets the last write win; without it the patch is refused when the object has changed since."""
        self._any_version = True
        return self

    def add_tag(self, tag):
        """Adds a tag."""
        self._edits.append(_c.Edit_AddTag(tag))
        return self

    def remove_tag(self, tag):
        """Removes a tag."""
        self._edits.append(_c.Edit_RemoveTag(tag))
        return self

    def append_description(self, text):
        """Adds text at the end of the description."""
        self._edits.append(_c.Edit_AppendDescription(text))
        return self

    def set_field(self, name, value):
        """Sets a field."""
        self._edits.append(_c.Edit_SetField(_c.Field(name, json_text(value))))
        return self

    def set_custom_field(self, tab, name, value, kind="input_string"):
        """Sets a field of the module's own, shown in a tab."""
        self._edits.append(_c.Edit_SetCustomField(_c.CustomField(tab, name, kind, json_text(value))))
        return self

    def effects(self) -> list:
        """The patch of the contract, if there is one."""
        if not self._edits:
            return []
        version = None if self._any_version else self._from.version
        return [_c.Effect_Patch(_c.Patch(self._from.target, version, self._edits))]


class Written:
    """An object before (``old``) and after (``new``) a write; a deleted one has no ``new``, a created one no ``old``."""

    __slots__ = ("old", "new", "attachments")

    def __init__(self, given):
        self.old = None if given.old is None else CaseObject(given.old)
        self.new = None if given.new is None else CaseObject(given.new)
        self.attachments = given.attachments


class Proposal:
    """What is about to be written: ``id`` (None on create) and ``body``, a dictionary that the hook may change."""

    __slots__ = ("_from", "_body")

    def __init__(self, given):
        self._from, self._body = given, None

    @property
    def id(self):
        """The id of the object; None on create."""
        return self._from.id

    @property
    def body(self) -> dict:
        """The request, or the stored object. What is changed in it is what will be written."""
        if self._body is None:
            self._body = json.loads(self._from.body)
        return self._body

    def __getitem__(self, field):
        return self.body[field]

    def __setitem__(self, field, value):
        self.body[field] = value

    def get(self, field, default=None):
        """A field of the body, or the default."""
        return self.body.get(field, default)

    def changed(self) -> bool:
        """Whether the hook changed the body."""
        return self._body is not None and self._body != json.loads(self._from.body)


class Deny:
    """A refusal with its reason."""

    __slots__ = ("reason",)

    def __init__(self, reason):
        self.reason = str(reason)


def deny(reason) -> Deny:
    """Says no, and why."""
    return Deny(reason)


class New:
    """An object that comes into being: its kind, its body, and the case, that of the event when absent."""

    __slots__ = ("object", "body", "case_id", "attachments")

    def __init__(self, object, body, case_id=None, attachments=()):  # noqa: A002: the contract's word
        self.object, self.body, self.case_id = object, body, case_id
        self.attachments = list(attachments)

    def effects(self) -> list:
        """The effect of the contract."""
        made = _c.NewObject(self.object, self.case_id, json_text(self.body), self.attachments)
        return [_c.Effect_Create(made)]


class Report:
    """What the person who clicked gets to see. ``media`` is text, markdown or json."""

    __slots__ = ("message", "content", "media")

    def __init__(self, message, content="", media="text"):
        self.message, self.content, self.media = message, content, media

    def to_wit(self):
        """The report of the contract."""
        media = _MEDIA.get(self.media, self.media)
        content = self.content if isinstance(self.content, str) else json_text(self.content)
        return _c.Report(self.message, media, content)


def judgement(result, proposal):
    """The answer of a hook before a write: None, a refusal, or the body in another form."""
    if isinstance(result, Deny):
        return _c.Judgement_Denied(result.reason)
    if result is None or result is proposal:
        body = proposal.body if proposal.changed() else None
    elif isinstance(result, dict):
        body = result
    else:
        raise InvalidInput(f"the hook returned {result!r}: expected nothing, a dictionary, or deny(reason)")
    return _c.Judgement_Unchanged() if body is None else _c.Judgement_Replaced(json_text(body))


def collected(result, objects):
    """Effects, tasks and report of what a hook returned and of what it wrote on the objects that it saw."""
    effects, tasks, report = [], [], None
    for one in objects:
        effects.extend(one.effects())
    if result is None:
        result = ()
    elif isinstance(result, (Report, New, CaseObject)) or hasattr(result, "to_wit"):
        result = (result,)
    elif isinstance(result, str):
        result = (Report(result),)
    for one in result:
        if isinstance(one, Report):
            report = one.to_wit()
        elif isinstance(one, New):
            effects.extend(one.effects())
        elif not isinstance(one, CaseObject):
            tasks.extend(_task.tasks(one))
    return effects, tasks, report
