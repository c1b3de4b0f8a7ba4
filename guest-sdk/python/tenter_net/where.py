"""Finds the line of the module that a library was called from, for messages."""

import os
import sys

_OURS = {"tenter_net", "tenter", "tenter_iris", "tenter_app", "dp3", "iris_interface", "app", "wit_world", "componentize_py_types"}
_LIBRARIES = {"requests", "urllib3", "dns", "idna", "certifi", "charset_normalizer", "jinja2", "markupsafe", "packaging"}
_own = set()


def own(name):
    """Says what the module is called, so that what it brings along is not taken for it."""
    _own.add(name.partition(".")[0])


def _is_own(frame):
    name = frame.f_globals.get("__name__") or ""
    top = name.partition(".")[0]
    if top in _own:
        return True
    foreign = top in _OURS or top in _LIBRARIES or top in sys.stdlib_module_names and top != "__main__"
    return not _own and not foreign and not frame.f_code.co_filename.startswith("<")


def line():
    """The innermost line of the module on the stack, such as `lookup.py:12`; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        if _is_own(frame):
            return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def at(text):
    """The text with the module's line before it."""
    place = line()
    return f"{place}: {text}" if place else text
