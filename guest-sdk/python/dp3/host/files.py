"""Paths of modules, and the folders that they may read.

A module's configuration names paths of the machine that DP³ ran on, such as ``/etc/dp3/lists/bad.txt``. In the sandbox
there are folders that the operator named and granted, at ``/files/NAME``. A path is looked for in the folder that has the
name of one of its directories, the innermost first: here ``/files/lists/bad.txt``, with ``files: {lists: /etc/dp3/lists}``
in the module's settings and the grant ``files lists``. What has no directory that is granted is looked for in a folder
named as the module. So neither the module nor its configuration changes. All of it is read-only.
"""

import ast
import builtins
import io
import os
import re

#: What `config_base_path` is. Paths below it are looked for like all others.
BASE = "/config"

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
_NETWORK = re.compile(r"^[0-9A-Fa-f.:]+/\d+$")

_real = {"open": io.open, "stat": os.stat, "listdir": os.listdir, "scandir": os.scandir}
_modules = ("",)


#: Calls by which a module reads files.
_READS = ("open", "Path", "PosixPath", "listdir", "scandir", "walk", "glob", "iglob", "fileinput", "read_text")


def install(names) -> None:
    """Finds paths of the module, which may be called by any of the names, in granted folders from now on."""
    global _modules
    _modules = tuple(dict.fromkeys(names))
    builtins.open = io.open = _open
    os.stat, os.listdir, os.scandir = _stat, _listdir, _scandir


def named_in(tree):
    """Paths that stand in a source that reads files; None for one that reads none."""
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = {getattr(one, "id", None) or getattr(one, "attr", None) for one in called}
    if names.isdisjoint(_READS):
        return None
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if text.startswith("/") and is_path(text)]


def ask(on, paths, config) -> None:
    """Asks for the folders of paths that the source and the configuration name."""
    for path in [*paths, *_paths(config)]:
        name = folder_of(path)
        if name is not None:
            on.request("files", name)


def folder_of(path: str):
    """The name of the folder that a path is asked for by: that of its directory, else that of the module."""
    name = os.path.basename(os.path.dirname(path)) or _modules[0]
    return name if _NAME.match(name) else None


def _paths(value):
    """Texts of a configuration that look like paths of files."""
    if isinstance(value, dict):
        for one in dict.values(value):
            yield from _paths(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _paths(one)
    elif isinstance(value, str) and is_path(value):
        yield value


def is_path(text: str) -> bool:
    """Whether a text looks like the path of a file."""
    return (
        "/" in text
        and "://" not in text
        and not any(one.isspace() for one in text)
        and not text.endswith("/")
        and _NETWORK.match(text) is None
        and (text.startswith(("/", "./", "../")) or "." in text.rsplit("/", 1)[-1])
    )


def _found(path):
    """Where a path is in the folders; the path itself when it is nowhere."""
    try:
        text = os.fspath(path)
    except TypeError:
        return path
    if not isinstance(text, str):
        return path
    parts = [part for part in text.split("/") if part not in ("", ".", "..")]
    if parts[:1] == ["files"]:
        candidates = [text]
    else:
        candidates = [f"/files/{'/'.join(parts[at:])}" for at in range(len(parts) - 2, -1, -1)]
        # A folder may be what is asked for itself.
        candidates += [f"/files/{parts[-1]}"] if parts else []
        rests = ["/".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
        candidates += [f"/files/{name}/{rest}" for name in _modules for rest in rests]
    for candidate in candidates:
        try:
            _real["stat"](candidate)
        except OSError:
            continue
        return candidate
    return path


def _missing(path, error):
    name = folder_of(str(path)) or "NAME"
    where = os.path.dirname(str(path)) or "the folder that it is in"
    text = (
        f"{os.strerror(error.errno or 2)}. A module reads folders that the operator names and grants: "
        f"`files: {{{name}: {where}}}` and the grant `files {name}` in its settings in tenter.yml"
    )
    return type(error)(error.errno, text, str(path))


def _open(file, mode="r", *args, **kwargs):
    if isinstance(file, int):
        return _real["open"](file, mode, *args, **kwargs)
    if any(letter in mode for letter in "wax+"):
        raise PermissionError(
            13, "modules write no files: keep what must last in the module's state or in a datapoint", str(file)
        )
    try:
        return _real["open"](_found(file), mode, *args, **kwargs)
    except OSError as error:
        raise _missing(file, error) from None


def _stat(path, *args, **kwargs):
    return _real["stat"](path if isinstance(path, int) else _found(path), *args, **kwargs)


def _listdir(path="."):
    try:
        return _real["listdir"](_found(path))
    except OSError as error:
        raise _missing(path, error) from None


def _scandir(path="."):
    try:
        return _real["scandir"](_found(path))
    except OSError as error:
        raise _missing(path, error) from None
