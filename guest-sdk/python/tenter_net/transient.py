"""Tells failures that may pass from those that will not."""

_PASSING = (TimeoutError, ConnectionError)


def is_transient(error):
    """Whether an error is, or comes of, a service that did not answer. What was not granted is not."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for one in (error, *error.args):
            reason = getattr(one, "reason", one)
            if isinstance(reason, PermissionError):
                return False
            if isinstance(reason, _PASSING) or type(one).__name__ in ("ConnectTimeout", "ReadTimeout", "LifetimeTimeout"):
                return True
        error = error.__cause__ or error.__context__
    return False
