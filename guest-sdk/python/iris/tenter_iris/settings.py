"""Configuration: from lists of parameters as IRIS has them to the contract's, and from the host's values back.

| IRIS | here | a module reads |
|---|---|---|
| string, textfield_html, textfield_markdown | string, html, markdown | text |
| sensitive_string | secret | a text that stands for the secret; the host puts it into headers and queries |
| bool | boolean | bool |
| int, integer | integer | int |
| float | float | float |
| textfield_json | json | text, which the module parses |

A default that is not of its kind makes a parameter a string, as it is in IRIS. A secret that is not set or not granted
reads as None in hooks.
"""

import json
import logging

from tenter_net import secret
from wit_world.exports import module as _m
from wit_world.imports import secrets as _secrets

_log = logging.getLogger("tenter.iris")

_KINDS = {
    "string": "string",
    "sensitive_string": "secret",
    "bool": "boolean",
    "int": "integer",
    "integer": "integer",
    "float": "float",
    "textfield_json": "json",
    "textfield_html": "html",
    "textfield_markdown": "markdown",
}

_values = {}
_handles = {}
_clear = frozenset()


def keep_clear(names):
    """Secrets that the author wants as plain parameters."""
    global _clear
    _clear = frozenset(names)


def with_defaults(definitions, config):
    """The parameters with other defaults: values by name, or a configuration as IRIS exports it."""
    exported = config.get("module_configuration")
    if isinstance(exported, list):
        config = {one["param_name"]: one["value"] for one in exported if one.get("value") is not None}
    return [{**one, "default": config.get(one["param_name"], one.get("default"))} for one in definitions]


def parameters(definitions):
    """The contract's parameters."""
    return [_parameter(one) for one in definitions]


def _parameter(one):
    kind, default = _kind_and_default(one)
    text = None if default is None or kind == "secret" else json.dumps(default)
    return _m.Parameter(
        name=one["param_name"],
        title=one.get("param_human_name") or one["param_name"],
        description=one.get("param_description") or "",
        kind=kind,
        section=one.get("section"),
        mandatory=bool(one.get("mandatory")),
        default_value=text,
    )


def _kind_and_default(one):
    kind = _KINDS.get(one.get("type", "string"), "string")
    default = one.get("default")
    if kind == "secret":
        return ("string", default) if one["param_name"] in _clear else (kind, None)
    if default is None:
        return kind, None
    try:
        return kind, _of_kind(kind, default)
    except (TypeError, ValueError):
        return "string", str(default)


def _of_kind(kind, value):
    if kind == "boolean":
        return value.strip().lower() == "true" if isinstance(value, str) else bool(value)
    if kind == "integer":
        return int(value)
    if kind == "float":
        return float(value)
    if kind == "json":
        return json.loads(value) if isinstance(value, str) and value.strip() else value
    return value if isinstance(value, str) else str(value)


def use(definitions, config):
    """Takes the host's values; parameters without one read as None."""
    _values.clear()
    _handles.clear()
    for one in definitions:
        name = one["param_name"]
        kind, _ = _kind_and_default(one)
        value = config.get(name)
        if kind == "secret":
            value = _handles[name] = secret.handle(name)
        elif kind == "json" and value is not None and not isinstance(value, str):
            value = json.dumps(value, indent=4)
        _values[name] = value


def look_for_secrets():
    """Before a hook: which secrets are there. What registrations follow from must not depend on that."""
    there = set(_secrets.available()) if _handles else ()
    for name, handle in _handles.items():
        _values[name] = handle if name in there else None
        if name not in there:
            how = f"`tenter secret set MODULE {name}` sets it, `tenter grant MODULE secret {name}` lets the module use it"
            _log.info("the secret %s is not there; %s", name, how)


def values():
    """Values by name."""
    return dict(_values)


def definitions(given):
    """The parameters as IRIS lists them, with their values."""
    return [{**one, "value": _values.get(one["param_name"])} for one in given]
