"""What a hook may raise, and how anything else that it raises reaches the host.

A hook that raises never crashes its instance: the exception becomes the contract's ``hook-error``. :class:`InvalidInput`
says that the data is to blame, :class:`Unavailable` that something outside failed and a retry may help; everything else
is ``failed``, with the traceback in the module's log. Where libraries for networks go through the host (`tenter_net`),
their errors are told apart likewise: what was not granted, and what may pass.
"""

import linecache
import sys
import traceback

from componentize_py_types import Err
from wit_world.imports import log as _log
from wit_world.imports import types as _t


class HookError(Exception):
    """Base of the exceptions that name a case of the contract's ``hook-error``."""


class InvalidInput(HookError):
    """The data, or the configuration, is to blame."""


class Unavailable(HookError):
    """Something outside failed; worth a retry where the kind of hook has retries."""


class Failed(HookError):
    """The module is to blame."""


class Denied(Failed):
    """The host does not allow it: the capability is not granted, or not in this kind of hook."""


def hook_error(error: BaseException) -> Err:
    """The contract's error for an exception; the traceback of an unexpected one goes into the log, at error level."""
    if isinstance(error, Err):
        return error
    if isinstance(error, InvalidInput):
        return Err(_t.HookError_InvalidInput(_said(error)))
    if isinstance(error, Unavailable):
        return Err(_t.HookError_Unavailable(_said(error)))
    if isinstance(error, HookError):
        return Err(_t.HookError_Failed(_said(error)))
    networks = sys.modules.get("tenter_net")
    refused = networks and networks.refusal(error)
    if refused:
        return Err(_t.HookError_Failed(refused))
    _log.write(_log.Level.ERROR, traceback_of(error))
    if networks and networks.is_transient(error):
        return Err(_t.HookError_Unavailable(_said(error) + _place(error)))
    return Err(_t.HookError_Failed(_said(error) + _place(error)))


def traceback_of(error: BaseException) -> str:
    """The traceback, from the first line of the author's code on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and _is_ours(frames):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()


def keep_source(module) -> None:
    """Keeps the source of a module, and of those that came with it, for tracebacks: there are no files at run time."""
    import os

    home = os.path.dirname(getattr(module, "__file__", "") or "")
    for other in list(sys.modules.values()):
        path = getattr(other, "__file__", None)
        if not path or not home or not path.startswith(home) or _is_sdk(path):
            continue
        lines = linecache.getlines(path)
        if lines:
            # Without a time of change the cache is never looked up in the file system again.
            linecache.cache[path] = (sum(map(len, lines)), None, lines, path)


def _said(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, HookError):
        return text or type(error).__name__
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: BaseException) -> str:
    """The innermost line of the author's own code."""
    place = ""
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if not _is_sdk(code.co_filename) and code.co_filename in linecache.cache:
            place = f" ({_short(code.co_filename)}, line {frame.tb_lineno}, in {code.co_name})"
        frame = frame.tb_next
    return place


def _is_ours(frame) -> bool:
    return _is_sdk(frame.tb_frame.f_code.co_filename)


def _is_sdk(path: str) -> bool:
    return any(part in path for part in ("/tenter/", "/dp3/", "tenter_app.py", "/wit_world/", "/tenter_net/"))


def _short(path: str) -> str:
    return path.rsplit("/", 1)[-1]
