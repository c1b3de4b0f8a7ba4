"""Finds the line of the module that a library was called from, for messages."""

import os
import sys

_OURS = {"tenter_net", "tenter", "tenter_iris", "dp3", "iris_interface", "app", "wit_world", "componentize_py_types"}
_LIBRARIES = {"requests", "urllib3", "dns", "idna", "certifi", "charset_normalizer", "jinja2", "markupsafe", "packaging"}
_foreign = []


def add_foreign(folder):
    """Says that files of a folder are no part of the module, as those of its dependencies are not."""
    _foreign.append(os.path.join(folder, ""))


def is_own(frame):
    """Whether a frame runs code of the module itself."""
    name = frame.f_globals.get("__name__") or ""
    top = name.partition(".")[0]
    if top in _OURS or top in _LIBRARIES or top in sys.stdlib_module_names and top != "__main__":
        return False
    file = frame.f_code.co_filename
    return not file.startswith("<") and not any(file.startswith(folder) for folder in _foreign)


def line():
    """The innermost line of the module on the stack, such as `lookup.py:12`; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        if is_own(frame):
            return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def at(text):
    """The text with the module's line before it."""
    place = line()
    return f"{place}: {text}" if place else text
