"""Tasks from hooks that return none: for cron alone."""

from componentize_py_types import Err
from wit_world.imports import tasks as _tasks

from .errors import Denied, Failed, InvalidInput
from .task import tasks as _lowered


def submit(result) -> list:
    """Enters tasks, all or none; they commit with the call. Returns their ids."""
    try:
        return _tasks.submit(_lowered(result))
    except Err as error:
        case = error.value
        if isinstance(case, _tasks.SubmitError_Denied):
            raise Denied("tasks: hooks other than cron return their tasks") from None
        if isinstance(case, _tasks.SubmitError_Invalid):
            raise InvalidInput(f"tasks: {case.value}") from None
        if isinstance(case, _tasks.SubmitError_Budget):
            raise Failed("tasks: more than the host takes in one call") from None
        raise Failed(f"tasks: {case.value}") from None
