"""Registrations for hooks, and what modules want made: both are collected while code of the module runs."""

from . import hooks

_rows = {}
made = []
_known = None
_module_name = ""


class Registration:
    """One registration: the hook's name, the title of a manual one, whether it runs in the background."""

    __slots__ = ("hook", "title", "in_background")

    def __init__(self, hook, title, in_background):
        self.hook, self.title, self.in_background = hook, title, in_background


def begin(known, module_name):
    """Forgets all. `known` are the names of the hooks that exist."""
    global _known, _module_name
    _rows.clear()
    _known, _module_name = set(known), module_name


def rows():
    """All registrations, in the order in which they were made."""
    return list(_rows.values())


def add(hook, title, in_background):
    """Adds a registration unless it is there; gives why it cannot be, if so."""
    if _known is not None and hook not in _known:
        return f"Hook {hook} is unknown"
    if not isinstance(in_background, bool):
        return f"Expected bool for run_asynchronously but got {type(in_background)}"
    if hook.startswith(hooks.MANUAL):
        title = title or f"{_module_name}::{hook}"
    _rows.setdefault((hook, title), Registration(hook, title, in_background))
    return None


def remove(hook):
    """Removes all registrations for a hook."""
    for key in [key for key in _rows if key[0] == hook]:
        del _rows[key]


def hook_names():
    """Names of the hooks that exist."""
    return sorted(_known or ())


class EvidenceStorage:
    """Registers files as evidences of a case."""

    def add_evidence(self, case_id, filename, description, size, sha256, date_added=None, user_id=None, **_more):
        """The file is registered when the call ends well."""
        body = {"filename": filename, "file_description": description, "file_size": size, "file_hash": sha256}
        made.append(("evidence", case_id, body))
        return True

    def is_evidence_registered(self, case_id, sha256):
        raise NotImplementedError(
            "a module cannot look at the evidences of a case; keep the hashes that it has registered by `tenter.state`"
        )
