"""Files and threads of modules of DP³."""

import builtins
import io
import os
import tempfile
import textwrap
import unittest
from pathlib import Path
from unittest import mock

from tenter_testing import HookFailed
from dp3.host import files

from .test_dp3 import load

LABELS = """
    import os
    from pathlib import Path
    import threading
    from concurrent.futures import ThreadPoolExecutor
    from dp3.common.base_module import BaseModule
    from dp3.common.task import DataPointTask

    class Labels(BaseModule):
        def __init__(self, platform_config, module_config, registrar):
            super().__init__(platform_config, module_config, registrar)
            self.paths = module_config
            self.base = platform_config.config_base_path
            registrar.register_on_entity_creation_hook(self.label, "ip")

        def label(self, eid, task):
            how = task.data_points[0].v
            if how == "open":
                text = open(self.paths["list"]).read()
            elif how == "path":
                text = Path(self.base, "lists", "bad.txt").read_text()
            elif how == "folder":
                text = ",".join(sorted(os.listdir("/etc/dp3/lists"))) + str(os.path.exists("/etc/dp3/lists/none"))
            elif how == "alone":
                text = open("alone.txt").read()
            elif how == "missing":
                text = open("/etc/dp3/lists/none.txt").read()
            elif how == "write":
                text = open("/tmp/x", "w").write("x")
            elif how == "thread":
                text = threading.Thread(target=print).start()
            else:
                text = ThreadPoolExecutor().submit(print)
            return [DataPointTask(etype="ip", eid=eid, data_points=[{"attr": "class", "v": text}])]
"""


class Sandbox(unittest.TestCase):
    """A module that reads files and starts threads."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        granted = Path(folder, "granted")
        (granted / "lists").mkdir(parents=True)
        (granted / "labels").mkdir()
        (granted / "lists" / "bad.txt").write_text("a list")
        (granted / "labels" / "alone.txt").write_text("beside")
        self.source = Path(folder, "labels.py")
        self.source.write_text(textwrap.dedent(LABELS))
        real = dict(files._real)

        def there(function):
            """The granted folders lie elsewhere than in a component."""
            return lambda path, *args, **kw: function(str(path).replace("/files/", f"{granted}/"), *args, **kw)

        self.enterContext(mock.patch.dict(files._real, {name: there(one) for name, one in real.items()}))
        for place, name in [(builtins, "open"), (io, "open"), (os, "stat"), (os, "listdir"), (os, "scandir")]:
            self.enterContext(mock.patch.object(place, name, getattr(place, name)))
        import threading

        self.enterContext(mock.patch.object(threading.Thread, "start", threading.Thread.start))
        config = {"list": "/etc/dp3/lists/bad.txt", "net": "192.0.2.0/24", "url": "https://x.example/a.txt", "n": [5, "x"]}
        self.module = load(self.source, config, NAME="labels")

    def asked(self, how):
        """The text that the module made."""
        (task,) = self.module.creation("ip", "192.0.2.1", [{"attr": "hostname", "v": how}])
        return task["data_points"][0]["v"]

    def refused(self, how):
        """Why it did not."""
        with self.assertRaises(HookFailed) as caught:
            self.asked(how)
        return str(caught.exception)

    def test_folders_are_asked_for_by_the_paths_that_are_named(self):
        self.assertIn("files lists", self.module.requests)
        self.assertFalse([one for one in self.module.requests if "x.example" in one or "192" in one])

    def test_paths_are_found_in_granted_folders(self):
        self.assertEqual(self.asked("open"), "a list")
        self.assertEqual(self.asked("path"), "a list")
        self.assertEqual(self.asked("folder"), "bad.txtFalse")
        self.assertEqual(self.asked("alone"), "beside", "what has no folder is in that of the module's name")

    def test_what_cannot_be_says_which_line_and_what_to_do(self):
        self.assertIn("`files: {lists: /etc/dp3/lists}` and the grant `files lists`", self.refused("missing"))
        self.assertRegex(self.refused("missing"), r"FileNotFoundError: .* \(labels.py, line \d+, in label\)$")
        self.assertIn("modules write no files", self.refused("write"))
        for how in ("thread", "pool"):
            self.assertRegex(self.refused(how), r"labels.py, line \d+, starts a thread, which a module cannot do in the sandbox")


if __name__ == "__main__":
    unittest.main()
