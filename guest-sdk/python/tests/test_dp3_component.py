"""Nested current values: shared dictionaries, loading what is looked at, and what changes come of writing."""

import json
import unittest

import tenter_testing  # noqa: F401: makes the bindings
from dp3.host.component import Component
from tenter import schema
from tenter_testing import host
from tenter_testing.harness import plain, view_of
from wit_world.exports import snapshot as s

from .site import SITE

LINKS = {("host", "site"), ("host", "sites"), ("host", "home"), ("site", "hosts"), ("site", "owner")}


class Nested(unittest.TestCase):
    """Current values of a component."""

    def setUp(self):
        host.reset()
        schema.use(schema.Specification(json.dumps(SITE)))
        self.addCleanup(schema.use, schema.Specification())

    def component(self, root, *linked):
        """Of entities in short form."""
        self.made = Component(s.View(view_of(*root), [view_of(*one) for one in linked]), LINKS)
        return self.made.root

    def changes(self):
        """What came of it."""
        found = self.made.correlated([]).changes
        return {(c.entity.etype, c.entity.eid, c.attr): [(plain(w.value), w.confidence) for w in c.values] for c in found}

    def test_nothing_written_is_nothing_changed(self):
        root = self.component(
            ("host", "h", {"text": "t", "list": [1], "anything": {"a": [1]}, "sites": [{"eid": 7}, {"eid": 8}], "ports": [1, 2],
                           "ports#c": [0.5, 1.0], "home": {"eid": 7}, "home#c": 0.25, "at": "2026-01-01T00:00:00Z"}),
            ("site", 7, {"risk": 0.5}),
        )  # fmt: skip
        self.assertEqual(sorted(root), ["anything", "at", "eid", "home", "home#c", "list", "ports", "ports#c", "sites", "text"])
        self.assertEqual((root["ports"], root["ports#c"], root["home#c"]), ([1, 2], [0.5, 1.0], 0.25))
        self.assertEqual(self.changes(), {})

    def test_an_entity_is_one_dictionary_wherever_it_is(self):
        root = self.component(
            ("host", "h", {"site": {"eid": 7}, "sites": [{"eid": 7}, {"eid": 8}]}),
            ("site", 7, {"hosts": [{"eid": "h"}], "risk": 0.5}),
        )
        site = root["site"]["record"]
        self.assertIs(site, root["sites"][0]["record"])
        self.assertIs(site["hosts"][0]["record"], root, "round and round")
        site["label"] = "x"
        site["hosts"][0]["record"]["text"] = "through the link"
        self.assertEqual(root["text"], "through the link")
        self.assertEqual(self.changes(), {("host", "h", "text"): [("through the link", None)], ("site", "7", "label"): [("x", None)]})

    def test_links_that_no_path_uses_have_no_record(self):
        root = self.component(("host", "h", {"rated": {"eid": 7, "data": 3}}))
        self.assertEqual(root["rated"], {"eid": 7, "data": 3})

    def test_what_was_written_into_is_changed(self):
        root = self.component(("host", "h", {
            "list": [1], "anything": {"a": 1}, "text": "t", "number": 1, "tag": True, "ports": [1], "ports#c": [0.5],
            "name": "n", "name#c": 0.5, "site": {"eid": 7}, "real": 1.0,
        }))  # fmt: skip
        root["list"].append(2)
        root["anything"]["a"] = 2
        del root["text"]
        root["number"] = True
        root["tag"] = True
        root["ports"].append(3)
        root["ports#c"].append(0.25)
        root["name#c"] = 0.75
        root["site"] = {"eid": 8, "record": {"label": "gone"}}
        root["real"] = None
        root["new name"] = None
        root.pop("none", None)
        self.assertEqual(self.changes(), {
            ("host", "h", "list"): [([1, 2], None)], ("host", "h", "anything"): [({"a": 2}, None)], ("host", "h", "text"): [],
            ("host", "h", "number"): [(True, None)], ("host", "h", "ports"): [(1, 0.5), (3, 0.25)],
            ("host", "h", "name"): [("n", 0.75)], ("host", "h", "site"): [({"eid": 8}, None)], ("host", "h", "real"): [],
            ("host", "h", "new name"): [(None, None)],
        })  # fmt: skip

    def test_what_the_view_did_not_bring_is_loaded_when_it_is_looked_at(self):
        host.views["site", "7"] = view_of("site", 7, {"label": "from the host", "risk": 0.9, "owner": {"eid": "00:00:5e:00:53:01"}})
        host.views["person", "00:00:5e:00:53:01"] = view_of("person", "00:00:5e:00:53:01", {"name": "Ada"})
        root = self.component(("host", "h", {"site": {"eid": 7}}), ("site", 7, {"risk": 0.5}))
        site = root["site"]["record"]
        self.assertEqual(site["risk"], 0.5)
        site["risk"] = 0.25
        self.assertEqual(site["label"], "from the host")
        self.assertEqual(site["risk"], 0.25, "what the hook wrote stays")
        self.assertEqual(site["owner"]["record"]["name"], "Ada")
        self.assertNotIn("none", site)
        self.assertEqual(self.changes(), {("site", "7", "risk"): [(0.25, None)]})

    def test_walking_over_a_record_loads_it(self):
        host.views["site", "7"] = view_of("site", 7, {"label": "l"})
        for walk in (sorted, lambda r: sorted(dict(r.items())), lambda r: sorted(r.copy()), lambda r: ["eid", "label"] if len(r) == 2 else []):
            root = self.component(("host", "h", {"site": {"eid": 7}}))
            self.assertEqual(walk(root["site"]["record"]), ["eid", "label"])

    def test_without_the_grant_what_is_missing_is_missing(self):
        host.granted = ()
        root = self.component(("host", "h", {"site": {"eid": 7}}))
        self.assertEqual(root["site"]["record"].get("label", "none"), "none")
        with self.assertRaises(KeyError):
            root["site"]["record"]["label"]
        level, text = host.log[-1] if host.log else ("warning", "")
        self.assertEqual(level, "warning")

    def test_a_target_that_is_not_known_is_its_id(self):
        root = self.component(("host", "h", {"site": {"eid": 9}}))
        self.assertEqual(dict(root["site"]["record"]), {"eid": 9})
        root["site"]["record"]["label"] = "set"
        self.assertEqual(self.changes(), {("site", "9", "label"): [("set", None)]})


if __name__ == "__main__":
    unittest.main()
