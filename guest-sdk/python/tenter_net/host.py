"""The way to the host's imports: the one place that knows the bindings.

Answers and errors are turned into what Python has for them, so that libraries above need not know where they run. What
was not granted is a `PermissionError`, which no library takes for a failure of the network; its text names the line of
the module and the grant to give, and it goes to the module's log too, in case the module passes over it in silence.
"""

import contextlib
import errno

from . import secret
from .where import at

# What belongs to the connection, which is the host's.
_OURS = {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}


_importing = False


@contextlib.contextmanager
def importing():
    """While a module is imported, which is when it is built, nobody can be asked."""
    global _importing
    _importing = True
    try:
        yield
    finally:
        _importing = False


def _must_run(what):
    if _importing:
        text = f"{what} while the module is imported, which happens at its build; ask in a hook, and keep what must last in `tenter.state`"
        raise OSError(errno.ENOTCONN, at(text))


class NotFound(Exception):
    """There is no such name, or it has no such record."""


def send(method, url, headers, body, timeout):
    """Sends a request and gives (status, [(name, value)], body). Follows no redirect.

    `timeout` is in seconds; none: what the call has left. Raises `PermissionError`, `TimeoutError` or `OSError`.
    """
    _must_run(f"{method} {url.partition('?')[0]}")
    from componentize_py_types import Err
    from wit_world.imports import http

    def parameter(name, before, value):
        if value is None:
            return http.Parameter(name, http.Sensitive_Clear(before))
        return http.Parameter(name, http.Sensitive_Secret(http.SecretUse(before, value)))

    try:
        url, query = secret.out_of_query(url)
        parameters = [parameter(*pair) for pair in query]
        named = []
        for name, value in headers:
            if name.lower() in _OURS or name.lower().startswith("proxy-"):
                continue
            before, secret_name = secret.find(value)
            named.append(parameter(name, value if secret_name is None else before, secret_name))
            if secret_name is None:
                _no_secret(value.encode("latin-1", "replace"), f"coded into the header {name}")
        _no_secret(url.encode(), "in the path of an address")
        _no_secret(body or b"", "in a body")
    except ValueError as wrong:
        raise OSError(errno.EINVAL, at(str(wrong))) from None
    milliseconds = None if timeout is None else max(1, int(timeout * 1000))
    # The host takes no body with these, and an empty one is none.
    body = bytes(body) if body else None
    try:
        answer = http.send(http.Request(method, url, parameters, named, body, milliseconds))
    except Err as refused:
        raise _http_error(http, refused.value, method, url) from None
    return answer.status, [(header.name, header.value) for header in answer.headers], bytes(answer.body)


def _no_secret(data, place):
    name = secret.named_in(data)
    if name is not None:
        raise ValueError(
            f"the secret `{name}` cannot be put {place}: the host puts secrets at the end of headers and values of queries"
            f" alone; `clear = [\"{name}\"]` under [module] in a tenter.toml beside the package makes it a plain parameter,"
            " which the module sees"
        )


def _http_error(http, error, method, url):
    shown = url.partition("?")[0]
    if isinstance(error, http.HttpError_Denied):
        return denied(f"{method} {shown}: {error.value}")
    if isinstance(error, http.HttpError_TimedOut):
        return TimeoutError(errno.ETIMEDOUT, at(f"{method} {shown} timed out"))
    if isinstance(error, http.HttpError_TooLarge):
        return OSError(errno.EMSGSIZE, at(f"{method} {shown}: the request or its answer is larger than the host allows"))
    if isinstance(error, http.HttpError_Invalid):
        return OSError(errno.EINVAL, at(f"{method} {shown}: {error.value}"))
    return ConnectionRefusedError(errno.ECONNREFUSED, at(f"{method} {shown}: {error.value}"))


def lookup(name, kind, server=None):
    """Records of a name as texts. `server`: the server to ask instead of the host's own.

    Raises `NotFound`, `PermissionError`, `TimeoutError` or `OSError`.
    """
    from wit_world.imports import resolver

    return _asked(resolver, f"look-up of {kind} {name}", server, lambda: resolver.lookup(name, kind, server))


def reverse(address, server=None):
    """Names of an address. As `lookup`."""
    from wit_world.imports import resolver

    return _asked(resolver, f"look-up of the names of {address}", server, lambda: resolver.reverse(address, server))


def _asked(resolver, what, server, ask):
    _must_run(what)
    from componentize_py_types import Err

    try:
        return list(ask())
    except Err as refused:
        error = refused.value
    if isinstance(error, resolver.ResolveError_NotFound):
        raise NotFound(what)
    if isinstance(error, resolver.ResolveError_TimedOut):
        raise TimeoutError(errno.ETIMEDOUT, at(f"{what} timed out"))
    if isinstance(error, resolver.ResolveError_Denied):
        # A grant names the address of a server, not its port.
        address = server.rpartition(":")[0] if server and (server[0] == "[" or server.count(":") == 1) else server
        grant = f"tenter grant MODULE resolver {address.strip('[]')}" if server else "tenter grant MODULE resolver"
        asked = f"{what} at {server}" if server else what
        raise denied(f"{asked} was denied; it needs the grant `{grant}`, and look-ups are for hooks alone")
    raise OSError(errno.EIO, at(f"{what}: {error.value}"))


def denied(text):
    """An error for what was not granted. It is logged as well: code of modules likes to pass over errors."""
    log("warning", at(text))
    return PermissionError(errno.EACCES, at(text))


def unsupported(what, instead):
    """An error for what no sandbox has."""
    return OSError(errno.ENOTSUP, at(f"{what} does not work in a sandbox; {instead}"))


def log(level, text):
    """Writes to the module's log, where there is a host."""
    if _importing:
        return
    from wit_world.imports import log as host_log

    host_log.write(host_log.Level[level.upper()], text)


__all__ = ["NotFound", "at", "denied", "log", "lookup", "reverse", "send", "unsupported"]
