"""What cannot work in a sandbox says so at its first use: the line that asked for it, and what to write instead."""

import sys
import threading

_OURS = ("/tenter/", "/dp3/", "/tenter_net/", "/tenter_iris/", "/threading.py", "/concurrent/", "/asyncio/", "/multiprocessing/")


_THREADS = (
    "do the work in the hook itself, or on a schedule with scheduler_register; hooks of several entities run at the same "
    "time anyway"
)


def install(threads=_THREADS) -> None:
    """Puts messages in the place of threads and processes. ``threads`` says what to do instead of starting one."""
    threading.Thread.start = _refused("a thread", threads)
    subprocess = sys.modules.get("subprocess")
    if subprocess is not None:
        subprocess.Popen.__init__ = _refused("a process", "call a service over HTTP, which the operator can grant")
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None:
        multiprocessing.BaseProcess.start = _refused("a process", "do the work in the hook itself")


def _refused(what, instead):
    def refuse(*_, **__):
        raise RuntimeError(f"{_line()} starts {what}, which a module cannot do in the sandbox: {instead}")

    return refuse


def _line() -> str:
    """File and line of the author's code that is being run."""
    frame = sys._getframe(2)
    while frame.f_back is not None and any(part in frame.f_code.co_filename for part in _OURS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}, line {frame.f_lineno},"
