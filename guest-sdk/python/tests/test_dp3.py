"""A module of DP³, unchanged: what it may import, register, see, return and write into."""

import sys
import unittest
from datetime import datetime, timezone
from ipaddress import IPv4Address
from pathlib import Path

from tenter_testing import Harness, host
from dp3.common.task import HASH, DataPointTask
from dp3.common.datapoint import DataPointObservations
from tenter import MacAddress, app
from wit_world.exports import snapshot as s

from .site import SITE

MODULE = Path(__file__).parent / "modules" / "dp3_every.py"


def load(path=MODULE, config=None, site=SITE, **manifest):
    """A module of DP³ in an instance."""
    return Harness(path, config, site=site, adapter="dp3.host.adapter", manifest=manifest)


class Every(unittest.TestCase):
    """Every method of the registrar."""

    def setUp(self):
        self.module = load(CONFIG={"a": {"b": 5}, "suffix": "?"})
        self.made = self.module.guest.modules[0]
        self.events = sys.modules[type(self.made).__module__].events
        self.addCleanup(self.events.clear)

    def test_it_is_made_started_and_stopped_as_there(self):
        self.assertEqual(self.events, [("load", "HierarchicalDict", ["under_test_dp3_every"]), ("made", 5, 0)])
        self.module.update("person", "00:00:5e:00:53:01")
        self.assertEqual(self.events[2:], ["start"])
        self.module.update("person", "00:00:5e:00:53:01")
        self.assertEqual(self.events[2:], ["start"], "once")
        self.module.configure({})
        self.assertEqual(self.events[3], "stop")

    def test_values_of_the_configuration_file_are_defaults(self):
        parameters = self.module.descriptor.parameters
        self.assertEqual([(p.name, p.kind, p.default_value) for p in parameters], [("a", "json", '{"b": 5}'), ("suffix", "string", '"?"')])

    def test_tasks(self):
        point = {"attr": "hostname", "v": "h"}
        self.module.task_start("ip", "192.0.2.1", [point], ttl_tokens={"a": None}, tags=["t"], delete=True)
        self.assertEqual(self.events[-1], ("ip", IPv4Address("192.0.2.1"), ["hostname"], True, ["t"], {"a": None}))

    def test_admission(self):
        self.assertIs(self.module.allow("ip", "1.1.1.1"), True)
        self.assertIs(self.module.allow("ip", "10.0.0.1", [{"attr": "hostname", "v": "h"}]), True)
        self.assertEqual(self.module.allow("ip", "224.0.0.1"), "allow answered None", "as there, None is a refusal")
        self.assertEqual(self.module.allow("ip", "10.0.0.1"), "allow answered []")
        self.assertIs(self.module.allow("ip6", "::1"), True)

    def test_creation(self):
        self.assertEqual(
            self.module.creation("ip", "192.0.2.1"),
            [{"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "class", "v": "new?", "src": "every"}]}],
            "what is no list is ignored",
        )
        self.assertIn(("info", "192.0.2.1 has 0"), host.log)

    def test_datapoints(self):
        self.assertEqual(self.module.on_new_attr("ip", "192.0.2.1", "hostname", "h"), [])
        self.assertEqual(
            self.module.on_new_attr("ip", "192.0.2.1", "seen", "h", t1="2026-01-01T00:00:00Z", c=0.25, src="s"),
            [{"etype": "ip", "eid": "192.0.2.1", "tags": ["seen"], "ttl_tokens": {"t": None},
              "data_points": [{"attr": "seen", "v": "H", "src": "s", "t1": "2026-01-01T00:00:00Z",
                               "t2": "2026-01-01T00:00:00Z", "c": 0.25}]}],
        )  # fmt: skip
        (task,) = self.module.on_new_attr("host", "h", "site", {"eid": 7})
        self.assertEqual(task, {"etype": "site", "eid": "7", "data_points": [{"attr": "label", "v": "8"}]})
        series = {"bytes": [1, 2, 3], "rate": [0.0, 0.0, 0.0]}
        (task,) = self.module.on_new_attr("host", "h", "traffic", series, t1="2026-01-01T00:00:00Z")
        self.assertEqual(task["data_points"], [{"attr": "number", "v": 6}])

    def test_refreshed_hooks_get_an_empty_task(self):
        host.cause = "refresh"
        (task,) = self.module.on_new_attr("ip", "192.0.2.1", "hostname", "h")
        self.assertEqual(task["data_points"], [{"attr": "class", "v": "again"}])
        self.assertEqual(self.events[-1], ("refreshed", "ip", IPv4Address("192.0.2.1"), []))
        self.module.creation("ip", "192.0.2.1", [{"attr": "hostname", "v": "h"}])
        self.assertEqual(host.log[-1], ("info", "192.0.2.1 has 0"))

    def test_a_flag_that_the_module_sets_refreshes_in_the_next_run(self):
        changes, made = self.module.correlate(("ip", "192.0.2.1", {"hostname": "h"}))
        self.assertEqual((changes, made), ({}, []))
        self.module.cron()
        self.assertEqual(self.events[-2:], [("a", 2), ("once", 1)])
        changes, made = self.module.correlate(("ip", "192.0.2.1", {"hostname": "h"}))
        self.assertEqual(changes, {("ip", "192.0.2.1", "class"): [("again", None)]})
        self.assertEqual([task["data_points"][0]["v"] for task in made], ["new?", "again"])
        self.assertIs(self.made.refresh.isset(), True)
        (own, follower) = [one.id for one in self.module.subscriptions("snapshot") if isinstance(one.moment, s.Moment_SnapshotFinalize)]
        with self.assertRaisesRegex(Exception, "finalize returned None: expected a list"):
            Harness._call(app.Snapshot().snapshot_finalize, own, s.Run("1", 0))
        self.assertEqual(app.Snapshot().snapshot_finalize(follower, s.Run("1", 0)), [])
        self.assertIs(self.made.refresh.isset(), False)

    def test_timeseries_and_runs(self):
        chunk = {"t1": "2026-01-01T00:00:00Z", "t2": "2026-01-01T00:20:00Z", "v": {"bytes": [1, 2], "rate": [0.0, 0.0]}}
        self.assertEqual(self.module.timeseries("host", "h", "traffic", [chunk]), [])
        self.assertEqual(self.events[-1], ("host", "traffic", [(2026, [1, 2])]))
        self.assertEqual(self.module.run("init")[0]["data_points"], [{"attr": "class", "v": "init"}])

    def test_correlation_writes_in_place_over_links(self):
        changes, made = self.module.correlate(
            ("host", "h", {"text": "t", "site": {"eid": 7}}), [("site", 7, {"risk": 0.25})]
        )
        self.assertEqual(
            changes,
            {("host", "h", "real"): [(0.5, None)], ("host", "h", "extra"): [({"free": [1]}, None)],
             ("site", "7", "label"): [("t", None)]},
        )  # fmt: skip
        self.assertEqual(made, [{"etype": "host", "eid": "h", "data_points": [{"attr": "text", "v": "seen"}]}])
        (correlation,) = [one.moment.value for one in self.module.subscriptions("snapshot") if isinstance(one.moment, s.Moment_Correlate) and one.moment.value.etype == "host"]
        self.assertIs(correlation.whole, True)

    def test_the_master_record_is_the_stored_document(self):
        at = "2026-01-01T00:00:00Z"
        record = {"label": {"plain": {"v": "x"}}, "risk": {"observations": [{"v": 0.5, "t1": at, "c": 0.75}]}}
        changes, _ = self.module.correlate(("site", 7, {}), record=record)
        document = self.events[-1]
        self.assertEqual(list(document), ["_id", "#hash", "#time_created", "#revision", "label", "risk", "#min_t2s"])
        self.assertEqual((document["_id"], document["#hash"]), (7, HASH("site:7")))
        self.assertEqual(document["label"]["v"], "x")
        self.assertIsInstance(document["label"]["ts_last_update"], datetime)
        noon = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.assertEqual(document["risk"], [{"t1": noon, "t2": noon, "v": 0.5, "c": 0.75}])
        self.assertEqual(document["#min_t2s"], {"risk": noon})
        self.assertEqual(changes, {("site", "7", "label"): [(str(HASH("site:7")), None)]})

    def test_sweeps(self):
        self.assertEqual(self.module.update("ip", "192.0.2.1", {}), [])
        (task,) = self.module.update("ip", "192.0.2.1", {"hostname": {"plain": {"v": "h"}}})
        self.assertIs(task["delete"], True)
        (task,) = self.module.update("person", "00:00:5E:00:53:01")
        self.assertEqual(task["data_points"], [{"attr": "name", "v": "00:00:5e:00:53:01"}])

    def test_subscriptions(self):
        ids = [one.id for family in ("ingest", "snapshot", "update", "schedule") for one in self.module.subscriptions(family)]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertIn("on-entity-creation:ip-2", ids)
        self.assertIn("update-record:ip.sweep", ids)
        fields = self.module.subscriptions("schedule")[0].moment.value.timing.value
        self.assertEqual((fields.hour, fields.day_of_week, fields.timezone, fields.minute), ("3", "mon-fri", "Europe/Prague", None))
        self.assertEqual(self.made.job, 1)

    def test_the_model_is_there(self):
        self.assertEqual(
            self.made.inspect(),
            {"entities": ["host", "site", "person", "ip", "ip6"], "kinds": True,
             "relations": [("host", "home"), ("host", "rated"), ("host", "site"), ("host", "sites"), ("site", "owner")],
             "to": "site", "age": 93600.0, "series": ["n", "time"], "eid": 7, "type": "mac",
             "task": '{"etype":"ip","eid":"192.0.2.1","data_points":[],"delete":true}'},
        )  # fmt: skip


class Registration(unittest.TestCase):
    """What a registration refuses."""

    def setUp(self):
        from dp3.common.callback_registrar import CallbackRegistrar

        load()
        self.on = CallbackRegistrar()

    def test_unknown_names(self):
        hook = lambda *_: []  # noqa: E731
        for kind, text, call in [
            (KeyError, "ipp", lambda: self.on.register_on_entity_creation_hook(hook, "ipp")),
            (KeyError, "ipp", lambda: self.on.register_allow_entity_creation_hook(hook, "ipp")),
            (KeyError, "ipp", lambda: self.on.register_on_new_attr_hook(hook, "ipp", "a")),
            (ValueError, "'a' of entity 'ip'", lambda: self.on.register_on_new_attr_hook(hook, "ip", "a")),
            (ValueError, "is for an observations one", lambda: self.on.register_attr_hook("on_new_observation", hook, "ip", "class")),
            (ValueError, "Hook type 'x' doesn't exist", lambda: self.on.register_task_hook("x", hook)),
            (ValueError, "Hook type 'x' doesn't exist", lambda: self.on.register_entity_hook("x", hook, "ip")),
            (ValueError, "Entity 'x' does not exist", lambda: self.on.register_correlation_hook(hook, "x", [], [])),
            (ValueError, "Invalid path 'host->site->x', failed on 'x'", lambda: self.on.register_correlation_hook(hook, "host", [["site", "x"]], [])),
            (ValueError, "Invalid path 'host->text->x', failed on 'text'", lambda: self.on.register_correlation_hook(hook, "host", [], [["text", "x"]])),
            (ValueError, "is not a timeseries, but a plain", lambda: self.on.register_timeseries_hook(hook, "host", "text")),
            (ValueError, "does not exist", lambda: self.on.register_timeseries_hook(hook, "host", "x")),
            (ValueError, "'may_change' must be specified", lambda: self.on.register_on_entity_creation_hook(hook, "ip", refresh=object())),
            (ValueError, "no period", lambda: self.on.register_periodic_update_hook(hook, "a", "ip", "1 day")),
        ]:
            with self.subTest(text=text), self.assertRaisesRegex(kind, text):
                call()

    def test_the_same_hook_twice(self):
        def hook(*_):
            return []

        self.on.register_on_entity_creation_hook(hook, "ip")
        self.on.register_on_entity_creation_hook(hook, "ip6")
        with self.assertRaisesRegex(ValueError, "is registered already for creation ip"):
            self.on.register_on_entity_creation_hook(hook, "ip")
        self.on.register_correlation_hook(hook, "host", [["text"]], [["real"]])
        with self.assertRaisesRegex(ValueError, r"Hook id '.*hook\(host, \[text\], \[real\]\)' already present"):
            self.on.register_correlation_hook(hook, "host", [["text"]], [["real"]])
        self.on.register_periodic_update_hook(hook, "a", "ip", "1d")
        with self.assertRaisesRegex(ValueError, "Hook ID a already registered for ip."):
            self.on.register_periodic_update_hook(hook, "a", "ip", "24h")


class Tasks(unittest.TestCase):
    """What modules build."""

    def setUp(self):
        load()

    def test_what_does_not_fit_raises_where_it_is_built(self):
        for text, fields in [
            ("Entity type 'x' doesn't exist", {"etype": "x", "eid": "1", "delete": True}),
            ("must contain at least one datapoint", {"etype": "ip", "eid": "192.0.2.1"}),
            ("Attribute 'a' not found in entity 'ip'", {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "a", "v": 1}]}),
            ("valid string", {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "class", "v": 1}]}),
            ("t1\n  Field required", {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "seen", "v": "x"}]}),
            ("'t2' is before 't1'", {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "seen", "v": "x", "t1": 10, "t2": 5}]}),
            ("between 0 and 1", {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "seen", "v": "x", "t1": 10, "c": 2}]}),
            ("in a task of ip/192.0.2.1", {"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "class", "v": "x", "eid": "192.0.2.2"}]}),
            ("read-only", {"etype": "site", "eid": 1, "data_points": [{"attr": "hosts", "v": []}]}),
            ("different lengths", {"etype": "host", "eid": "h", "data_points": [{"attr": "traffic", "t1": 0, "v": {"bytes": [1], "rate": []}}]}),
            ("Input should be 'up', 'down'", {"etype": "host", "eid": "h", "data_points": [{"attr": "kind", "v": "off"}]}),
            ("protocol|port: Field required", {"etype": "host", "eid": "h", "data_points": [{"attr": "map", "v": {"protocol": "tcp"}}]}),
            ("Extra inputs", {"etype": "host", "eid": "h", "data_points": [{"attr": "site", "v": {"eid": 1, "x": 2}}]}),
        ]:
            with self.subTest(text=text), self.assertRaisesRegex(ValueError, text):
                DataPointTask(**fields)

    def test_values_are_taken_as_laxly_as_there(self):
        build = lambda attr, v: DataPointTask(etype="host", eid="h", data_points=[{"attr": attr, "v": v}]).data_points[0].v  # noqa: E731
        self.assertIs(build("tag", "yes"), True)
        self.assertEqual(build("number", "5"), 5)
        self.assertEqual(build("real", "0.5"), 0.5)
        self.assertEqual(build("v4", "192.0.2.1"), IPv4Address("192.0.2.1"))
        self.assertEqual(build("mac", "00-00-5E-00-53-01"), MacAddress("00:00:5e:00:53:01"))
        self.assertEqual(build("anything", '{"a": 1}'), {"a": 1})
        self.assertEqual(build("list", {1}), [1])
        self.assertEqual(build("map", {"port": "1", "other": 2}), {"port": 1, "protocol": None})
        self.assertEqual(build("sites", [{"eid": "7"}])[0].eid, 7)
        self.assertEqual(build("at", "2026-01-01").year, 2026)
        built = DataPointObservations(etype="ip", eid="192.0.2.1", attr="seen", v="x", t1="2026-01-01T00:00:00")
        self.assertEqual((built.c, built.t2, built.t1.tzinfo), (1.0, built.t1, timezone.utc))


if __name__ == "__main__":
    unittest.main()
