"""What modules are told and what becomes of their answers, hook by hook."""

import importlib
import json
import unittest

from calls import Err, Module, created, edits, thing, world
from wit_world.exports import cases as _c

import probe_module
from iris_interface import IrisInterfaceStatus as Status

IOC = thing("ioc", 7, ioc_value="a", ioc_tags="x, y", ioc_description="one", custom_attributes={"T": {"f": {"type": "html", "value": "1"}}})


def probe(*hooks, config=None, **facts):
    probe_module.register = lambda self, module_id: [self.register_to_hook(module_id, *hook) for hook in hooks][-1]
    return Module("probe_module", config, **facts)


def answering(handle):
    probe_module.handle = handle


class Registration(unittest.TestCase):
    def test_unknown_hooks_and_odd_arguments_are_failures(self):
        with self.assertRaises(Err) as failed:
            probe(("on_preload_moon_create",))
        self.assertEqual(failed.exception.value.value, "register_hooks failed: Hook on_preload_moon_create is unknown")
        with self.assertRaisesRegex(Err, "Expected bool for run_asynchronously but got <class 'str'>"):
            probe(("on_postload_ioc_create", None, "yes"))

    def test_manual_hooks_have_titles_and_may_be_several(self):
        module = probe(("on_manual_trigger_ioc",), ("on_manual_trigger_ioc", "B"), ("on_manual_trigger_ioc", "B"))
        titles = sorted(one.value.title for one in module.subscriptions.values())
        self.assertEqual(titles, ["B", "probe_module::on_manual_trigger_ioc"])

    def test_what_was_taken_back_is_not_subscribed_to(self):
        def register(self, module_id):
            for hook in ("on_postload_ioc_create", "on_postload_asset_create"):
                self.register_to_hook(module_id, hook)
            return self.deregister_from_hook(module_id, "on_postload_ioc_create")

        probe_module.register = register
        self.assertEqual(list(Module("probe_module").subscriptions), ["after:on_postload_asset_create"])

    def test_values_are_of_their_kinds(self):
        seen = {}

        def register(self, module_id):
            seen.update(self.module_dict_conf)
            return self.register_to_hook(module_id, "on_postload_ioc_create")

        probe_module.register = register
        module = Module("probe_module")
        self.assertEqual((seen["n"], seen["odd"]), (7, "many"))
        self.assertTrue(seen["key"].startswith("tenter-secret.key."))
        self.assertEqual([p.kind for p in module.descriptor.parameters], ["integer", "string", "secret"])
        self.assertEqual(module.descriptor.version, "1.2.0")
        Module("probe_module", CLEAR=["key"])
        self.assertEqual(seen["key"], "x")
        Module("probe_module", CLEAR=[], CONFIG={"module_configuration": [{"param_name": "n", "value": 9}]})
        self.assertEqual(seen["n"], 9)


class Written(unittest.TestCase):
    def setUp(self):
        self.module = probe(("on_postload_ioc_create",), ("on_manual_trigger_case", "C"))

    def write(self, change, given=IOC):
        def handle(self, hook_name, hook_ui_name, data):
            change(data[0])
            return Status.I2Success(data=data)

        answering(handle)
        return edits(self.module.after("after:on_postload_ioc_create", "ioc", "create", *created(given)))

    def test_nothing_written_is_no_effect(self):
        self.assertEqual(self.write(lambda ioc: None), [])

    def test_tags_are_compared_one_by_one(self):
        def change(ioc):
            ioc.ioc_tags = "y,z,"

        self.assertEqual(self.write(change), [("RemoveTag", "x"), ("AddTag", "z")])

    def test_fields_and_attributes(self):
        def change(ioc):
            ioc.ioc_description = "one\ntwo"
            ioc.ioc_tlp_id = 1
            ioc.ioc_enrichment = {"a": [1]}
            ioc.custom_attributes["T"]["f"]["value"] = "2"

        expected = [
            ("AppendDescription", "two"),
            ("SetCustomField", ("T", "f", "html", "2")),
            ("SetField", ("ioc_enrichment", {"a": [1]})),
            ("SetField", ("ioc_tlp_id", 1)),
        ]
        self.assertEqual(sorted(map(repr, self.write(change))), sorted(map(repr, expected)))

    def test_a_secret_that_is_not_there_is_none_in_hooks(self):
        def handle(self, hook_name, hook_ui_name, data):
            return Status.I2Success if self.module_dict_conf["key"] is None else Status.I2Error

        answering(handle)
        self.module.after("after:on_postload_ioc_create", "ioc", "create", *created(IOC))
        self.assertRegex(world.lines[0][1], "the secret key is not there; `tenter secret set MODULE key` sets it, `tenter grant MODULE secret key`")

    def test_what_cannot_be_set_is_told_and_left_out(self):
        def change(ioc):
            ioc.ioc_value = "b"
            ioc.mark = "the module's own"

        self.assertEqual(self.write(change), [])
        self.assertRegex(world.lines[-1][1], "ioc_value of <Ioc 7> was written, which no module can set; the others are: ioc_desc")

    def test_objects_know_their_case_and_say_what_they_have(self):
        def change(ioc):
            self.assertEqual((ioc.case_id, ioc.case.name), (2, "#2 - Beacons"))
            with self.assertRaisesRegex(AttributeError, "objects of kind ioc have no 'colour'; they have case, case_id"):
                ioc.colour

        self.write(change)

    def test_a_case_has_the_names_of_database_and_api(self):
        case = thing("case", 2, case_name="#2 - B", case_description="d", customer_name="ACME", owner="Bo", owner_id=9, user_id=1)

        def handle(self, hook_name, hook_ui_name, data):
            one = data[0]
            status = Status.I2Success(f"{one.name} {one.client.name} {one.owner.name} {one.user.login if False else one.user.user}")
            one.description = "d\nmore"
            return status

        answering(handle)
        outcome = self.module.manual("manual:on_manual_trigger_case:c", "case", case)
        self.assertEqual(outcome.report.message, "#2 - B ACME Bo ana")
        self.assertEqual(edits(outcome), [("AppendDescription", "more")])


class Kinds(unittest.TestCase):
    """Objects of each kind, made of records as the API has them."""

    RECORDS = {
        "asset": (
            {"asset_type": {"asset_id": 9, "asset_name": "Windows - Computer"}, "analysis_status": {"id": 1, "name": "Done"}, "user_id": 1},
            {"asset_type.asset_name": "Windows - Computer", "analysis_status.name": "Done", "user.name": "Ana", "case.name": "#2 - Beacons"},
        ),
        "note": ({"directory": {"id": 3, "name": "D"}, "note_user": 5}, {"directory.name": "D", "user.id": 5, "note_case_id": 2}),
        "event": ({"event_category_id": 4, "category_name": "C"}, {"category": 4, "event_tags": None, "case_id": 2}),
        "evidence": (
            {"type": {"id": 2, "name": "HDD"}, "user": {"user_id": 1, "user_login": "ana", "user_name": "Ana"}},
            {"type.name": "HDD", "user.user": "ana", "chain_of_custody": None},
        ),
        "task": ({"status": {"id": 1, "status_name": "To do"}, "task_userid_open": 1}, {"status.status_name": "To do", "user_open.name": "Ana", "user_close": None, "task_id": 4}),
        "global-task": ({"task_title": "t"}, {"id": 4, "task_title": "t"}),
        "comment": ({"comment_text": "x", "comment_user_id": 1}, {"user.name": "Ana"}),
        "ioc": ({"ioc_type_id": 1, "ioc_type": "domain", "tlp": None, "ioc_tlp_id": None}, {"ioc_type.type_name": "domain", "tlp": None}),
        "case": ({"state_name": "Open", "state_id": 3, "case_soc_id": "s"}, {"state.name": "Open", "soc_id": "s", "reviewer": None}),
    }  # fmt: skip

    def test_rows_that_belong_to_them_can_be_read(self):
        from tenter_iris.objects import CLASSES

        self.assertEqual(set(CLASSES), set(self.RECORDS))
        for kind, (record, expected) in self.RECORDS.items():
            one = CLASSES[kind](thing(kind, 4), record, Module.context())
            for path, value in expected.items():
                found = one
                for name in path.split("."):
                    found = getattr(found, name)
                self.assertEqual(found, value, f"{kind}: {path}")


class Told(unittest.TestCase):
    """What the handler gets of each kind of hook."""

    def told(self, hook, kind, action, *written):
        module = probe((hook,))
        seen = []

        def handle(self, hook_name, hook_ui_name, data):
            seen.append((hook_name, hook_ui_name, data))
            return Status.I2Success

        answering(handle)
        module.after(f"after:{hook}", kind, action, *written)
        self.assertEqual(seen[0][0], hook)
        return seen[0][2]

    def test_deletions_tell_the_id_and_more(self):
        data = self.told("on_postload_ioc_delete", "ioc", "delete", _c.Written(IOC, None, []))
        self.assertEqual((data, data[0].ioc_value), ([7], "a"))

    def test_remarks_come_with_what_they_are_about(self):
        remark, asset = thing("comment", 1, comment_text="hm"), thing("asset", 4, asset_name="gw")
        data = self.told("on_postload_asset_commented", "asset", "commented", *created(remark, asset))
        self.assertEqual(data, [{"comment": {"comment_text": "hm"}, "asset": {"asset_name": "gw"}}])

    def test_reports_come_with_the_document(self):
        report = thing("report", 1, file_name="r.md", user_name="Ana", case_id=2)
        attachment = _c.Attachment("r.md", "text/markdown", b"hi")
        data = self.told("on_postload_report_create", "report", "create", _c.Written(None, report, [attachment]))
        self.assertEqual(data, [{"report_id": 1, "file_path": "r.md", "case_id": 2, "user_name": "Ana", "file": "aGk="}])

    def test_names_of_more_than_one_word(self):
        task = thing("global-task", 5, task_title="t")
        data = self.told("on_postload_global_task_update", "global-task", "update", *created(task))
        self.assertEqual((data[0].task_title, data[0].id), ("t", 5))


class Judged(unittest.TestCase):
    def judge(self, handle, hook="on_preload_ioc_create", action="create", number=None):
        module = probe((hook,))
        answering(handle)
        return module.before(f"before:{hook}", "ioc", action, {"ioc_value": "a"}, number)

    def test_data_may_be_changed_in_place_or_returned(self):
        def in_place(self, hook_name, hook_ui_name, data):
            data[0]["ioc_value"] = "b"
            return Status.I2Success(data=data)

        self.assertEqual(json.loads(self.judge(in_place).value), {"ioc_value": "b"})
        returned = self.judge(lambda self, name, title, data: Status.I2Success(data=[{"ioc_value": "c"}]))
        self.assertEqual(json.loads(returned.value), {"ioc_value": "c"})

    def test_a_denial_refuses_and_a_failure_does_not_judge(self):
        denied = self.judge(lambda self, name, title, data: Status.I2Denied("no such names"))
        self.assertEqual((type(denied).__name__, denied.value), ("Judgement_Denied", "no such names"))

        def failing(self, hook_name, hook_ui_name, data):
            self.log.error("the list is not there")
            return Status.I2Error(data=data, logs=list(self.message_queue))

        with self.assertRaisesRegex(Err, "Error: the list is not there"):
            self.judge(failing)

    def test_ids_cannot_be_replaced(self):
        def handle(self, hook_name, hook_ui_name, data):
            return Status.I2Denied(f"keep {data[0]}, {data[0].ioc_value}") if data == [7] else None

        denied = self.judge(handle, "on_preload_ioc_delete", "delete", 7)
        self.assertEqual(denied.value, "keep 7, a")

    def test_answers_that_are_none_name_what_was_expected(self):
        with self.assertRaisesRegex(Err, "ProbeInterface.hooks_handler returned None; expected a status such as"):
            self.judge(lambda self, name, title, data: None)
        with self.assertRaisesRegex(Err, r"hooks_handler returned \[\] as data; expected the list with the data"):
            self.judge(lambda self, name, title, data: Status.I2Success(data=[]))


class Server(unittest.TestCase):
    """Parts of the IRIS server."""

    def test_absent_parts_say_so(self):
        with self.assertRaisesRegex(ModuleNotFoundError, "app.datamgmt.case is a part of the IRIS server"):
            importlib.import_module("app.datamgmt.case.case_notes_db")

    def test_models_and_schemas(self):
        from app.models import Ioc, IrisHook
        from app.models.cases import Cases
        from app.schema.marshables import IocSchema

        module = probe(("on_postload_ioc_create",))

        def handle(self, hook_name, hook_ui_name, data):
            printed = IocSchema().dump(data[0])
            good = isinstance(data[0], Ioc) and not isinstance(data[0], Cases) and printed["ioc_value"] == "a"
            hooks = [hook.hook_name for hook in IrisHook.query.all()]
            return Status.I2Success if good and "on_postload_ioc_create" in hooks else Status.I2Error

        answering(handle)
        self.assertEqual(module.after("after:on_postload_ioc_create", "ioc", "create", *created(IOC)).effects, [])
        with self.assertRaisesRegex(OSError, "Ioc.query does not work in a sandbox"):
            Ioc.query.filter_by(ioc_id=1)

    def test_evidences_are_registered_when_the_call_ends_well(self):
        module = probe(("on_postload_ioc_create",))

        def handle(self, hook_name, hook_ui_name, data):
            self.get_evidence_storage().get_data().add_evidence(2, "f.bin", "a file", 3, "00ff", None, 1)
            return Status.I2Success

        answering(handle)
        (effect,) = module.after("after:on_postload_ioc_create", "ioc", "create", *created(IOC)).effects
        self.assertEqual((effect.value.object, effect.value.case_id, json.loads(effect.value.body)["filename"]), ("evidence", 2, "f.bin"))

    def test_statuses(self):
        first, second = Status.I2Success("a", data=1, logs=["x"]), Status.I2Error("b", logs=["y"])
        both = Status.merge_status(first, second)
        self.assertEqual((both.is_success(), both.get_message(), both.get_logs()), (False, "a - b", ["x", "y"]))
        self.assertEqual((Status.I2Success.get_data(), Status.I2Success.get_logs(), bool(Status.I2Success)), (None, [], True))
        self.assertEqual(Status.I2FileNotFound().get_code(), 0xFF02)
        self.assertTrue(Status.merge_status(Status.IIStatus(code=Status.I2CodeNoError), Status.I2Success(data=1)).is_success())


if __name__ == "__main__":
    unittest.main()
