"""A module of this SDK: every registration, its input, its output and its errors."""

import unittest
from pathlib import Path

from tenter_testing import Harness, HookFailed, host
from tenter import app
from wit_world.exports import cases as c
from wit_world.exports import ingest as i
from wit_world.exports import schedule as s

from .site import SITE

MODULE = Path(__file__).parent / "modules" / "every.py"


class EveryKind(unittest.TestCase):
    """One instance, every hook."""

    def setUp(self):
        self.module = Harness(MODULE, site=SITE)

    def test_it_says_what_it_is(self):
        facts = self.module.descriptor
        self.assertEqual((facts.title, facts.version, facts.description), ("Every kind", "0.1.0", "What is left."))
        self.assertEqual([(p.name, p.kind, p.default_value) for p in facts.parameters], [("mode", "string", '"work"')])
        self.assertEqual(self.module.requests, ["write-entities ip.class"])

    def test_subscriptions_have_ids_that_stay(self):
        ids = [one.id for family in ("ingest", "snapshot", "update", "schedule", "cases") for one in self.module.subscriptions(family)]
        self.assertEqual(
            ids,
            ["on-task-start", "allow-entity-creation:ip", "on-entity-creation:ip", "on-new-attribute:ip.hostname",
             "snapshot-init", "timeseries:host.traffic", "correlate:host", "correlate-with-record:site",
             "snapshot-finalize", "update-record:ip.stale", "update-entity:ip.again",
             "cron:tick:any.any.any.any.any.any.any-5.any", "cron:tick:once-at-start",
             "before:ioc.create", "after:ioc.any", "manual:ioc:look-up"],
        )  # fmt: skip

    def test_details_of_subscriptions(self):
        creation = self.module.subscriptions("ingest")[2].moment
        self.assertEqual(creation, i.Moment_OnEntityCreation(i.Creation("ip", True, [["class"]])))
        cron, once = self.module.subscriptions("schedule")
        self.assertEqual(cron.moment.value.timing.value.minute, "*/5")
        self.assertEqual((cron.moment.value.timing.value.hour, cron.moment.value.grace_seconds), (None, 1))
        self.assertEqual(cron.moment.value.arguments, '{"args":[1],"kwargs":{"b":2}}')
        self.assertEqual(once.moment.value.timing, s.Timing_OnceAtStart())
        correlation = self.module.subscriptions("snapshot")[2].moment.value
        self.assertEqual(correlation.depends_on, [["site", "risk"], ["text"]])

    def test_ingestion(self):
        self.module.task_start("ip", "192.0.2.1", [{"attr": "hostname", "v": "a"}])
        self.assertIn(("info", "task ip/192.0.2.1 1"), host.log)
        self.assertIs(self.module.allow("ip", "192.0.2.1"), True)
        self.assertEqual(self.module.allow("ip", "224.0.0.1"), "multicast")
        self.assertEqual(self.module.allow("ip", "255.255.255.255"), "admit answered False")
        made = self.module.creation("ip", "192.0.2.1", [{"attr": "hostname", "v": "a"}])
        self.assertEqual(made, [{"etype": "ip", "eid": "192.0.2.1", "data_points": [{"attr": "class", "v": "a"}]}])
        self.assertEqual(
            self.module.on_new_attr("ip", "192.0.2.1", "hostname", "a", t1="2026-01-01T00:00:00Z", c=0.5),
            [{"etype": "ip", "eid": "192.0.2.1", "tags": ["t"], "ttl_tokens": {"base": "2026-01-02T00:00:00Z"},
              "data_points": [{"attr": "class", "v": "A", "t1": "2026-01-01T00:00:00Z", "c": 0.5}]}],
        )  # fmt: skip

    def test_exceptions_become_hook_errors(self):
        def failed(name):
            with self.assertRaises(HookFailed) as caught:
                self.module.on_new_attr("ip", "192.0.2.1", "hostname", name)
            return str(caught.exception)

        self.assertEqual(failed("bad"), "invalid-input: a bad name")
        self.assertEqual(failed("later"), "unavailable: the service is away")
        self.assertEqual(host.log, [], "what a module says on purpose has no traceback")
        self.assertRegex(failed("broken"), r"^failed: ZeroDivisionError: .* \(every.py, line \d+, in named\)$")
        level, text = host.log[-1]
        self.assertEqual(level, "error")
        self.assertRegex(text, r'(?s)^Traceback.*every.py", line \d+, in named\n.*1 // 0.*ZeroDivisionError')
        self.assertEqual(failed("odd"), "invalid-input: the hook returned 5: expected tasks, or nothing")
        self.assertRegex(failed("exit"), r"^failed: SystemExit: 3 ")
        # The instance stays.
        self.assertEqual(len(self.module.on_new_attr("ip", "192.0.2.1", "hostname", "a")), 1)

    def test_state(self):
        for expected in ("2", "4"):
            (task,) = self.module.on_new_attr("ip", "192.0.2.1", "hostname", "state")
            self.assertEqual(task["data_points"][0]["v"], expected)
        self.assertEqual(host.state["j"], b'{"a": [1]}')
        host.granted = ()
        with self.assertRaisesRegex(HookFailed, "failed: state: not granted; ask with"):
            self.module.on_new_attr("ip", "192.0.2.1", "hostname", "state")

    def test_snapshots(self):
        self.assertEqual(self.module.run("init")[0]["data_points"], [{"attr": "class", "v": "1"}])
        self.assertEqual(self.module.run("finalize")[0]["data_points"], [{"attr": "class", "v": "1"}])
        chunk = {"t1": 0, "t2": 60, "v": {"bytes": [1, 2], "rate": [0.0, 0.0]}}
        self.assertEqual(self.module.timeseries("host", "h", "traffic", [chunk, chunk])[0]["data_points"], [{"attr": "real", "v": 1.5}])
        changes, made = self.module.correlate(
            ("host", "h", {"text": "t", "site": {"eid": 7}, "ports": [9], "ports#c": [0.5]}), [("site", 7, {"risk": 0.5})]
        )
        self.assertEqual(
            changes,
            {("host", "h", "real"): [(1.0, None)], ("host", "h", "text"): [],
             ("host", "h", "ports"): [(1, 0.5), (2, None)], ("site", "7", "risk"): [(0.25, 0.5)]},
        )  # fmt: skip
        self.assertEqual(made, [])
        changes, made = self.module.correlate(("site", 7, {}), record={"label": {"plain": {"v": "x"}}})
        self.assertEqual(changes, {("site", "7", "label"): [("8:x:0", None)]})
        self.assertEqual(made, [{"etype": "site", "eid": "7", "data_points": [{"attr": "label", "v": "seen"}]}])

    def test_sweeps_and_timers(self):
        self.assertEqual(self.module.update("ip", "192.0.2.1", {}), [{"etype": "ip", "eid": "192.0.2.1", "data_points": [], "delete": True}])
        self.assertEqual(self.module.update("ip", "0.0.0.7")[0]["data_points"], [{"attr": "class", "v": "7"}])
        self.assertEqual([one["data_points"][0]["v"] for one in self.module.cron()], ["12", "34"])

    def test_cases(self):
        context = c.Context(7, "Initial", c.User(1, "alice", "Alice"), c.Trigger.API)
        event = c.Event("ioc", "create")
        before = lambda body: app.Cases().before("before:ioc.create", context, event, c.Proposal(None, body))  # noqa: E731
        self.assertEqual(before('{"ioc_value": "yes"}'), c.Judgement_Unchanged())
        self.assertEqual(before('{"ioc_value": "no"}'), c.Judgement_Denied("not this one"))
        self.assertEqual(before('{"ioc_value": "fix"}'), c.Judgement_Replaced('{"ioc_value":"fixed"}'))
        ioc = c.CaseObject(c.ObjectRef("ioc", 3), None, 4, '{"ioc_value": "x"}')
        # An operator's registration is served by the hook that fits.
        outcome = app.Cases().after("operator:on_postload_ioc_create", context, event, [c.Written(None, ioc, [])])
        patch, new = outcome.effects
        self.assertEqual((patch.value.target.id, patch.value.expected_version, len(patch.value.edits)), (3, 4, 3))
        self.assertEqual(patch.value.edits[2], c.Edit_SetField(c.Field("ioc_tlp_id", "2")))
        self.assertEqual(new.value, c.NewObject("ioc", None, '{"ioc_value":"made"}', []))
        self.assertEqual(outcome.tasks[0].datapoints[0].value.value, "alice")
        shown = app.Cases().manual("manual:ioc:look-up", context, c.Event("ioc", None), [ioc])
        self.assertEqual(shown.report, c.Report("1 object", c.Media.JSON, '{"n":1}'))
        self.assertIsNone(shown.effects[0].value.expected_version)

    def test_configurations_are_refused_with_a_reason(self):
        with self.assertRaises(HookFailed) as caught:
            self.module.configure({"mode": "refuse"})
        self.assertEqual(str(caught.exception), "invalid-input: mode: expected another")


if __name__ == "__main__":
    unittest.main()
