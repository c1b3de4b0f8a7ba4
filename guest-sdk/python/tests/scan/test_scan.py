"""What `scan.py` finds: `python -m unittest discover -s tests/scan` in `guest-sdk/python`."""

import json
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

SCAN = Path(__file__).parents[2] / "scan.py"


def scan(source, *more, kind="--dp3", **files):
    """Scans a module that stands in a folder of its own, with other files beside it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name.replace("__slash__", "/").replace("__dot__", "."))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        path = Path(folder)
        if source is not None:
            path = path / "my_module.py"
            path.write_text(textwrap.dedent(source))
        done = subprocess.run([sys.executable, str(SCAN), kind, str(path), *more], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    return json.loads(done.stdout)


def told(found):
    return [f"{one['file']}:{one['line']}: {one['text']}" for one in found["problems"]]


class Source(unittest.TestCase):
    def test_what_is_used_is_found(self):
        found = scan(
            """
            import socket
            import yaml
            from dns import resolver
            import requests
            URL = "https://api.example.org/v1"
            LOCAL = "http://127.0.0.1:9"
            def later():
                "See https://docs.example.org."
                import json
                from xml.etree import ElementTree
            """,
            requirements__dot__txt="requests>=2.31\nsetuptools==59.6.0\n",
        )
        self.assertEqual(found["uses"], ["http", "resolver"])
        self.assertEqual(found["addresses"], ["https://api.example.org"])
        self.assertEqual(found["requires"], ["dnspython", "PyYAML", "requests>=2.31"])
        self.assertEqual(found["preload"], ["json", "xml.etree", "xml.etree.ElementTree"])
        self.assertEqual((found["name"], found["source"]), ("my-module", "my_module"))

    def test_what_cannot_work_is_told_with_its_line(self):
        found = scan(
            """
            import subprocess as sp, time, os
            from threading import Thread, Lock
            import socket
            lock = Lock()
            Thread(target=print).start()
            sp.run(["whois"])
            socket.socket()
            open("x", "w")
            open("x")
            open("x", mode="ab")
            os.remove("x")
            time.sleep(1)
            """
        )
        lines = [(one["line"], one["text"].split(":")[0]) for one in found["problems"]]
        self.assertEqual(
            lines,
            [(6, "threading.Thread"), (7, "subprocess.run"), (8, "socket.socket"), (9, "open"), (11, "open"), (12, "os.remove"), (13, "time.sleep")],
        )
        self.assertEqual(
            told(found)[0],
            "my_module.py:6: threading.Thread: threads do not start in a sandbox; do the work in the hook itself, "
            "or let several tasks or entities carry it",
        )

    def test_chosen_servers_of_names_are_found(self):
        found = scan("import dns.resolver\nr = dns.resolver.Resolver()\nr.nameservers = ['192.0.2.53']\n")
        self.assertEqual((found["addresses"], found["uses"]), (["dns://192.0.2.53"], ["resolver"]))
        found = scan("import dns.resolver\nr = dns.resolver.Resolver()\nr.nameservers = CONFIG['dns']\n")
        self.assertEqual((found["addresses"], found["uses"]), ([], ["resolver", "resolver-server"]))

    def test_files_beside_the_module_are_read_at_the_top(self):
        found = scan(
            """
            from importlib import resources
            from jinja2 import FileSystemLoader
            TEXT = open(__file__ + ".txt").read() + resources.files("x").read_text()
            def later():
                resources.files("x")
                return open(__file__)
            FileSystemLoader("x")
            """
        )
        self.assertEqual([(one["line"], one["text"].split(":")[0]) for one in found["problems"]], [(6, "importlib.resources.files"), (7, "__file__"), (8, "jinja2.FileSystemLoader")])

    def test_packages_are_asked_what_they_import_later(self):
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder, "lib", "sub")
            package.mkdir(parents=True)
            (package.parent / "__init__.py").write_text("import os\ndef f():\n    import tkinter, csv, numpy\n    from .sub import deep\n")
            (package / "__init__.py").write_text("def g():\n    from .. import other\n")
            found = scan("import lib\n", "--deps", folder)
        self.assertEqual(found["preload"], ["csv", "lib", "lib.other", "lib.sub", "lib.sub.deep"])
        self.assertEqual(found["uses"], [])

    def test_what_is_no_python_is_an_error(self):
        found = scan("def broken(:\n")
        self.assertEqual([(one["level"], one["file"], one["line"]) for one in found["problems"]], [("error", "my_module.py", 1)])

    def test_wishes_by_hand(self):
        found = scan("import requests\n", "--ask", "http GET https://a.example/x", "--clear", "key")
        self.assertEqual((found["requests"], found["clear"]), ([["http", "GET https://a.example/x"]], ["key"]))


class Iris(unittest.TestCase):
    PACKAGE = {
        "mod__slash____init____dot__py": '__iris_module_interface = "Mod"\n',
        "setup__dot__py": 'from setuptools import setup\nsetup(install_requires=["requests==2.31.0", "iris_interface"])\n',
    }

    def test_a_package_is_found_below_the_folder(self):
        source = """
            import requests
            from app.datamgmt.case.case_notes_db import add_note
            from app.models import Ioc
            class Mod:
                def hooks_handler(self, hook_name, hook_ui_name, data):
                    data[0].ioc_tags = "a"
            """
        found = scan(None, kind="--iris", mod__slash__Mod__dot__py=source, **self.PACKAGE)
        self.assertEqual((found["source"], found["uses"], found["requires"]), ("mod", ["case-write", "http"], ["requests==2.31.0"]))
        expected = "mod/Mod.py:3: app.datamgmt.case.case_notes_db.add_note is a part of the IRIS server that a module does not have in a sandbox"
        self.assertEqual(told(found), [expected])

    def test_pipelines_are_errors(self):
        found = scan(None, kind="--iris", mod__slash__Mod__dot__py="class Mod:\n    _pipeline_support = True\n", **self.PACKAGE)
        self.assertEqual([one["level"] for one in found["problems"]], ["error"])

    def test_a_folder_without_a_module_says_what_was_expected(self):
        said = scan(None, kind="--iris", other__slash____init____dot__py="")
        self.assertIn("expected the folder of one IRIS module, whose __init__.py names its class in `__iris_module_interface`; found none", said)


if __name__ == "__main__":
    unittest.main()
