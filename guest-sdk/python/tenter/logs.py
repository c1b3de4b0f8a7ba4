"""The module's log: the standard ``logging`` goes there, as does what is printed."""

import logging

from wit_world.imports import log as _log


class HostHandler(logging.Handler):
    """Hands records to the host. Levels beyond its four are the nearest one below."""

    def emit(self, record):
        try:
            text = self.format(record)
        except Exception:  # As `logging` does: a message that cannot be formatted is no reason to fail.
            text = f"{record.msg!r} % {record.args!r} cannot be formatted"
        _log.write(_level(record.levelno), text)


def _level(number):
    if number >= logging.ERROR:
        return _log.Level.ERROR
    if number >= logging.WARNING:
        return _log.Level.WARNING
    return _log.Level.INFO if number >= logging.INFO else _log.Level.DEBUG


def install(level=logging.INFO) -> None:
    """Makes the host's log the one handler of the root logger."""
    # There is one thread and one process, and asking for their names costs time.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.logAsyncioTasks = False
    root = logging.getLogger()
    root.handlers[:] = [HostHandler()]
    root.setLevel(level)
    logging.captureWarnings(True)
