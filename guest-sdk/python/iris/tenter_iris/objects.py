"""Objects of cases with attributes, as modules know them from IRIS's database.

An object is made of the record that the host gives. Its fields are attributes that may be read and written; rows that
belong to it (`ioc.ioc_type.type_name`, `asset.case.name`) are objects too. What was written is found by comparison when
the hook is over, see `changes`.
"""

import copy

from . import fields


class Row:
    """A row that an object refers to."""

    def __init__(self, values):
        self.__dict__.update(values)

    def __getattr__(self, name):
        have = ", ".join(sorted(vars(self))) or "nothing"
        raise AttributeError(f"the row has no {name!r}; it has {have}")

    def __repr__(self):
        return f"Row({vars(self)!r})"


class CaseObject:
    """Base of the kinds of objects."""

    kind = ""

    def __init__(self, given, body, context):
        """Of a case object of the contract, its record, and what the call is about."""
        info = fields.KINDS[self.kind]
        values = dict.fromkeys(info["fields"])
        values.update(body)
        values[info["id"]] = given.target.id
        values[info["uuid"]] = given.uuid
        relations = fields.RELATIONS.get(self.kind, {})
        for name, (id_column, label) in relations.items():
            values[name] = _row(values.get(name), values.get(f"{name}_id"), id_column, label)
        for name, field in fields.PEOPLE.get(self.kind, {"user": "user_id"}).items():
            values[name] = _person(values.get(name), values.get(field), context)
        if self.kind == "case":
            values.update(_of_a_case(values))
        else:
            if info["case"]:
                values.setdefault(info["case"], context.case_id)
            if values.get("case_id") is None:
                values["case_id"] = context.case_id
            if not isinstance(values.get("case"), dict):
                values["case"] = Row({"case_id": values["case_id"], "case_name": context.case_name, "name": context.case_name})
        object.__setattr__(self, "_given", given)
        object.__setattr__(self, "_before", {name: copy.deepcopy(values[name]) for name in info["fields"]})
        self.__dict__.update(values)

    def __getattr__(self, name):
        alias = fields.ALIASES.get(type(self).kind, {}).get(name)
        if alias is not None and alias in self.__dict__:
            return self.__dict__[alias]
        if name.startswith("__"):
            raise AttributeError(name)
        have = ", ".join(sorted(known for known in self.__dict__ if not known.startswith("_")))
        raise AttributeError(f"objects of kind {self.kind} have no {name!r}; they have {have}")

    def __setattr__(self, name, value):
        object.__setattr__(self, fields.ALIASES.get(self.kind, {}).get(name, name), value)

    def to_dict(self):
        """The fields as they are by now."""
        return {name: self.__dict__.get(name) for name in (fields.KINDS[self.kind]["id"], *self._before)}

    def __repr__(self):
        return f"<{type(self).__name__} {self._given.target.id}>"


class Cases(CaseObject):
    """A case."""

    kind = "case"


class CaseAssets(CaseObject):
    """An asset."""

    kind = "asset"


class Notes(CaseObject):
    """A note."""

    kind = "note"


class Ioc(CaseObject):
    """An indicator."""

    kind = "ioc"


class CasesEvent(CaseObject):
    """An event of a timeline."""

    kind = "event"


class CaseReceivedFile(CaseObject):
    """An evidence."""

    kind = "evidence"


class CaseTasks(CaseObject):
    """A task."""

    kind = "task"


class GlobalTasks(CaseObject):
    """A task of no case."""

    kind = "global-task"


class Comments(CaseObject):
    """A remark."""

    kind = "comment"


CLASSES = {cls.kind: cls for cls in CaseObject.__subclasses__()}


class ObjectId(int):
    """The id of an object that is or is to be deleted or copied, which is all that IRIS tells. Here what the object was
    can be read from it as attributes."""

    def __new__(cls, number, values):
        made = super().__new__(cls, number)
        made.__dict__.update(values)
        return made

    def __getattr__(self, name):
        raise AttributeError(f"nothing is known of {name!r} of the object {int(self)}")

    def __deepcopy__(self, _memo):
        return self


def _row(found, number, id_column, label):
    if isinstance(found, Row):
        return found
    if isinstance(found, dict):
        return Row({"name": found.get(label), "id": found.get(id_column), **found})
    if found is None and number is None:
        return None
    return Row({id_column: number, label: found, "id": number, "name": found})


def _person(found, number, context):
    if isinstance(found, dict):
        known = {"id": found.get("user_id"), "user": found.get("user_login"), "name": found.get("user_name")}
        return Row({**known, **found})
    user = context.user
    if user is not None and user.id == number:
        return Row({"id": user.id, "user": user.login, "name": user.name, "user_name": user.name, "user_login": user.login})
    # The record of a case has names of people instead of rows.
    name = found if isinstance(found, str) else None
    return None if number is None and name is None else Row({"id": number, "user": None, "name": name, "user_name": name})


def _of_a_case(values):
    def row(field, label):
        number, name = values.get(field), values.get(label)
        return Row({"id": number, field: number, "name": name, label: name})

    return {
        "client": row("customer_id", "customer_name"),
        "state": row("state_id", "state_name"),
        "severity": row("severity_id", "severity_name"),
    }
