"""The registry: names to factories, what they take, and what is said where a name is missing."""

import types
from pathlib import Path

import pytest
from attrs import field, frozen

from routilux_core import (
    Description,
    DuplicateName,
    Event,
    Flow,
    InvalidName,
    InvalidOption,
    JobManager,
    MissingComponent,
    PluginError,
    Routine,
    UnknownComponent,
    hookimpl,
    routine,
    slot,
)
from routilux_plugins.executors import sequential


@frozen(kw_only=True)
class Settings:
    size: int = 3
    """How many at once."""
    path: Path | None = None
    tags: list[str] = field(factory=list)


class Scale(Routine):
    """Multiply what comes in.

    Longer words about it.
    """

    output = Event(value=int)

    def __init__(self, factor: int = 2, **config):
        super().__init__(factor=factor, **config)

    @slot
    def trigger(self, value: int, unit: str = "cm"):
        """Take one value."""
        self.emit("output", value=value * self.get_config("factor"))


class Imperative(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("input", lambda **data: None)
        self.define_event("done", ["result"])


class Demanding(Routine):
    output = Event("value")

    def __init__(self, *, url):
        super().__init__(url=url)

    @slot
    def trigger(self, value):
        self.emit("output", value=value)


@routine
def double(value):
    return {"value": 2 * value}


def offering(**registrations):
    """A plugin that calls the registrar's methods of these names, each with these arguments and options."""

    @hookimpl
    def register_components(registrar):
        for kind, (arguments, options) in registrations.items():
            getattr(registrar, kind)(*arguments, **options)

    return types.SimpleNamespace(register_components=register_components)


def manager_of(*plugins):
    return JobManager(plugins=[sequential, *plugins], discover=False)


@pytest.fixture
def registry(manager):
    return manager.registry


# -- by name -------------------------------------------------------------------------------------------


def test_a_routine_is_made_by_its_name_and_configured():
    with manager_of(offering(routine=(("shop.scale", Scale), {}))) as manager:
        made = manager.registry.create("shop.scale", factor=5)
        assert isinstance(made, Scale)
        assert made.get_config("factor") == 5
        assert manager.registry.create("shop.scale") is not made
        assert manager.registry.names() == ("shop.scale",)


def test_a_user_registers_more(registry):
    registry.register(Scale, "shop.scale")
    registry.register(lambda: Flow("orders"), "orders", kind="flow")
    registry.register(double)
    assert registry.names() == ("shop.scale", f"{__name__}.double")
    assert registry.names("flow") == ("orders",)
    assert isinstance(registry.create("shop.scale"), Scale)


def test_a_class_needs_no_registration(registry):
    assert isinstance(registry.create(f"{__name__}.Scale", factor=4), Scale)
    assert isinstance(registry.create(f"{__name__}.double"), double)
    assert registry.names() == ()


def test_a_taken_name_is_refused_and_its_owner_named(registry):
    registry.register(Scale, "shop.scale")
    with pytest.raises(DuplicateName, match=r"the registry already has routine 'shop.scale'"):
        registry.register(double, "shop.scale")
    assert isinstance(registry.create("shop.scale"), Scale)


def test_two_plugins_with_one_name_are_both_named():
    one = types.ModuleType("one_plugin")
    other = types.ModuleType("other_plugin")
    one.register_components = hookimpl(lambda registrar: registrar.routine("shop.scale", Scale))
    other.register_components = hookimpl(lambda registrar: registrar.routine("shop.scale", double))
    with pytest.raises(PluginError, match=r"'other_plugin'.*'one_plugin' already has routine 'shop.scale'"):
        manager_of(one, other)


@pytest.mark.parametrize("name", ["", ".hidden", "a b", "../etc", "x" * 129, 7])
def test_a_name_outside_the_grammar_is_refused(registry, name):
    with pytest.raises(InvalidName):
        registry.register(Scale, name)
    assert registry.names() == ()


def test_a_local_class_has_no_name_of_its_own(registry):
    class Local(Routine):
        """Nobody else can find it."""

    with pytest.raises(InvalidName, match="<locals>"):
        registry.register(Local)


@pytest.mark.parametrize("name", ["scale", "scale.", ".scale"])
def test_a_plugin_names_its_routines_for_the_package(name):
    with pytest.raises(PluginError, match=r"package\.routine"):
        manager_of(offering(routine=((name, Scale), {})))


@pytest.mark.parametrize("kind", ["thing", "routines", ""])
def test_an_unknown_kind_is_refused_and_the_kinds_listed(registry, kind):
    for use in (registry.names, lambda one: registry.register(Scale, "a.b", kind=one)):
        with pytest.raises(InvalidOption, match="executor, store, monitor, routine, flow, policy"):
            use(kind)


def test_a_factory_is_something_to_call(registry):
    with pytest.raises(InvalidOption, match="a class or a function"):
        registry.register("shop.Scale", "shop.scale")
    with pytest.raises(InvalidOption, match="an attrs class"):
        registry.register(Scale, "shop.scale", settings=dict)


def test_a_factory_that_makes_something_else_is_named(manager, registry):
    registry.register(dict, "shop.wrong")
    with pytest.raises(PluginError, match=r"routine 'shop.wrong' came out as dict"):
        registry.create("shop.wrong")
    registry.register(dict, "wrong", "executor")
    with pytest.raises(PluginError, match=r"executor 'wrong' came out as dict; .* return: Executor"):
        manager.executor("wrong")


# -- options -------------------------------------------------------------------------------------------


def test_options_are_structured_by_the_settings_class(registry):
    made = []

    def factory(settings):
        made.append(settings)
        return Scale()

    registry.register(factory, "shop.scale", settings=Settings)
    registry.create("shop.scale", size=5, path="a/b")
    assert made == [Settings(size=5, path=Path("a/b"))]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"sise": 5}, "did you mean 'size'"), ({"size": "5"}, "a whole number"), ({"tags": "x"}, "a list")],
)
def test_wrong_options_are_refused_before_anything_is_made(registry, options, words):
    registry.register(lambda settings: pytest.fail("made"), "shop.scale", settings=Settings)
    with pytest.raises(InvalidOption, match=words):
        registry.create("shop.scale", **options)


def test_options_that_a_factory_does_not_take_are_refused(registry):
    registry.register(Demanding, "shop.demanding")
    with pytest.raises(InvalidOption, match=r"routine 'shop.demanding' has no 'uri'; it has: url"):
        registry.create("shop.demanding", uri="x")
    with pytest.raises(InvalidOption, match="'url' too"):
        registry.create("shop.demanding")


# -- former names --------------------------------------------------------------------------------------


def test_a_former_name_warns_once_and_says_the_new_one(recwarn):
    with manager_of(offering(routine=(("shop.scale", Scale), {"aliases": ["shop.size"]}))) as manager:
        with pytest.warns(FutureWarning, match=r"'shop.size' is now named 'shop.scale'"):
            assert isinstance(manager.registry.create("shop.size"), Scale)
        manager.registry.create("shop.size")
        assert recwarn.list == []
        assert manager.registry.names() == ("shop.scale",)
        assert manager.registry.describe("shop.scale").aliases == ("shop.size",)


def test_a_former_name_that_somebody_has_is_refused():
    first = offering(routine=(("shop.size", double), {}))
    with pytest.raises(PluginError, match=r"already has routine 'shop.size'"):
        manager_of(first, offering(routine=(("shop.scale", Scale), {"aliases": ["shop.size"]})))


def test_one_component_cannot_have_a_name_twice():
    with pytest.raises(PluginError, match="already has executor 'twice'"):
        manager_of(offering(executor=(("twice", object), {"synonyms": ["twice"]})))


# -- described -----------------------------------------------------------------------------------------


def test_a_routine_describes_itself(registry):
    registry.register(Scale, "shop.scale")
    found = registry.describe("shop.scale")
    assert isinstance(found, Description)
    assert (found.name, found.kind, found.summary) == ("shop.scale", "routine", "Multiply what comes in.")
    (trigger,) = found.slots
    assert [str(one) for one in trigger.fields] == ["value: int", "unit: str = 'cm'"]
    assert (trigger.fields[0].required, trigger.fields[1].required) == (True, False)
    assert (trigger.summary, trigger.open) == ("Take one value.", False)
    assert [str(port) for port in found.events] == ["output(value: int)"]
    assert [str(one) for one in found.config] == ["factor: int = 2"]
    assert str(found).splitlines() == [
        "routine shop.scale: Multiply what comes in.",
        "  slots: trigger(value: int, unit: str = 'cm')",
        "  events: output(value: int)",
        "  config: factor: int = 2",
    ]


def test_every_style_is_described(registry):
    registry.register(double, "shop.double")
    registry.register(Imperative, "shop.imperative")
    assert [str(port) for port in registry.describe("shop.double").slots] == ["trigger(value)"]
    found = registry.describe("shop.imperative")
    assert [str(port) for port in (*found.slots, *found.events)] == ["input(...)", "done(result)"]


def test_a_class_that_wants_configuration_is_described_by_its_body(registry):
    found = registry.describe(f"{__name__}.Demanding")
    assert [str(port) for port in (*found.slots, *found.events)] == ["trigger(value)", "output(value)"]
    assert [str(one) for one in found.config] == ["url"]


def test_the_schema_of_options_is_described_with_defaults_and_words():
    with manager_of(
        offering(executor=(("some", object), {"settings": Settings, "summary": "Some."}))
    ) as manager:
        found = manager.registry.describe("some", "executor")
    assert found.summary == "Some."
    size, path, tags = found.config
    assert (size.type, size.default, size.doc) == ("int", 3, "How many at once.")
    assert (path.type, path.default) == ("Path | None", None)
    assert (tags.type, tags.default) == ("list[str]", [])


def test_ours_is_described_with_package_and_version():
    with JobManager() as manager:
        found = manager.registry.describe("sequential", "executor")
        (plugin,) = [one for one in manager.plugins if one.name == "sequential"]
    assert found.plugin == "sequential"
    assert (found.package, found.version) == (plugin.distribution, plugin.version)
    assert found.package == "routilux-core"


# -- flows ---------------------------------------------------------------------------------------------


def orders():
    flow = Flow("orders")
    flow.add_routine(double(), "double")
    return flow


def test_a_job_of_a_named_flow():
    with manager_of(offering(flow=(("orders", orders), {}))) as manager:
        state = manager.start_job("orders", "double", {"value": 4})
        assert manager.wait_for_all_jobs(10)
        assert state.results == {"double.output": [{"value": 8}]}
        assert manager.execute("orders", "double", {"value": 1}).status == "completed"
        assert manager.validate("orders") == []
        assert manager.registry.flow("orders") is manager.registry.flow("orders")
        with pytest.raises(UnknownComponent, match="did you mean 'orders'"):
            manager.start_job("order", "double")


def test_a_named_flow_may_hold_another():
    def outer():
        flow = Flow("outer")
        flow.add_routine(manager.registry.flow("orders"), "inner")
        return flow

    plugins = offering(flow=(("orders", orders), {})), offering(flow=(("outer", outer), {}))
    with manager_of(*plugins) as manager:
        assert list(manager.registry.flow("outer").routines) == ["inner.double"]


@pytest.mark.parametrize("made", [lambda: Flow("other"), Flow, dict])
def test_a_flow_has_the_name_that_it_is_registered_by(registry, made):
    registry.register(made, "orders", kind="flow")
    with pytest.raises(PluginError, match="flow 'orders' came out as"):
        registry.flow("orders")


# -- missing -------------------------------------------------------------------------------------------


def test_a_miss_lists_the_nearest(registry):
    registry.register(Scale, "shop.scale")
    with pytest.raises(UnknownComponent) as caught:
        registry.create("shop.scales")
    text = "no routine named 'shop.scales'; installed: shop.scale; did you mean 'shop.scale'?"
    assert str(caught.value) == text


@pytest.mark.parametrize("name", [5, None, ["shop.scale"], Scale])
def test_a_name_is_text(registry, name):
    with pytest.raises(InvalidOption, match=r"the name of a routine cannot be .*; it takes text"):
        registry.create(name)


def test_a_miss_tells_what_else_has_that_name(registry):
    registry.register(lambda: Flow("shop.sale"), "shop.sale", "flow")
    with pytest.raises(MissingComponent, match=r"no routine named 'shop.sale'.*; 'shop.sale' is a flow$"):
        registry.create("shop.sale")


def test_a_miss_tells_which_plugins_were_left_out():
    with (
        JobManager(settings={"disabled": ["threaded"]}) as manager,
        pytest.raises(MissingComponent, match="it may be of a plugin that was left out: threaded"),
    ):
        manager.registry.create("tariff.vat")


def test_a_long_list_is_cut(registry):
    for number in range(100):
        registry.register(Scale, f"shop.scale{number:03}")
    with pytest.raises(UnknownComponent, match="and 80 more") as caught:
        registry.create("other.thing")
    assert len(str(caught.value)) < 600


def test_a_miss_names_the_prefix_of_a_routine():
    with manager_of() as manager:
        registry = manager.registry
    with pytest.raises(MissingComponent, match="were not looked for"):
        registry.create("tariff.vat")
    with (
        JobManager() as manager,
        pytest.raises(MissingComponent, match=r"begin with 'tariff\.'; install the"),
    ):
        manager.registry.create("tariff.vat")
    with (
        JobManager() as manager,
        pytest.raises(MissingComponent, match=r"begin with 'tariff\.'; install the"),
    ):
        manager.start_job("tariff.yearly", "vat")


def test_a_miss_in_an_installed_package_names_it():
    with JobManager() as manager, pytest.raises(MissingComponent, match=r"attrs .* is installed; import"):
        manager.registry.create("attrs.nothing")


def test_a_miss_names_what_the_settings_require():
    settings = {"requires": ["tariff-routines", "attrs"]}
    with JobManager(settings=settings) as manager, pytest.raises(MissingComponent) as caught:
        manager.registry.create("tariff.vat")
    assert "pip install tariff-routines" in str(caught.value)
    assert "attrs" not in caught.value.advice


def test_a_factory_without_its_library_says_what_to_install():
    def factory():
        import a_library_that_is_not_there  # noqa: PLC0415, F401 - this is the case

    with manager_of(offering(executor=(("some", factory), {}))) as manager:
        with pytest.raises(PluginError, match="needs the module 'a_library_that_is_not_there'"):
            manager.executor("some")
        assert manager.executor("sequential")


def test_a_miss_names_the_extra_of_ours_that_brings_it(tmp_path, monkeypatch):
    info = tmp_path / "routilux_core-9.9.dist-info"
    info.mkdir()
    extras = "Provides-Extra: dask\nProvides-Extra: dev\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: routilux-core\nVersion: 9.9\n{extras}")
    monkeypatch.syspath_prepend(tmp_path)
    with manager_of() as manager:
        with pytest.raises(MissingComponent, match=r"pip install 'routilux-core\[dask\]'"):
            manager.executor("dask")
        with pytest.raises(UnknownComponent) as caught:
            manager.executor("dev")
    assert "pip" not in str(caught.value)


def test_what_has_no_signature_or_no_words_is_described_as_far_as_it_goes(registry):
    registry.register(dict, "shop.builtin", kind="policy")
    registry.register(lambda: Flow("orders"), "orders", kind="flow")
    assert str(registry.describe("shop.builtin", "policy")).startswith("policy shop.builtin")
    assert registry.describe("orders", "flow").slots == ()
