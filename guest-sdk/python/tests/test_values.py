"""Values both ways, with and without an entity specification."""

import unittest
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Address

import tenter_testing  # noqa: F401: makes the bindings
from tenter import InvalidInput, Link, MacAddress, Struct, schema, values
from wit_world.imports import types as t

from .site import SITE

NOON = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=timezone.utc)
NOON_MICROS = 1_767_355_200_000_005


class Values(unittest.TestCase):
    """What hooks see and return."""

    def setUp(self):
        import json

        schema.use(schema.Specification(json.dumps(SITE)))
        self.addCleanup(schema.use, schema.Specification())

    def test_every_case_is_read(self):
        text = t.Scalar_Text("a")
        cases = [
            (t.Value_Boolean(True), True),
            (t.Value_Integer(-5), -5),
            (t.Value_Real(0.5), 0.5),
            (t.Value_Text("é"), "é"),
            (t.Value_Time(NOON_MICROS), NOON),
            (t.Value_Address("192.0.2.1"), IPv4Address("192.0.2.1")),
            (t.Value_Address("2001:db8::1"), IPv6Address("2001:db8::1")),
            (t.Value_Address("00:00:5e:00:53:01"), MacAddress("00-00-5E-00-53-01")),
            (t.Value_Items([text, t.Scalar_Json("[1]")]), ["a", [1]]),
            (t.Value_Members([t.Member("k", t.Scalar_Time(NOON_MICROS))]), {"k": NOON}),
            (t.Value_Json('{"a":[1,null]}'), {"a": [1, None]}),
            (t.Value_Chunk([t.Series("time", t.Column_Times([0])), t.Series("n", t.Column_Integers([1]))]),
             {"time": [datetime(1970, 1, 1, tzinfo=timezone.utc)], "n": [1]}),
        ]  # fmt: skip
        for given, expected in cases:
            with self.subTest(given=given):
                self.assertEqual(values.lift(given), expected)

    def test_links_have_typed_ids_and_are_dictionaries(self):
        link = values.lift(t.Value_Link(t.Link(t.EntityRef("site", "7"), t.LinkData_One(t.Scalar_Integer(3)))))
        self.assertEqual(link, {"eid": 7, "data": 3})
        self.assertEqual((link.eid, link.data, link.etype, type(link.eid)), (7, 3, "site", int))
        self.assertIsInstance(values.lift(t.Value_Links([t.Link(t.EntityRef("person", "00:00:5e:00:53:01"), None)]))[0].eid, MacAddress)

    def test_values_are_lowered_as_the_specification_says(self):
        lower = schema.current.lower
        self.assertEqual(lower("host", "site", {"eid": 7}), t.Value_Link(t.Link(t.EntityRef("site", "7"), None)))
        self.assertEqual(
            lower("host", "sites", [Link("site", 1)]), t.Value_Links([t.Link(t.EntityRef("site", "1"), None)])
        )
        self.assertEqual(
            lower("host", "map", {"port": 1, "protocol": None}), t.Value_Members([t.Member("port", t.Scalar_Integer(1))])
        )
        self.assertEqual(
            lower("host", "traffic", {"bytes": [1, 2], "rate": [1, 0.5]}),
            t.Value_Chunk([t.Series("bytes", t.Column_Integers([1, 2])), t.Series("rate", t.Column_Reals([1.0, 0.5]))]),
        )
        self.assertEqual(
            lower("host", "events", {"time": [NOON], "n": [1]}).value[0].column, t.Column_Times([NOON_MICROS])
        )
        self.assertEqual(lower("host", "anything", [1, {"at": NOON}]), t.Value_Json('[1,{"at":"2026-01-02T12:00:00.000005Z"}]'))

    def test_values_are_lowered_by_what_they_are(self):
        plus_one = timezone(timedelta(hours=1))
        cases = [
            (True, t.Value_Boolean(True)),
            (1 << 70, t.Value_Text(str(1 << 70))),
            (NOON.astimezone(plus_one), t.Value_Time(NOON_MICROS)),
            (NOON.replace(tzinfo=None), t.Value_Time(NOON_MICROS)),
            (IPv6Address("2001:db8::1"), t.Value_Address("2001:db8::1")),
            (["a", 1], t.Value_Items([t.Scalar_Text("a"), t.Scalar_Integer(1)])),
            ([{"a": 1}], t.Value_Json('[{"a":1}]')),
            ({"a": {"b"}}, t.Value_Json('{"a":["b"]}')),
            (Struct(a=1), t.Value_Members([t.Member("a", t.Scalar_Integer(1))])),
            ([Struct(a=1)], t.Value_Json('[{"a":1}]')),
            (values.Chunk(n=[1], x=[0.5], at=[NOON]),
             t.Value_Chunk([t.Series("n", t.Column_Integers([1])), t.Series("x", t.Column_Reals([0.5])),
                            t.Series("at", t.Column_Times([NOON_MICROS]))])),
        ]
        for given, expected in cases:  # fmt: skip
            with self.subTest(given=given):
                self.assertEqual(values.lower(given), expected)
        with self.assertRaisesRegex(InvalidInput, "None is no attribute value"):
            values.lower(None)
        with self.assertRaisesRegex(InvalidInput, "is no attribute value"):
            values.lower(object())

    def test_times_of_every_spelling(self):
        for given in (NOON, "2026-01-02T12:00:00.000005Z", "2026-01-02 13:00:00.000005+01:00"):
            self.assertEqual(values.microseconds(given), NOON_MICROS)
        self.assertEqual(values.microseconds(1_767_355_200), 1_767_355_200_000_000)
        self.assertEqual(values.microseconds(1_767_355_200_000), 1_767_355_200_000_000)
        with self.assertRaises(InvalidInput):
            values.microseconds([])

    def test_mac_addresses_need_one_separator(self):
        for wrong in ("aabbccddeeff", "aa:bb:cc:dd:ee-ff", "aa:bb:cc:dd:ee", "zz:bb:cc:dd:ee:ff"):
            with self.assertRaises(ValueError):
                MacAddress(wrong)


if __name__ == "__main__":
    unittest.main()
