"""Flows as documents: what is saved can be made again, and what cannot is refused by name."""

import copy
import json
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    InvalidDocument,
    NewerSchema,
    NotRebuildable,
    NotSerializable,
    Routine,
    UnknownClass,
    UnknownKey,
    routine,
    slot,
)
from routilux_core.flow_document import SCHEMA
from routilux_core.plan import compile_flow
from tests.core.shop import Load, Scale, Sort, shop, total

STORED = Path(__file__).parent / "documents"


def document():
    """Return the document of the shop, as a file would give it."""
    return json.loads(json.dumps(shop().serialize()))


def rebuilt(flow):
    return Flow().deserialize(json.loads(json.dumps(flow.serialize())))


def test_a_document_is_plain_json(manager):
    data = shop().serialize()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert (data["schema"], data["kind"], data["flow_id"]) == (1, "flow", "shop")


def test_what_is_saved_is_made_again(manager):
    flow = shop()
    again = rebuilt(flow)
    assert again.serialize() == flow.serialize()
    assert compile_flow(again).fingerprint == compile_flow(flow).fingerprint
    assert again.connections == flow.connections
    assert (again.flow_id, again.execution_strategy) == ("shop", "sequential")
    assert (again.max_workers, again.execution_timeout) == (3, 60.0)
    assert again.error_handler == flow.error_handler
    assert [type(one) for one in again.routines.values()] == [type(one) for one in flow.routines.values()]
    assert [one.config() for one in again.routines.values()] == [
        one.config() for one in flow.routines.values()
    ]
    assert again.routines["load"].error_handler == flow.routines["load"].error_handler
    assert list(again.routines["sort"].events) == ["fruit", "herb"]


def test_a_rebuilt_flow_runs_as_the_first_did(manager):
    entry = {"value": Decimal(2)}
    flow = shop()
    states = [one.execute("first.scale", entry) for one in (flow, rebuilt(flow))]
    assert [state.status for state in states] == ["completed", "completed"]
    assert states[0].results == states[1].results == {"first.total.output": [{"total": 6}]}


def test_an_object_that_is_used_twice_stays_one(manager):
    again = rebuilt(shop())
    assert again.routines["load"] is again.routines["again"]
    assert again.members["first"] is again.members["second"]
    assert again.routines["first.scale"] is again.routines["second.scale"]


def test_two_objects_of_one_class_stay_two(manager):
    flow = Flow("pair")
    flow.add_routine(Scale(2), "a")
    flow.add_routine(Scale(2), "b")
    again = rebuilt(flow)
    assert again.routines["a"] is not again.routines["b"]


def test_a_routine_shared_between_a_flow_and_its_sub_flow_stays_one(manager):
    shared, inner, flow = Scale(2), Flow("inner"), Flow("outer")
    inner.add_routine(shared, "deep")
    flow.add_routine(inner, "inner")
    flow.add_routine(shared, "top")
    again = rebuilt(flow)
    assert again.routines["inner.deep"] is again.routines["top"]


def test_ids_with_dots_keep_their_ends(manager):
    flow = Flow("dots")
    flow.add_routine(Scale(2), "a.b")
    flow.add_routine(Scale(2), "a.b.c")
    flow.connect("a.b.output", "a.b.c.trigger")
    assert rebuilt(flow).connections == flow.connections


def test_an_empty_flow(manager):
    again = rebuilt(Flow("empty"))
    assert (again.flow_id, dict(again.routines), again.connections) == ("empty", {}, ())


def test_the_order_of_routines_and_connections_is_kept(manager):
    flow = Flow("order")
    for name in "zyxabc":
        flow.add_routine(Scale(2), name)
    for name in "cxb":
        flow.connect(f"z.output -> {name}".split(" ")[0], f"{name}.trigger")
    again = rebuilt(flow)
    assert list(again.routines) == list("zyxabc")
    assert [one.target_id for one in again.connections] == list("cxb")


def test_a_document_shares_nothing_with_the_flow(manager):
    flow = shop()
    data = flow.serialize()
    data["connections"][1]["param_mapping"]["item"] = "changed"
    data["routines"]["sort"]["config"]["kinds"]["$tuple"].append("changed")
    assert flow.serialize() == shop().serialize()


def test_the_kept_name_of_a_registered_class_is_its_registered_one(manager):
    manager.registry.register(Scale, "shop.scale")
    flow = Flow("named")
    flow.add_routine(Scale(5), "scale")
    assert flow.serialize()["routines"]["scale"]["class"] == "shop.scale"
    assert type(rebuilt(flow).routines["scale"]) is Scale


def test_a_factory_may_be_named_in_a_document(manager):
    def make(factor):
        return Scale(factor, unit="cm")

    manager.registry.register(make, "shop.centimetres")
    data = {
        "schema": 1,
        "kind": "flow",
        "routines": {"a": {"class": "shop.centimetres", "config": {"factor": 7}}},
    }
    made = Flow().deserialize(data).routines["a"]
    assert (type(made), made.get_config("factor"), made.get_config("unit")) == (Scale, 7, "cm")


def test_deserialize_takes_the_place_of_what_was_there(manager):
    old = Scale(2)
    flow = Flow("before")
    flow.add_routine(old, "old")
    flow.deserialize(document())
    assert flow.flow_id == "shop"
    assert "old" not in flow.routines
    assert list(old.flows) == []
    assert list(flow.routines["load"].flows) == [flow]
    assert flow.execute("sort", {"kind": "fruit", "item": 1}).status == "completed"


def test_a_faulty_document_changes_nothing(manager):
    flow = shop()
    data = document()
    data["connections"].append({"source": "load.output", "target": "nowhere.trigger"})
    with pytest.raises(InvalidDocument):
        flow.deserialize(data)
    assert flow.serialize() == shop().serialize()


def test_a_change_inside_a_rebuilt_sub_flow_reaches_the_flow_around(manager):
    again = rebuilt(shop())
    before = compile_flow(again).fingerprint
    again.members["first"].add_routine(Scale(2), "more")
    assert len(compile_flow(again).fingerprint) > len(before)


# -- files ---------------------------------------------------------------------------------------------


def test_a_flow_goes_through_a_file(manager, tmp_path):
    path = tmp_path / "shop.json"
    shop().save(path)
    assert Flow.load(path).serialize() == shop().serialize()
    assert Flow.load(str(path)).flow_id == "shop"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["shop.json"]


def test_a_flow_that_cannot_be_saved_leaves_the_old_file(manager, tmp_path):
    path = tmp_path / "shop.json"
    flow = shop()
    flow.save(path)
    flow.routines["sort"].set_config(lock=object())
    with pytest.raises(NotSerializable):
        flow.save(path)
    assert Flow.load(path).serialize() == shop().serialize()


def test_a_file_that_is_cut_off_is_refused(manager, tmp_path):
    path = tmp_path / "shop.json"
    shop().save(path)
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    with pytest.raises(InvalidDocument, match="cut off"):
        Flow.load(path)


# -- what cannot be saved ------------------------------------------------------------------------------


def test_a_value_of_a_configuration_is_named_with_its_path(manager):
    flow = Flow("bad")
    flow.add_routine(Scale(2), "scale")
    flow.routines["scale"].set_config(connections=[{"db": object()}])
    with pytest.raises(NotSerializable) as caught:
        flow.serialize()
    assert "flow.routines['scale'].config['connections'][0]['db']: object" in str(caught.value)


def test_a_routine_in_a_sub_flow_is_named_with_its_path(manager):
    class Keeps(Routine):
        def __init__(self, path):
            self.path = path

    inner, flow = Flow("inner"), Flow("outer")
    inner.add_routine(Keeps("x"), "keeps")
    flow.add_routine(inner, "sub")
    with pytest.raises(NotRebuildable, match=r"flow\.routines\['sub'\]\.flow\.routines\['keeps'\].*'path'"):
        flow.serialize()


# -- what cannot be read -------------------------------------------------------------------------------


def changed(change):
    data = document()
    change(data)
    return data


def put(*path, value):
    def change(data):
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


def drop(*path):
    def change(data):
        for step in path[:-1]:
            data = data[step]
        del data[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (put("schema", value=2), NewerSchema, "schema 2"),
        (put("schema", value="1"), InvalidDocument, "'1'"),
        (put("kind", value="job_state"), InvalidDocument, "job_state"),
        (put("routine", value={}), UnknownKey, "did you mean 'routines'"),
        (drop("routines"), InvalidDocument, "'routines'"),
        (put("routines", value=[]), InvalidDocument, "flow.routines"),
        (put("connections", value={}), InvalidDocument, "flow.connections"),
        (put("max_workers", value="3"), InvalidDocument, "max_workers cannot be '3'"),
        (put("max_workers", value=True), InvalidDocument, "max_workers cannot be True"),
        (put("execution_timeout", value=-1), InvalidDocument, "execution_timeout cannot be -1"),
        (put("execution_strategy", value=7), InvalidDocument, "flow.execution_strategy"),
        (put("flow_id", value="../x"), InvalidDocument, "'../x' is not a flow id"),
        (put("error_handler", value="stop"), InvalidDocument, "flow.error_handler"),
        (put("error_handler", "strategy", value="panic"), InvalidDocument, "panic"),
        (put("error_handler", "retries", value=1), UnknownKey, "it has: strategy, max_retries"),
        (put("routines", "load", value=None), InvalidDocument, "flow.routines['load']"),
        (put("routines", "load", "class", value=1), InvalidDocument, "flow.routines['load'].class"),
        (put("routines", "load", "class", value="os.system"), UnknownClass, "'os.system'"),
        (put("routines", "load", "class", value="tests.core.shop.Item"), UnknownClass, "shop.Item"),
        (put("routines", "load", "klass", value=""), UnknownKey, "did you mean 'class'"),
        (put("routines", "load", "config", value=[1]), InvalidDocument, "flow.routines['load'].config"),
        (put("routines", "load", "config", "limit", value="many"), InvalidDocument, "Load.Config.limit"),
        (put("routines", "load", "config", "limt", value=1), InvalidDocument, "did you mean 'limit'"),
        (put("routines", "load", "config", "folder", value={"$no": 1}), InvalidDocument, "config['folder']"),
        (put("routines", "load", "config", "token", value={"$secret": "hush"}), InvalidDocument, "['token']"),
        (drop("routines", "load", "config"), InvalidDocument, "folder"),
        (
            put("routines", "sort", "config", "kinds", value=3),
            InvalidDocument,
            "'tests.core.shop.Sort' cannot",
        ),
        (put("routines", "a/b", value={"class": "x"}), UnknownClass, "'x'"),
        (put("routines", "a/b", value={"same_as": "load"}), InvalidDocument, "'a/b' is not a routine id"),
        (put("routines", "again", "same_as", value="later"), InvalidDocument, "'later'"),
        (put("routines", "again", "same_as", value=["load"]), InvalidDocument, "same_as"),
        (put("routines", "again", "class", value="x"), UnknownKey, "class"),
        (put("routines", "first", "flow", value="sums"), InvalidDocument, "flow.routines['first'].flow"),
        (put("connections", 0, value="a -> b"), InvalidDocument, "flow.connections[0]"),
        (put("connections", 0, "source", value="load"), InvalidDocument, "flow.connections[0]"),
        (put("connections", 0, "source", value="lod.output"), InvalidDocument, "did you mean 'load'"),
        (put("connections", 0, "source", value=None), InvalidDocument, "flow.connections[0].source"),
        (put("connections", 0, "param_mapping", value={"a": 1}), InvalidDocument, "param_mapping"),
        (put("connections", 0, "param_mapping", value={"a": "item"}), InvalidDocument, "onto 'item'"),
    ],
)
def test_a_faulty_document_is_refused_with_the_place(manager, change, error, text):
    with pytest.raises(error) as caught:
        Flow().deserialize(changed(change))
    assert text in str(caught.value)


def test_the_control_of_the_faulty_ones(manager):
    assert Flow().deserialize(changed(lambda data: None)).serialize() == document()


@pytest.mark.parametrize("data", [None, [], "flow", 7, {}, {"schema": 1}], ids=repr)
def test_what_is_no_document_is_refused(manager, data):
    with pytest.raises(InvalidDocument, match="flow"):
        Flow().deserialize(data)


def test_flows_within_flows_have_a_limit(manager):
    data = {"flow_id": "x", "routines": {}}
    for _ in range(200):
        data = {"flow_id": "x", "routines": {"in": {"flow": data}}}
    with pytest.raises(InvalidDocument, match="more than 50 flows"):
        Flow().deserialize({"schema": 1, "kind": "flow", **data})


def test_an_unknown_class_names_the_nearest_and_what_to_install(manager):
    data = document()
    data["routines"]["sort"] |= {"class": "tests.core.shop.Sorted", "package": "shop-routines 1.2.3"}
    with pytest.raises(UnknownClass) as caught:
        Flow().deserialize(data)
    text = str(caught.value)
    assert "flow.routines['sort']: no routine class 'tests.core.shop.Sorted'" in text
    assert "did you mean 'tests.core.shop.Sort'?" in text
    assert "pip install 'shop-routines==1.2.3'" in text


def test_a_class_of_an_installed_package_asks_for_its_import(manager):
    data = document()
    data["routines"]["sort"] |= {"class": "attrs.Sort", "package": "attrs 1.0"}
    with pytest.raises(
        UnknownClass, match=r"it came from attrs 1.0, and attrs \d.* is installed; import 'attrs'"
    ):
        Flow().deserialize(data)


def test_a_package_that_is_none_is_not_recommended(manager):
    data = document()
    data["routines"]["sort"] |= {"class": "gone.Sort", "package": "x' ; rm -rf y"}
    with pytest.raises(UnknownClass) as caught:
        Flow().deserialize(data)
    assert "rm -rf" not in str(caught.value)


def test_nothing_is_imported_for_a_class(manager, tmp_path, monkeypatch):
    (tmp_path / "unheard_of.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    data = document()
    data["routines"]["sort"]["class"] = "unheard_of.Sort"
    with pytest.raises(UnknownClass, match="import 'unheard_of', which defines it, first"):
        Flow().deserialize(data)
    for name in ("__main__.Sort", "jobs.make.<locals>.Sort"):
        data["routines"]["sort"]["class"] = name
        with pytest.raises(UnknownClass, match="; only the program that saved it has that; define the class"):
            Flow().deserialize(data)
    data["routines"]["sort"]["class"] = "Sort"
    with pytest.raises(UnknownClass, match=r"; .* give its whole name$"):
        Flow().deserialize(data)


# -- stored documents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(1, SCHEMA.number + 1))
def test_a_stored_document_of_each_schema_is_still_read(manager, number):
    flow = Flow.load(STORED / f"flow-{number}.json")
    assert flow.serialize() == shop().serialize()
    assert flow.execute("first.scale", {"value": Decimal(2)}).results == {
        "first.total.output": [{"total": 6}]
    }


# -- classes of other kinds ----------------------------------------------------------------------------


def test_a_local_class_works_in_the_process(manager):
    class Local(Routine):
        output = Event("n")

        @slot
        def trigger(self, n):
            self.emit("output", n=n)

    flow = Flow("local")
    flow.add_routine(Local(), "local")
    assert type(rebuilt(flow).routines["local"]) is Local
    assert any("cannot be rebuilt in another process" in str(one) for one in flow.validate())


def test_local_classes_of_one_name_are_not_confused(manager):
    def make(number):
        @routine
        def give():
            return {"n": number}

        return give

    first, second = make(1), make(2)
    flow = Flow("local")
    flow.add_routine(first(), "first")
    flow.add_routine(second(), "second")
    with pytest.raises(ValueError, match="2 classes are named"):
        rebuilt(flow)


def test_a_flow_of_a_subclass_is_loaded_as_that(manager, tmp_path):
    class Shop(Flow):
        pass

    shop().save(tmp_path / "shop.json")
    assert type(Shop.load(tmp_path / "shop.json")) is Shop


def test_a_copy_of_a_document_is_enough(manager):
    data = document()
    kept = copy.deepcopy(data)
    Flow().deserialize(data)
    assert data == kept


def test_a_handler_may_load_a_flow_and_run_it(manager):
    data = document()

    @routine
    def outer():
        return (
            Flow()
            .deserialize(data)
            .execute("first.scale", {"value": Decimal(1)})
            .results["first.total.output"][0]
        )

    flow = Flow("outer")
    flow.add_routine(outer(), "outer")
    assert flow.execute("outer").results == {"outer.output": [{"total": 3}]}


def test_routines_keep_what_they_are_told_afterwards(manager):
    flow = Flow("later")
    flow.add_routine(Scale(2), "scale")
    flow.routines["scale"].set_config(factor=9, extra=[1, (2, 3)])
    flow.routines["scale"].set_error_handler(ErrorHandler("skip"))
    made = rebuilt(flow).routines["scale"]
    assert made.config() == {"factor": 9, "unit": "m", "note": "made", "extra": [1, (2, 3)]}
    assert made.error_handler == ErrorHandler("skip")


def test_the_classes_of_the_shop_are_saved_by_name(manager):
    names = [one.get("class", "") for one in document()["routines"].values()]
    assert [f"{kind.__module__}.{kind.__name__}" for kind in (Load, Sort)] == names[:2]
    assert total.__qualname__ == "total"
