"""Requests to outside services. Needs ``http`` with an address pattern as scope, such as ``GET https://api.example``."""

import json as _json

from componentize_py_types import Err
from wit_world.imports import http as _http

from .errors import Denied, InvalidInput, Unavailable
from .errors import Failed as _Failed


class Secret:
    """A secret as the value of a header or query parameter: the host puts ``prefix`` and its text in."""

    __slots__ = ("name", "prefix")

    def __init__(self, name: str, prefix: str = ""):
        self.name, self.prefix = name, prefix


class Response:
    """An answer: ``status``, ``headers`` (names in lower case), ``body``."""

    __slots__ = ("status", "headers", "body")

    def __init__(self, given):
        self.status = given.status
        self.headers = {header.name.lower(): header.value for header in given.headers}
        self.body = given.body

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status < 400

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self):
        """What JSON the body holds."""
        return _json.loads(self.body)


def _sensitive(value):
    if isinstance(value, Secret):
        return _http.Sensitive_Secret(_http.SecretUse(value.prefix, value.name))
    return _http.Sensitive_Clear(str(value))


def _parameters(given):
    return [_http.Parameter(name, _sensitive(value)) for name, value in dict(given or {}).items()]


def request_of(method, url, *, params=None, headers=None, body=None, json=None, timeout=None):
    """The request of the contract, as `send` takes it apart."""
    headers = dict(headers or {})
    if json is not None:
        body = _json.dumps(json)
        if not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = "application/json"
    if isinstance(body, str):
        body = body.encode()
    wanted = None if timeout is None else max(1, int(timeout * 1000))
    return _http.Request(method.upper(), url, _parameters(params), _parameters(headers), body, wanted)


def send(method, url, **options) -> Response:
    """Sends a request. ``params`` and ``headers`` are dictionaries, ``timeout`` is in seconds; ``json`` is sent as such,
    ``body`` is bytes or text.

    Raises Unavailable when the service does not answer, Denied when the address is not granted.
    """
    request = request_of(method, url, **options)
    try:
        return Response(_http.send(request))
    except Err as error:
        raise _said(error.value, method, url) from None


def _said(case, method, url):
    what = f"http: {method.upper()} {url}"
    if isinstance(case, _http.HttpError_Denied):
        return Denied(f"{what}: {case.value}")
    if isinstance(case, _http.HttpError_Invalid):
        return InvalidInput(f"{what}: {case.value}")
    if isinstance(case, _http.HttpError_TimedOut):
        return Unavailable(f"{what}: no answer in time")
    if isinstance(case, _http.HttpError_TooLarge):
        return _Failed(f"{what}: the answer is too large")
    if isinstance(case, _http.HttpError_Unreachable):
        return Unavailable(f"{what}: {case.value}")
    return _Failed(f"{what}: {case.value}")


def get(url, **options) -> Response:
    """Sends a GET."""
    return send("GET", url, **options)


def post(url, **options) -> Response:
    """Sends a POST."""
    return send("POST", url, **options)


def put(url, **options) -> Response:
    """Sends a PUT."""
    return send("PUT", url, **options)


def delete(url, **options) -> Response:
    """Sends a DELETE."""
    return send("DELETE", url, **options)
