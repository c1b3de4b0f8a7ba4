"""Stands in for the generated bindings: peers that answer requests, servers of names, and the log.

The tests beside it need no sandbox: `python -m unittest discover -s tests/net` in `guest-sdk/python`. Those of requests
and dnspython are skipped where these are not installed.
"""

import sys
import types
from dataclasses import dataclass, make_dataclass
from enum import Enum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

class Err(Exception):
    """As in `componentize_py_types`."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


def _case(name, *fields):
    return make_dataclass(name, fields)


@dataclass
class World:
    """What the host does, and what it was asked for."""

    answer: object = None
    records: object = None
    requests: list = None
    lookups: list = None
    lines: list = None

    def reset(self):
        self.answer = lambda request: (200, [], b"")
        self.records = {}
        self.requests, self.lookups, self.lines = [], [], []


world = World()
world.reset()


def _module(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    return module


def _http():
    errors = {f"HttpError_{name}": _case(name, "value") for name in ("Denied", "Invalid", "Unreachable", "Other")}
    errors |= {f"HttpError_{name}": _case(name) for name in ("TimedOut", "TooLarge")}
    http = _module(
        "wit_world.imports.http",
        Request=_case("Request", "method", "url", "query", "headers", "body", "timeout_ms"),
        Parameter=_case("Parameter", "name", "value"),
        SecretUse=_case("SecretUse", "prefix", "name"),
        Sensitive_Clear=_case("Sensitive_Clear", "value"),
        Sensitive_Secret=_case("Sensitive_Secret", "value"),
        Response=_case("Response", "status", "headers", "body"),
        Header=_case("Header", "name", "value"),
        **errors,
    )

    def send(request):
        world.requests.append(request)
        answer = world.answer(request)
        if not isinstance(answer, tuple):
            raise Err(answer)
        status, headers, body = answer
        return http.Response(status, [http.Header(*pair) for pair in headers], body)

    http.send = send
    return http


def _resolver():
    names = ("Denied", "NotFound", "TimedOut")
    errors = {f"ResolveError_{name}": _case(name) for name in names} | {"ResolveError_Other": _case("Other", "value")}
    resolver = _module("wit_world.imports.resolver", **errors)

    def lookup(name, kind, server):
        world.lookups.append((name, kind, server))
        found = world.records.get((name, kind), resolver.ResolveError_NotFound())
        if not isinstance(found, list):
            raise Err(found)
        return found

    resolver.lookup = lookup
    resolver.reverse = lambda address, server: lookup(address, "PTR", server)
    return resolver


class Level(Enum):
    """As in the bindings."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


def install():
    """Puts the stand-ins in place, and `tenter_net` over them."""
    if "componentize_py_types" not in sys.modules:
        _module("componentize_py_types", Err=Err)
        log = _module("wit_world.imports.log", Level=Level, write=lambda level, text: world.lines.append((level.name, text)))
        imports = _module("wit_world.imports", http=_http(), resolver=_resolver(), log=log)
        _module("wit_world", imports=imports)
    import tenter_net

    tenter_net.install()
    return sys.modules["wit_world.imports"]
