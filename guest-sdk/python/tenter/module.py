"""Modules of this SDK: a class, functions with decorators, or both in one file.

Decorators only leave a mark; what is marked in the author's file is registered in the order in which it stands there.
"""

import inspect
import json

from wit_world.exports import module as _m

from . import schema
from .errors import InvalidInput, keep_source
from .registrar import Registrar


class Parameter:
    """What the configuration may hold. ``kind``: string, secret, boolean, integer, float, json, html or markdown."""

    def __init__(self, kind, name, *, title=None, description="", section=None, mandatory=False, default=None):
        self.kind, self.name, self.title, self.description = kind, name, title or name, description
        self.section, self.mandatory, self.default = section, mandatory, default

    def to_wit(self):
        """The parameter of the contract."""
        default = None if self.default is None else json.dumps(self.default)
        return _m.Parameter(
            self.name, self.title, self.description, self.kind, self.section, self.mandatory, default
        )


class Module:
    """Base of modules that are classes. The host makes an instance before it calls any hook and may drop it between any
    two calls: what the fields hold is a cache, never the truth. What must last belongs into `tenter.state`."""

    #: For people, one line.
    title = ""
    #: What the configuration may hold.
    parameters = ()

    def __init__(self, config):
        self.config = config

    def register(self, on):
        """Names the moments that the module wants, and asks for capabilities, beside what decorators say."""


class Guest:
    """What a component is made of; `tenter.app` drives it. Adapters for other kinds of modules have the same methods."""

    def __init__(self, manifest, source):
        self.manifest, self.source = manifest, source
        keep_source(source)
        self.classes = [
            one
            for one in vars(source).values()
            if isinstance(one, type) and issubclass(one, Module) and one.__module__ == source.__name__
        ]
        self.functions = [one for one in vars(source).values() if hasattr(one, MARKS) and not isinstance(one, type)]
        if not self.classes and not self.functions and not hasattr(source, "configure"):
            raise InvalidInput(
                f"{source.__name__}.py holds no module: expected a class that derives from tenter.Module, or functions "
                "with decorators such as @tenter.on_new_attr('ip', 'hostname')"
            )

    def describe(self):
        """Static facts, for `module.describe`."""
        first = self.classes[0] if self.classes else None
        doc = inspect.getdoc(first or self.source) or inspect.getdoc(self.source) or ""
        fact = lambda name: getattr(first, name.lower(), None) or getattr(self.source, name, None)  # noqa: E731
        title = fact("TITLE") or self.manifest.TITLE or doc.split("\n", 1)[0].rstrip(".") or self.manifest.NAME
        parameters = [one.to_wit() for cls in self.classes for one in cls.parameters]
        parameters += [one.to_wit() for one in getattr(self.source, "PARAMETERS", ())]
        return _m.Descriptor(title, self.manifest.DESCRIPTION or doc, fact("VERSION") or self.manifest.VERSION, parameters)

    def configure(self, text):
        """Sets the module up: the registrar with all that it wants."""
        config = json.loads(text)
        on = Registrar(schema.current)
        for cls in self.classes:
            module = cls(config)
            for mark, hook in marked(module, cls):
                mark(on, hook)
            module.register(on)
        for function in self.functions:
            for mark in getattr(function, MARKS):
                mark(on, function)
        setup = getattr(self.source, "configure", None)
        if setup is not None:
            setup(config, on)
        return on

    def start(self):
        """Before the first hook call of an instance."""


#: Attribute of functions where decorators leave their marks.
MARKS = "__tenter_hooks__"


def marked(module, cls):
    """Marks of the methods of a class, in the order in which they stand there, with the bound method."""
    for name, member in vars(cls).items():
        for mark in getattr(member, MARKS, ()):
            yield mark, getattr(module, name)
