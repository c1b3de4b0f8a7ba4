"""The page for operators of IRIS names what exists."""

import importlib
import unittest

from calls import SDK, Module

import probe_module
from iris_interface import IrisInterfaceStatus as Status
from iris_interface.IrisModuleInterface import IrisModuleInterface

PAGE = (SDK.parents[1] / "docs" / "from-iris.md").read_text()
CODE = PAGE.split("`")[1::2]


class Page(unittest.TestCase):
    def test_parts_of_the_server_can_be_imported(self):
        parts = {code for code in CODE if code.startswith("app.") and "(" not in code}
        self.assertGreater(len(parts), 2)
        for part in parts:
            importlib.import_module(part)

    def test_statuses_and_methods_are_there(self):
        statuses = {code.split(".")[-1].split("(")[0] for code in CODE if "I2" in code}
        self.assertGreater(len(statuses), 3)
        for name in statuses:
            self.assertIsInstance(getattr(Status, name), Status.IIStatus, name)
        probe_module.register = lambda self, module_id: self.register_to_hook(module_id, "on_postload_ioc_create")
        Module("probe_module")
        one = importlib.import_module("probe_module.ProbeInterface").ProbeInterface()
        for name in "module_dict_conf _dict_conf server_dict_conf get_configuration_dict log message_queue".split():
            self.assertIn(f"`{name}`" if name not in ("log", "message_queue") else f"`self.{name}`", PAGE)
            getattr(one, name)
        for name in "register_to_hook deregister_from_hook hooks_handler get_evidence_storage".split():
            self.assertIn(name, PAGE)
            self.assertTrue(callable(getattr(IrisModuleInterface, name)))


if __name__ == "__main__":
    unittest.main()
