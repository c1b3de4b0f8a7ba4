"""The example: requests, templates, versions, secrets, look-ups, a judgement and a menu entry."""

import json
import unittest
from importlib.util import find_spec

from calls import Err, Module, created, edits, imports, thing, world

KNOWN = {"score": 0.9, "lists": ["botnets"]}
IOC = {"ioc_value": "evil.example", "ioc_type": {"type_id": 20, "type_name": "domain"}, "ioc_tags": "proxy", "custom_attributes": {}}


def service(request):
    if request.query or "evil" in request.url:
        return 200, [("Content-Type", "application/json"), ("X-Api-Version", "2.0")], json.dumps(KNOWN).encode()
    return 404, [], b""


@unittest.skipUnless(all(map(find_spec, ("requests", "jinja2", "packaging"))), "requests, jinja2 or packaging is not installed")
class Example(unittest.TestCase):
    def setUp(self):
        self.module = Module("iris_reputation_module", USES=("http", "resolver", "case-write"))
        world.answer = service

    def test_parameters_and_wishes_are_those_of_the_module(self):
        kinds = {p.name: (p.kind, p.default_value, p.mandatory, p.section) for p in self.module.descriptor.parameters}
        self.assertEqual(kinds["api_key"], ("secret", None, False, None))
        self.assertEqual(kinds["malicious_from"], ("float", "0.8", True, None))
        self.assertEqual(kinds["manual_enabled"], ("boolean", "true", True, "Triggers"))
        self.assertEqual(kinds["severities"], ("json", '{"ransom": 6}', False, None))
        self.assertEqual((self.module.descriptor.title, self.module.descriptor.version), ("Reputation", "1.1.0"))
        self.assertEqual(
            sorted(self.module.asks),
            ["case-write asset", "case-write ioc", "http * https://reputation.example.org", "resolver", "secret api_key"],
        )
        self.assertEqual(len(self.module.subscriptions), 4)

    def test_registrations_follow_the_configuration(self):
        module = Module("iris_reputation_module", {"on_create_enabled": False, "manual_enabled": False})
        self.assertEqual(sorted(module.subscriptions), ["after:on_postload_asset_create", "before:on_preload_case_create"])
        self.assertTrue(module.subscriptions["after:on_postload_asset_create"].value.synchronous)

    def test_an_indicator_is_tagged_and_gets_a_tab(self):
        outcome = self.module.after("after:on_postload_ioc_create", "ioc", "create", *created(thing("ioc", 7, **IOC)))
        html = "<p>evil.example has the score <b>0.9</b>, is in botnets.</p>"
        self.assertEqual(
            edits(outcome), [("SetCustomField", ("Reputation", "HTML report", "html", html)), ("AddTag", "reputation:malicious")]
        )
        sent = world.requests[0]
        self.assertEqual(sent.url, "https://reputation.example.org/api/indicators?value=evil.example")
        secret = next(p for p in sent.headers if p.name == "Authorization").value.value
        self.assertEqual((secret.prefix, secret.name), ("Bearer ", "api_key"))
        self.assertIn(("WARNING", "the service is older than 2.1"), world.lines)

    def test_a_click_ends_in_a_report(self):
        other = thing("ioc", 8, **{**IOC, "ioc_value": "other.example"})
        outcome = self.module.manual("manual:on_manual_trigger_ioc:get-reputation", "ioc", thing("ioc", 7, **IOC), other)
        self.assertEqual(outcome.report.message, "1 of 2 known")
        self.assertIn("Received on_manual_trigger_ioc", outcome.report.content)
        self.assertEqual(len(outcome.effects), 1)

    def test_a_case_is_completed_or_not_judged(self):
        answer = self.module.before("before:on_preload_case_create", "case", "create", {"case_soc_id": "1", "case_name": "Ransom"})
        self.assertEqual(json.loads(answer.value), {"case_soc_id": "1", "case_name": "Ransom", "severity_id": 6})
        answer = self.module.before("before:on_preload_case_create", "case", "create", {"case_soc_id": "1", "case_name": "Beacons"})
        self.assertEqual(type(answer).__name__, "Judgement_Unchanged")
        with self.assertRaises(Err) as failed:
            self.module.before("before:on_preload_case_create", "case", "create", {"case_soc_id": "", "case_name": "x"})
        self.assertEqual(type(failed.exception.value).__name__, "HookError_Failed")
        self.assertIn("Encountered error processing hook on_preload_case_create", failed.exception.value.value)

    def test_an_asset_gets_its_name(self):
        world.records = {("192.0.2.7", "PTR"): ["gw.example.org."]}
        asset = thing("asset", 4, asset_name="gw", asset_ip="192.0.2.7", asset_description="seen")
        outcome = self.module.after("after:on_postload_asset_create", "asset", "create", *created(asset))
        self.assertEqual(
            edits(outcome),
            [
                ("AppendDescription", "named gw.example.org in case #2 - Beacons"),
                ("SetField", ("asset_domain", "gw.example.org")),
            ],
        )

    def test_a_service_that_does_not_answer_is_asked_again(self):
        answers = {
            imports.http.HttpError_TimedOut: "Unavailable",
            lambda: imports.http.HttpError_Unreachable("nobody"): "Unavailable",
            lambda: (503, [], b""): "Unavailable",
            lambda: (401, [], b""): "Failed",
        }
        for answer, expected in answers.items():
            world.answer = lambda request, answer=answer: answer()
            with self.assertRaises(Err) as failed:
                self.module.after("after:on_postload_ioc_create", "ioc", "create", *created(thing("ioc", 7, **IOC)))
            self.assertEqual(type(failed.exception.value).__name__, f"HookError_{expected}")

    def test_what_is_denied_fails_with_the_grant(self):
        text = 'no grant of module m lets GET https://reputation.example.org/ through; tenter grant m http "GET ..." gives one'
        world.answer = lambda request: imports.http.HttpError_Denied(text)
        with self.assertRaises(Err) as failed:
            self.module.after("after:on_postload_ioc_create", "ioc", "create", *created(thing("ioc", 7, **IOC)))
        self.assertEqual(type(failed.exception.value).__name__, "HookError_Failed")
        self.assertRegex(failed.exception.value.value, r"^service\.py:\d+: GET https://.*tenter grant m http")


if __name__ == "__main__":
    unittest.main()
