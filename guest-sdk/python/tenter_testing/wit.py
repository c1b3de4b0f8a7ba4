"""The contract's types for tests, made from the files in ``wit/`` under the names that componentize-py gives them.

Only what the contract uses is read: records, variants, enumerations, aliases and functions. So there is no generated code
to keep, and tests follow the contract by themselves.
"""

import dataclasses
import enum
import re
import sys
import types
from pathlib import Path

_WORD = re.compile(r"[%a-zA-Z0-9_-]+|->|[{}()<>,;:=@./*]|\S")


@dataclasses.dataclass(frozen=True)
class Err(Exception):
    """The failure case of a result."""

    value: object


@dataclasses.dataclass
class Ok:
    """The success case of a result."""

    value: object


@dataclasses.dataclass
class Some:
    """The present case of an option."""

    value: object


class Host:
    """Answers the host's functions; see `harness` for what tests set in it."""

    def __init__(self):
        self.reset()

    def reset(self):
        """As at the start of a test."""
        self.log = []
        self.now = 1_767_323_045_000_000
        self.cause = "normal"
        self.state = {}
        self.schema = "{}"
        self.records = {}
        self.views = {}
        self.submitted = []
        self.http = []
        self.requests = []
        self.dns = {}
        self.granted = None

    def allows(self, capability):
        """Whether a capability is granted; all are, unless the test names them."""
        return self.granted is None or capability in self.granted


def install() -> Host:
    """Makes the bindings that the SDK imports, once."""
    if "wit_world" in sys.modules:
        return sys.modules["wit_world"].host
    folder = next(p for p in (up / "wit" for up in Path(__file__).resolve().parents) if (p / "worlds.wit").is_file())
    interfaces = {}
    for file in sorted(folder.glob("*.wit")):
        interfaces.update(_interfaces(file.read_text()))
    host = Host()
    world = types.ModuleType("wit_world")
    world.host = host
    imports, exports = types.ModuleType("wit_world.imports"), types.ModuleType("wit_world.exports")
    for name, definitions in interfaces.items():
        side = exports if name in ("ingest", "snapshot", "update", "schedule", "cases", "module") else imports
        module = types.ModuleType(f"{side.__name__}.{name}")
        module.__dict__.update(definitions)
        setattr(side, name, module)
        sys.modules[module.__name__] = module
        if side is exports:
            setattr(exports, _camel(name), type(_camel(name), (), {}))
    results = types.ModuleType("componentize_py_types")
    results.Err, results.Ok, results.Some = Err, Ok, Some
    for module in (world, imports, exports, results):
        sys.modules[module.__name__] = module
    world.imports, world.exports = imports, exports
    from .fake import answer

    answer(imports, host, Err)
    return host


def _interfaces(text):
    words = _WORD.findall(re.sub(r"//[^\n]*", "", text))
    found, at = {}, 0
    while at < len(words):
        if words[at] == "interface":
            name, at = words[at + 1], at + 3
            definitions, depth = {}, 1
            while depth:
                word = words[at]
                if word in ("record", "variant", "enum"):
                    at = _define(words, at, definitions)
                    continue
                depth += (word == "{") - (word == "}")
                at += 1
            found[_snake(name)] = definitions
        else:
            at += 1
    return found


def _define(words, at, definitions):
    kind, name = words[at], _camel(words[at + 1])
    end = words.index("}", at)
    body = _members(words[at + 3 : end])
    if kind == "record":
        definitions[name] = dataclasses.make_dataclass(name, [_snake(member) for member, _ in body])
    elif kind == "enum":
        definitions[name] = enum.Enum(name, {_snake(member).upper(): n for n, (member, _) in enumerate(body)})
    else:
        for member, typed in body:
            case = f"{name}_{_camel(member)}"
            definitions[case] = dataclasses.make_dataclass(case, ["value"] if typed else [])
    return end + 1


def _members(words):
    """Names of the members of a body, and whether each has a type."""
    found, depth, fresh = [], 0, True
    for word in words:
        if word in "(<":
            if depth == 0 and word == "(" and found:
                found[-1] = (found[-1][0], True)
            depth += 1
        elif word in ")>":
            depth -= 1
        elif depth == 0 and word == ",":
            fresh = True
        elif depth == 0 and fresh:
            found.append((word.lstrip("%"), False))
            fresh = False
    return found


def _snake(name):
    return name.lstrip("%").replace("-", "_")


def _camel(name):
    return "".join(part.capitalize() for part in name.lstrip("%").split("-"))
