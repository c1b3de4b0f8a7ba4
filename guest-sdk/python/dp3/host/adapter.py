"""Loads a module that was written for DP³.

As there, every class of the file whose direct base is `BaseModule` is made as ``Class(platform_config, module_config,
registrar)``, anew with each configuration. ``start`` comes before the first hook call of an instance. ``stop`` comes when
an instance gets another configuration; an instance that the host drops is gone without a word.
"""

import ast
import importlib
import json
import linecache
import sys

import tenter_net
from dp3.common.base_module import BaseModule
from dp3.common.callback_registrar import CallbackRegistrar
from dp3.common.config import HierarchicalDict, PlatformConfig
from dp3.common.model_spec import ModelSpec
from dp3.host import files, refusals
from dp3.host.refresh import add_refresh
from tenter import schema
from tenter.errors import InvalidInput, keep_source
from tenter.module import Parameter
from tenter.registrar import Registrar
from tenter_net import asks
from wit_world.exports import module as _m


def load(manifest):
    """The guest of the module that the manifest names."""
    # Below the libraries that the module imports, so before it.
    tenter_net.install()
    tenter_net.own(manifest.SOURCE)
    refusals.install()
    with tenter_net.importing():
        source = importlib.import_module(manifest.SOURCE)
        tenter_net.preload(getattr(manifest, "PRELOAD", ()))
    keep_source(source)
    return Guest(manifest, source)


class Guest:
    """What `tenter.app` drives."""

    def __init__(self, manifest, source):
        self.manifest, self.source = manifest, source
        self.classes = [
            one for one in vars(source).values() if isinstance(one, type) and BaseModule in one.__bases__
        ]
        self.modules = []
        tree = ast.parse("".join(linecache.getlines(source.__file__)))
        self.paths = files.named_in(tree)
        self.removes = _removes(tree)
        # Outside of a component, in tests, other code has files of its own.
        if sys.platform == "wasi" or self.paths is not None:
            files.install((manifest.NAME, manifest.SOURCE))
        if not self.classes:
            raise InvalidInput(
                f"{manifest.SOURCE}.py holds no class whose direct base is BaseModule of dp3.common.base_module"
            )

    def describe(self):
        """Static facts; the values of the configuration file that was built in are the defaults of parameters."""
        doc = (self.classes[-1].__doc__ or self.source.__doc__ or "").strip()
        title = self.manifest.TITLE or self.classes[-1].__name__
        parameters = [Parameter(_kind(value), name, default=value).to_wit() for name, value in self._defaults().items()]
        description = self.manifest.DESCRIPTION or " ".join(doc.split("\n\n", 1)[0].split())
        return _m.Descriptor(title, description, self.manifest.VERSION, parameters)

    def _defaults(self):
        return getattr(self.manifest, "CONFIG", {})

    def configure(self, text):
        """Makes the module's classes with this configuration."""
        for module in self.modules:
            module.stop()
        self.modules = []
        config = HierarchicalDict({**self._defaults(), **json.loads(text)})
        on = Registrar(schema.current)
        for capability, scope in asks.derived(self.manifest, dict.values(config)):
            on.request(capability, scope)
        if self.removes:
            on.request("delete-entity", "*")
        if self.paths is not None:
            files.ask(on, self.paths, config)
        model_spec = ModelSpec(schema.current)
        platform = PlatformConfig(
            app_name="tenter",
            config_base_path=files.BASE,
            config=_platform(self.manifest.SOURCE, config),
            model_spec=model_spec,
        )
        registrar = CallbackRegistrar(on, model_spec)
        self.modules = [cls(platform, config, registrar) for cls in self.classes]
        add_refresh(registrar, on, self.classes)
        return on

    def start(self):
        """Before the first hook call."""
        for module in self.modules:
            module.start()


def _removes(tree) -> bool:
    """Whether the source builds tasks that remove entities."""
    given = (word for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords)
    return any(word.arg == "delete" and getattr(word.value, "value", True) is not False for word in given)


def _platform(name, config):
    """The part of the platform's configuration that a module in a sandbox may see: its own, and the entity types."""
    entities = {
        name: {"entity": {k: v for k, v in one.raw.items() if k != "attribs"}, "attribs": one.raw["attribs"]}
        for name, one in schema.current.entities.items()
    }
    return HierarchicalDict(
        {
            "db_entities": entities,
            "modules": {name: config},
            "processing_core": {"worker_processes": 1, "worker_threads": 1, "enabled_modules": [name]},
        }
    )


def _kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "float"
    return "string" if isinstance(value, str) else "json"


