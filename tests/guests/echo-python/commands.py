"""What the guest does on command."""

import logging

import tenter
from tenter.resolver import NotFound
from componentize_py_types import Err
from wit_world.imports import http as wit_http
from wit_world.imports import secrets as wit_secrets
from wit_world.imports import state as wit_state

_log = logging.getLogger()
_log.setLevel(logging.DEBUG)


def info(text):
    _log.info("%s", text)


def _raise(kind, text):
    def every():
        raise kind(text)

    return every


def _loop():
    while True:
        pass


def _memory():
    kept = []
    while True:
        kept.append(bytearray(b"x") * (1 << 20))


EVERY = {
    "invalid-input": _raise(tenter.InvalidInput, "the data is to blame"),
    "unavailable": _raise(tenter.Unavailable, "something outside is to blame"),
    "failed": _raise(tenter.Failed, "the module is to blame"),
    "exception": _raise(RuntimeError, "thrown"),
    "loop": _loop,
    "memory": _memory,
}


def _case(error):
    """The name of the contract's case behind an exception."""
    words = type(error.value).__name__.partition("_")[2]
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in words).lstrip("-")


def _tried(call):
    """What a call gives, or the name of its error's case."""
    try:
        return call()
    except Err as error:
        return _case(error)


def many(etype, eid, echoed):
    return [echoed] * 300


def large(etype, eid, echoed):
    return tenter.Task(etype, eid).plain("echo", "x" * (2 << 20))


def log(etype, eid, echoed):
    for level in ("debug", "info", "warning", "error"):
        getattr(_log, level)(level)
    info("é🦀")
    info("a\0b")


def call(etype, eid, echoed):
    call = tenter.call
    info(f"now {tenter.values.microseconds(call.now())}")
    info(f"id {call.id()}")
    info(f"cause {call.cause()}")
    info(f"random {_bool(call.random() != call.random())}")
    info(f"resume-after {_bool(call.resume_after(60, 'm'))}")
    info(f"memo {call.memo() or '-'}")


def state(etype, eid, echoed):
    kept = tenter.state
    kept.set("k", bytes([0, 1, 255]))
    found = kept.get("k")
    info("k " + ("-" if found is None else ",".join(map(str, found))))
    kept.set("t", "x", 60)
    kept.increment("n", 2)
    kept.increment("n", -5)
    info(f"n {kept.get_text('n')}")
    info("keys " + ",".join(wit_state.keys("", None, 10)))
    kept.discard("t")
    info(f"error {_tried(lambda: wit_state.store('k' * 513, b'', None))}")


def entities(etype, eid, echoed):
    from_host = tenter.entities
    for ref in ((etype, eid), ("other", "1")):
        for name, ask in (("known", from_host.known), ("record", lambda *ref: from_host.read(*ref) is not None)):
            info(f"{name} {_asked(ask, ref)}")
    info(f"hooks {len(from_host.case_hooks())}")
    info(f"schema {_bool('thing' in from_host.specification().entities)}")


def _asked(ask, ref):
    try:
        return _bool(ask(*ref))
    except tenter.Denied:
        return "denied"
    except tenter.InvalidInput:
        return "unknown-type"


def http(etype, eid, echoed):
    authorization = tenter.http.Secret("echo", "Bearer ")
    headers = {"x-echo": "yes", "authorization": authorization}
    for method, url, more in (
        ("POST", "https://echo.example/in", {"params": {"q": "a b&c"}, "headers": headers, "body": "hello", "timeout": 1}),
        ("GET", "https://other.example/", {}),
    ):
        request = tenter.http.request_of(method, url, **more)
        answer = _tried(lambda request=request: wit_http.send(request))
        if isinstance(answer, str):
            info(f"http {answer}")
            continue
        info(f"http {answer.status} {answer.body.decode()}")
        for header in answer.headers:
            info(f"header {header.name} {header.value}")


def resolver(etype, eid, echoed):
    names = tenter.resolver
    for name, ask in (
        ("echo.example", lambda: names.lookup("echo.example", "A")),
        ("none.example", lambda: names.lookup("none.example", "TXT")),
        ("192.0.2.1", lambda: names.reverse("192.0.2.1")),
        ("echo.example", lambda: names.lookup("echo.example", "A", "192.0.2.53")),
    ):
        info(f"{name} {_names(ask)}")


def _names(ask):
    try:
        return ",".join(ask())
    except tenter.Denied:
        return "denied"
    except NotFound:
        return "not-found"
    except tenter.Unavailable:
        return "timed-out"
    except tenter.Failed:
        return "other"


def secrets(etype, eid, echoed):
    info("available " + ",".join(tenter.secrets.available()))
    for name in ("echo", "other"):
        answer = _tried(lambda name=name: wit_secrets.hmac_sha256(name, b"hello"))
        info(f"hmac {answer if isinstance(answer, str) else answer.hex()}")


def views():
    from tenter.views import fetch_seen

    for eid in ("beyond", "none"):
        try:
            seen = fetch_seen("thing", eid)
            info(f"{eid} {'-' if seen is None else len(seen.values)}")
        except tenter.Denied:
            info(f"{eid} denied")


def _bool(value):
    return "true" if value else "false"


NAMED = {
    "many": many, "large": large, "log": log, "call": call, "state": state, "entities": entities, "http": http,
    "resolver": resolver, "secrets": secrets,
}  # fmt: skip
