"""Tells failures that may pass from those that will not."""

_PASSING = (TimeoutError, ConnectionError)
_NAMES = {"ConnectTimeout", "ReadTimeout", "LifetimeTimeout"}
# Statuses by which a service says that another time may be better.
_LATER = {408, 425, 429, *range(500, 600)}


def refusal(error):
    """What was not granted, if an error comes of that: the line of the module and the grant to give."""
    for one in _chain(error):
        for part in (one, *one.args):
            reason = getattr(part, "reason", part)
            if isinstance(reason, PermissionError) and reason.strerror:
                return reason.strerror
    return None


def is_transient(error):
    """Whether an error is, or comes of, a service that did not answer or said that it cannot by now. What was not granted
    does not pass by itself."""
    if refusal(error) is not None:
        return False
    for one in _chain(error):
        status = getattr(getattr(one, "response", None), "status_code", None) or getattr(one, "code", None)
        if isinstance(status, int) and status in _LATER:
            return True
        for part in (one, *one.args):
            if isinstance(getattr(part, "reason", part), _PASSING) or type(part).__name__ in _NAMES:
                return True
    return False


def _chain(error):
    """The error, and those that it comes of."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
