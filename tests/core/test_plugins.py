"""Plugins: how they are given and found, what each hook does, and how the faulty ones are kept apart."""

import contextlib
import os
import subprocess
import sys
import types
from importlib.metadata import entry_points, version

import pytest
from attrs import define
from pluggy import PluginValidationError

from routilux_core import (
    DuplicateName,
    ErrorHandler,
    Flow,
    InvalidFlow,
    InvalidOption,
    JobManager,
    JobState,
    MissingComponent,
    Monitor,
    NotSerializable,
    PluginError,
    PluginWarning,
    Problem,
    Routine,
    UnknownComponent,
    VetoedJob,
    hookimpl,
    routine,
)
from routilux_core.markers import PLUGIN_API
from routilux_plugins.executors import sequential
from tests.architecture.source import ROOT
from tests.core.gate import WAIT


@routine
def keep(n):
    return {"n": n}


def chain():
    flow = Flow("flow")
    flow.add_routine(keep(), "a")
    flow.add_routine(keep(), "b")
    flow.connect("a.output", "b.trigger")
    return flow


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution of one plugin module, as far as this process can tell."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, code, *metadata):
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        head = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *metadata]
        (info / "METADATA").write_text("\n".join([*head, ""]))
        (info / "entry_points.txt").write_text(f"[routilux]\n{name} = {name}\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def with_plugins(*plugins):
    return JobManager(plugins=[sequential, *plugins], discover=False)


def plugin(**hooks):
    """An object with those hooks; each takes the arguments that it names."""
    made = types.SimpleNamespace()
    for name, function in hooks.items():
        setattr(made, name, hookimpl(function))
    return made


# -- given and found -----------------------------------------------------------------------------------


def test_the_installed_executor_is_found_by_its_entry_point():
    (point,) = entry_points(group="routilux", name="sequential")
    assert point.load() is sequential
    with JobManager() as manager:
        assert "sequential" in manager.registry.names("executor")
        assert chain().execute("a", {"n": 1}).status == "completed"


def test_a_plugin_is_a_module_an_object_a_function_or_a_monitor():
    seen = []

    def function(job, fact):
        seen.append("function")

    class Watching(Monitor):
        def on_job_completed(self, job, fact):
            seen.append("monitor")

    given = plugin(on_fact=lambda job, fact: seen.append("object"))
    with with_plugins(given, function, Watching()):
        state = chain().execute("a", {"n": 1})
    assert seen.count("object") == seen.count("function") == len(state.facts)
    assert seen.count("monitor") == 1


def test_a_monitor_with_a_hook_sees_each_fact_once():
    seen = []

    class Watching(Monitor):
        @hookimpl
        def on_fact(self, job, fact):
            seen.append(fact)

    with with_plugins(Watching()):
        state = chain().execute("a", {"n": 1})
    assert len(seen) == len(state.facts)


def test_a_class_is_refused_with_what_to_do():
    class Watching(Monitor):
        """Not called."""

    with pytest.raises(InvalidOption, match=r"call it: Watching\(\)"):
        with_plugins(Watching)


def test_a_plugin_given_that_cannot_register_is_an_error():
    def register(registrar):
        raise OSError("no disk")

    with pytest.raises(PluginError, match="OSError: no disk"):
        with_plugins(plugin(register_components=register))


def test_a_name_that_is_taken_is_refused_with_both_named():
    def register(registrar):
        registrar.executor("sequential", object)

    with pytest.raises(PluginError, match=r"already has executor 'sequential'") as caught:
        with_plugins(plugin(register_components=register))
    assert isinstance(caught.value.__cause__, DuplicateName)


def test_an_unknown_hook_is_an_error_that_names_the_nearest():
    with pytest.raises(PluginError, match="did you mean 'on_fact'"):
        with_plugins(plugin(on_facts=lambda job, fact: None))


def test_a_hook_with_an_argument_that_it_has_not_is_an_error():
    with pytest.raises((PluginError, PluginValidationError), match="colour"):
        with_plugins(plugin(on_fact=lambda job, colour: None))


def test_two_objects_of_one_kind_are_two_plugins():
    seen = []

    class Counting:
        @hookimpl
        def on_fact(self, job):
            seen.append(self)

    one, other = Counting(), Counting()
    with with_plugins(one, other):
        chain().execute("a", {"n": 1})
    assert set(map(id, seen)) == {id(one), id(other)}


PROGRAM = """
import warnings
from routilux_core import Flow, JobManager, routine

@routine
def keep(n):
    return {"n": n}

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    manager = JobManager()
flow = Flow()
flow.add_routine(keep(), "a")
print(manager.execute(flow, "a", {"n": 1}).status)
for warning in caught:
    print(warning.category.__name__, warning.message)
print(*(plugin.name for plugin in manager.plugins if plugin.status == "failed"))
manager.shutdown()
"""


def test_an_installed_plugin_that_fails_is_left_out_and_named(tmp_path):
    """A distribution with three faulty plugins beside ours, in a process that looks for them anew."""
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "misspelt.py").write_text(
        "from routilux_core import hookimpl\n@hookimpl\ndef on_facts(job, fact):\n    pass\n"
    )
    info = tmp_path / "faulty-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(
        "[routilux]\nabsent = absent\nleaving = leaving\nmisspelt = misspelt\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=WAIT,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=True,
    )
    status, absent, leaving, misspelt, failed = done.stdout.splitlines()
    assert status == "completed"
    assert absent == (
        "PluginWarning plugin 'absent' of faulty 1.5 (absent) was left out: "
        "there is no module 'absent'; install the package again"
    )
    assert "SystemExit" in leaving
    assert "did you mean 'on_fact'" in misspelt
    assert failed == "absent leaving misspelt"


# -- what becomes of each --------------------------------------------------------------------------------


def records(*plugins):
    with with_plugins(*plugins) as manager:
        return [(one.name, str(one.status), one.distribution) for one in manager.plugins]


def test_a_manager_knows_its_plugins():
    with JobManager() as manager:
        (ours,) = [one for one in manager.plugins if one.name == "sequential"]
    assert ours.status == "loaded"
    assert (ours.distribution, ours.value) == ("routilux-core", "routilux_plugins.executors.sequential")
    assert ours.version == version("routilux-core")
    assert ours.seconds >= 0
    assert records() == [("routilux_plugins.executors.sequential", "loaded", None)]


def test_a_plugin_given_twice_is_one():
    assert len(records(sequential)) == 1
    with JobManager(plugins=[sequential]) as manager:
        assert [one.value for one in manager.plugins].count("routilux_plugins.executors.sequential") == 1


def test_an_installed_plugin_is_chosen_by_name():
    with JobManager(plugins=["sequential"], discover=False) as manager:
        assert [one.name for one in manager.plugins] == ["sequential"]
        assert manager.executor("sequential")
    with JobManager(plugins=["routilux-core:sequential"], discover=False) as manager:
        assert [one.name for one in manager.plugins] == ["sequential"]


def test_a_chosen_plugin_that_is_not_installed_is_an_error():
    text = r"no plugin named 'sequental'; installed: .*; did you mean 'sequential'\?"
    with pytest.raises(UnknownComponent, match=text):
        JobManager(plugins=["sequental"], discover=False)


def test_plugins_are_a_list():
    with pytest.raises(InvalidOption, match="plugins cannot be 5; it takes a list"):
        JobManager(plugins=5)


def test_a_name_alone_is_no_list():
    with pytest.raises(InvalidOption, match=r"as in \['sequential'\]"):
        JobManager(plugins="sequential")


def test_a_plugin_that_is_switched_off_is_listed_as_such():
    with JobManager(settings={"disabled": ["sequential"]}) as manager:
        (ours,) = [one for one in manager.plugins if one.name == "sequential"]
        assert (ours.status, ours.seconds) == ("blocked", 0.0)
        assert "switched off" in ours.reason
        with pytest.raises(MissingComponent, match=r"plugin 'sequential' of routilux-core .* switched off"):
            manager.executor("sequential")


def test_what_is_chosen_and_switched_off_at_once_is_an_error():
    with pytest.raises(PluginError, match="switched off by the setting 'disabled', and chosen at once"):
        JobManager(plugins=["sequential"], settings={"disabled": ["sequential"]})


def test_a_misspelt_name_to_switch_off_is_noticed():
    with (
        pytest.warns(PluginWarning, match="'sequental', which the settings switch off; did you mean 'seq"),
        JobManager(settings={"disabled": ["sequental", "not-installed-here"]}),
    ):
        pass


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("2.0", "needs plugin API 2.0, and this is 1.0; install a newer routilux-core"),
        ("1.9", "needs plugin API 1.9, and this is 1.0; install a newer routilux-core"),
        ("0.1", "needs plugin API 0.1, and this is 1.0; install a newer version of it"),
        (1.0, "takes text like '1.0'"),
        ("one", "takes text like '1.0'"),
    ],
)
def test_a_plugin_for_another_version_of_us_is_refused(stated, words):
    made = plugin(on_fact=lambda job: None)
    made.routilux_api = stated
    with pytest.raises(PluginError, match=words):
        with_plugins(made)


def test_a_plugin_for_this_version_is_taken():
    made = plugin(on_fact=lambda job: None)
    made.routilux_api = PLUGIN_API
    assert len(records(made)) == 2


def test_something_without_hooks_is_no_plugin():
    made = types.SimpleNamespace(on_fact=lambda job: None)
    with pytest.raises(PluginError, match="has no hooks; mark 'on_fact' with @hookimpl"):
        with_plugins(made)
    with pytest.raises(PluginError, match="has no hooks"):
        with_plugins(object())


def test_a_hook_wrapper_is_refused():
    @hookimpl(wrapper=True)
    def on_fact(job, fact):
        return (yield)

    with pytest.raises(PluginError, match="'on_fact' is a hook wrapper"):
        with_plugins(types.SimpleNamespace(on_fact=on_fact))


HALF = """
from routilux_core import hookimpl

seen = []

@hookimpl
def on_fact(fact):
    seen.append(fact)

@hookimpl
def register_components(registrar):
    registrar.executor("half", object)
    registrar.executor("sequential{end}", object)
"""


@pytest.mark.parametrize(("end", "works"), [("", False), ("_too", True)])
def test_a_plugin_that_fails_leaves_nothing_behind(install, end, works):
    """Control: with a name of its own the same plugin watches, and offers its executor."""
    name = f"half_made{end}"
    install(name, HALF.replace("{end}", end))
    expected = (
        contextlib.nullcontext() if works else pytest.warns(PluginWarning, match="already has executor")
    )
    with expected, JobManager() as manager:
        chain().execute("a", {"n": 1})
    (record,) = [one for one in manager.plugins if one.name == name]
    assert record.status == ("loaded" if works else "failed")
    assert ("half" in manager.registry.names("executor")) is works
    assert bool(sys.modules[name].seen) is works


@pytest.mark.parametrize("how", ["argument", "environment", "file", None])
def test_what_is_switched_off_is_not_even_imported(how, install, tmp_path, monkeypatch):
    """Control: switched off by nobody, it is imported."""
    install("noisy_import", "from routilux_core import hookimpl\non_fact = hookimpl(lambda fact: None)\n")
    monkeypatch.chdir(tmp_path)
    if how == "environment":
        monkeypatch.setenv("ROUTILUX_DISABLED", "noisy_import")
    elif how == "file":
        (tmp_path / "routilux.toml").write_text('disabled = ["noisy_import"]\n')
    settings = {"disabled": ["noisy_import"]} if how == "argument" else None
    with JobManager(settings=settings) as manager:
        (record,) = [one for one in manager.plugins if one.name == "noisy_import"]
    assert record.status == ("blocked" if how else "loaded")
    assert ("noisy_import" in sys.modules) is (how is None)


@pytest.mark.parametrize("how", ["argument", "environment", "file"])
def test_discovery_as_a_whole_is_switched_off(how, install, tmp_path, monkeypatch):
    install("whole_import", "raise OSError\n")
    monkeypatch.chdir(tmp_path)
    if how == "environment":
        monkeypatch.setenv("ROUTILUX_DISCOVER", "false")
    elif how == "file":
        (tmp_path / "routilux.toml").write_text("discover = false\n")
    with JobManager(**({"discover": False} if how == "argument" else {})) as manager:
        assert manager.plugins == ()


def test_an_interrupt_while_a_plugin_is_imported_is_the_users(install):
    install("interrupted_import", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        JobManager()


def test_a_warning_points_at_the_line_that_made_the_manager(install):
    install("pointed_at", "raise OSError\n")
    with pytest.warns(PluginWarning) as caught:
        JobManager().shutdown()
    assert caught[0].filename == __file__


def test_an_executor_of_a_plugin_that_failed_tells_why(install):
    install("broken_pool", "import a_library_that_is_not_there\n")
    with pytest.warns(PluginWarning, match="needs the module 'a_library_that_is_not_there'"):
        manager = JobManager()
    with manager, pytest.raises(MissingComponent) as caught:
        manager.executor("broken_pool")
    text = "plugin 'broken_pool' of broken_pool 1.0 was left out: it needs the module 'a_library"
    assert text in str(caught.value)


def test_an_extra_that_brings_a_library_is_named(install):
    install(
        "extra_pool",
        "import a_library_that_is_not_there\n",
        "Requires-Dist: a-library-that-is-not-there>=2; extra == 'fast'",
    )
    with pytest.warns(PluginWarning, match=r"pip install 'extra_pool\[fast\]'"):
        JobManager().shutdown()


def test_an_extra_that_brings_a_part_of_a_family_of_packages_is_named(install):
    install(
        "family_pool",
        "import a_family_that_is_not_there.part\n",
        "Requires-Dist: a-family-that-is-not-there-api>=2; extra == 'fast'",
    )
    with pytest.warns(PluginWarning, match=r"pip install 'family_pool\[fast\]'"):
        JobManager().shutdown()


def test_a_requirement_of_another_name_is_named(install):
    install("other_pool", "import yamlet\n", "Requires-Dist: PyYamlet-that-is-not-there (>=2)")
    with pytest.warns(PluginWarning, match="pip install PyYamlet-that-is-not-there"):
        JobManager().shutdown()


def test_damaged_metadata_harm_nothing(install, tmp_path):
    install("damaged_pool", "raise OSError('no disk')\n")
    (tmp_path / "damaged_pool-1.0.dist-info" / "METADATA").unlink()
    with pytest.warns(PluginWarning, match="'damaged_pool' of .* was left out: OSError: no disk"):
        JobManager().shutdown()


def test_two_preferred_executors_are_named_and_the_first_is_used():
    class Other(sequential.Sequential):
        """Would like to be the one."""

    greedy = plugin(register_components=lambda registrar: registrar.executor("own", Other, preferred=True))
    with (
        pytest.warns(
            PluginWarning, match=r"'sequential' of plugin .* is preferred, and so would be 'own' of"
        ),
        with_plugins(greedy) as manager,
    ):
        assert type(manager.executor(chain())) is sequential.Sequential


# -- extend_converter ------------------------------------------------------------------------------------


class Amount:
    def __init__(self, cents):
        self.cents = cents

    def __eq__(self, other):
        return self.cents == other.cents

    __hash__ = None


def test_a_plugin_teaches_a_type():
    def teach(converter):
        converter.teach(Amount, "amount", encode=lambda one: one.cents, decode=Amount)

    with with_plugins(plugin(extend_converter=teach)) as manager:
        encoded = manager.converter.encode({"price": [Amount(5)]})
        assert manager.converter.decode(encoded) == {"price": [Amount(5)]}
    with with_plugins() as manager, pytest.raises(NotSerializable, match="Amount"):
        manager.converter.encode({"price": [Amount(5)]})


def make_a_plugin():
    return plugin()


class Untellable(Exception):
    def __str__(self):
        raise RuntimeError


def teaches_half(converter):
    converter.teach(Amount, "amount", encode=lambda amount: amount.cents, decode=Amount)
    raise Untellable


async def registers_later(registrar):
    registrar.routine("later.keep", keep)


def registers_lazily(registrar):
    yield registrar.routine("later.keep", keep)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (make_a_plugin, r"the function 'make_a_plugin', which does not take \(job, fact\)"),
        (plugin(register_components=registers_later), "'register_components' is async or has a yield"),
        (plugin(register_components=registers_lazily), "'register_components' is async or has a yield"),
        (plugin(extend_converter=teaches_half), "Untellable: it cannot say what is wrong"),
    ],
)
def test_what_would_do_nothing_or_half_of_it_is_refused(given, said):
    with pytest.raises(PluginError, match=said):
        with_plugins(given)


def test_a_plugin_that_fails_has_taught_nothing(install):
    code = """
from routilux_core import hookimpl
class Half: pass
@hookimpl
def extend_converter(converter):
    converter.teach(Half, "half", encode=lambda half: 1, decode=lambda plain: Half())
    raise RuntimeError("x" * 100_000)
"""
    install("half", code)
    with pytest.warns(PluginWarning, match="'half' of half 1.0 .* was left out: RuntimeError: x+") as caught:
        manager = JobManager()

    assert len(str(caught[0].message)) < 1000
    with manager, pytest.raises(NotSerializable):
        manager.converter.encode(sys.modules["half"].Half())


def test_an_error_that_cannot_say_what_is_wrong_harms_no_other_plugin(install):
    install("mute", "class Mute(Exception):\n    def __str__(self):\n        raise self\nraise Mute\n")
    with pytest.warns(PluginWarning, match="Mute: it cannot say what is wrong"), JobManager() as manager:
        assert "sequential" in manager.registry.names("executor")


def test_a_missing_module_of_its_own_is_a_broken_package(install):
    install("hollow", "import hollow.core\n")
    with pytest.warns(PluginWarning, match="no module 'hollow.core'; install the package again"):
        JobManager()


def test_a_plugin_that_cannot_teach_is_an_error():
    def teach(converter):
        converter.teach(Amount, "amount")

    with pytest.raises(PluginError, match="Amount"):
        with_plugins(plugin(extend_converter=teach))


# -- check_flow ----------------------------------------------------------------------------------------


def test_check_flow_adds_to_what_validate_finds():
    def check(flow):
        yield Problem("flow", f"{flow.flow_id} is too small")

    with with_plugins(plugin(check_flow=check)):
        assert "flow: flow is too small" in [str(problem) for problem in chain().validate()]
        assert chain().execute("a", {"n": 1}).status == "completed"


def test_a_fatal_problem_keeps_a_flow_from_running():
    def check(flow):
        return [Problem("flow", "is too small", fatal=True)]

    with with_plugins(plugin(check_flow=check)) as manager:
        with pytest.raises(InvalidFlow, match="is too small"):
            chain().execute("a", {"n": 1})
        assert manager.running_jobs == []


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: 5, "'int' object is not iterable"),
        (lambda: ["a text"], "TypeError: 'a text' is no Problem"),
        (lambda: Problem("here", "wrong"), "'Problem' object is not iterable"),
    ],
)
def test_a_check_flow_that_fails_is_named(returned, said):
    with with_plugins(plugin(check_flow=lambda flow: returned())) as manager:
        for use in (manager.validate, lambda flow: flow.execute("a", {"n": 1})):
            with pytest.raises(PluginError, match=f"'SimpleNamespace' .* in check_flow: .*{said}"):
                use(chain())


def test_check_flow_is_asked_once_for_each_shape_of_a_flow():
    asked = []
    with with_plugins(plugin(check_flow=lambda flow: asked.append(len(flow.routines)))):
        flow = chain()
        flow.execute("a", {"n": 1})
        flow.execute("a", {"n": 1})
        flow.add_routine(keep(), "c")
        flow.execute("a", {"n": 1})
    assert asked == [2, 3]


# -- plugins that are equal -------------------------------------------------------------------------------


def counting(*, eq):
    @define(eq=eq)
    class Counting(Monitor):
        jobs: int = 0

        def on_job_completed(self, job, fact):
            self.jobs += 1

    return Counting(), Counting()


def test_two_plugins_that_are_equal_are_refused_with_a_remedy():
    with pytest.raises(PluginError) as caught:
        with_plugins(*counting(eq=True))
    assert str(caught.value) == (
        "plugin 'Counting' cannot be used: it is equal to plugin 'Counting', and plugins are told apart by "
        "being equal; let the class compare by identity, with eq=False or without __eq__"
    )


def test_two_plugins_of_a_class_without_equality_are_two():
    """The control."""
    both = counting(eq=False)
    with with_plugins(*both):
        chain().execute("a", {"n": 1})
    assert [one.jobs for one in both] == [1, 1]


# -- job_starting --------------------------------------------------------------------------------------


def test_a_veto_keeps_a_job_from_starting():
    class Gatekeeper:
        @hookimpl
        def job_starting(self, job):
            if job.flow.flow_id == "flow":
                raise PermissionError("not today")

    with with_plugins(Gatekeeper()) as manager:
        state = JobState()
        with pytest.raises(VetoedJob, match="PermissionError: not today") as caught:
            chain().execute("a", {"n": 1}, job_state=state)
        assert isinstance(caught.value.__cause__, PermissionError)
        assert "Gatekeeper" in str(caught.value)
        assert (state.status, state.facts, manager.running_jobs) == ("pending", [], [])
    with with_plugins():
        assert chain().execute("a", {"n": 1}, job_state=state).status == "completed"


def test_a_job_that_is_cancelled_while_it_starts_never_runs():
    with with_plugins(plugin(job_starting=lambda job: job.cancel("not today"))) as manager:
        state = chain().execute("a", {"n": 1})
        assert state.status == "cancelled"
        assert state.execution_history == []
        assert manager.running_jobs == []


def test_job_starting_comes_before_the_first_fact():
    seen = []
    with with_plugins(
        plugin(
            job_starting=lambda job: seen.append(str(job.status)),
            on_fact=lambda fact: seen.append(type(fact).__name__),
        )
    ):
        chain().execute("a", {"n": 1})
    assert seen[:2] == ["pending", "JobStarted"]


# -- hold and release ----------------------------------------------------------------------------------


class Breakpoint:
    """Holds what is for one routine."""

    def __init__(self, routine_id):
        self.routine_id = routine_id
        self.asked = []

    @hookimpl
    def hold(self, job, activation):
        self.asked.append(activation.id)
        return activation.routine_id == self.routine_id


def parked(job):
    while not job.parked:
        job.wait(0.001)


@pytest.mark.parametrize("by_number", [False, True])
def test_what_is_held_back_waits_for_its_release(by_number):
    stop = Breakpoint("b")
    with with_plugins(stop) as manager:
        flow = chain()
        state = flow.start("a", {"n": 1})
        job = manager.get_job(state.job_id)
        parked(job)
        (task,) = state.pending_tasks
        assert (task.routine_id, state.status) == ("b", "running")
        job.release(next(iter(job.parked)) if by_number else None)
        assert job.wait(WAIT)
    assert state.results == {"b.output": [{"n": 1}]}
    assert len(stop.asked) == 2


def test_other_work_goes_on_beside_what_is_held_back():
    with with_plugins(Breakpoint("b")) as manager:
        flow = chain()
        state = flow.start("a", {"n": 1})
        job = manager.get_job(state.job_id)
        parked(job)
        feed = job.records()
        job.post("a", n=2)
        seen = [next(feed).routine_id for _ in range(6)]
        assert seen.count("a") == 6
        flow.cancel(state)


def test_what_is_held_back_is_pending_when_paused_and_asked_for_again():
    stop = Breakpoint("b")
    with with_plugins(stop) as manager:
        flow = chain()
        state = flow.start("a", {"n": 1})
        job = manager.get_job(state.job_id)
        parked(job)
        flow.pause(state, timeout=WAIT)
        assert state.status == "paused"
        stop.routine_id = None
        flow.resume(state)
        assert flow.wait_for_completion(WAIT)
    assert state.results == {"b.output": [{"n": 1}]}


def test_a_hold_that_raises_holds_nothing(caplog):
    def hold(job, activation):
        raise OSError("no disk")

    with with_plugins(plugin(hold=hold)):
        assert chain().execute("a", {"n": 1}).status == "completed"
    assert any("in hold" in record.message for record in caplog.records)


# -- around_activation ---------------------------------------------------------------------------------


def around(name, seen, *, enter=None, leave=None):
    @contextlib.contextmanager
    def surrounding(activation):
        seen.append(f"+{name}")
        if enter is not None:
            raise enter
        try:
            yield
        except OSError as error:
            seen.append(f"{name} saw {error}")
            raise
        finally:
            seen.append(f"-{name}")
        if leave is not None:
            raise leave

    return plugin(around_activation=surrounding)


def one(function=lambda: None):
    class Acting(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", function)

    flow = Flow()
    flow.add_routine(Acting(), "a")
    return flow


def test_surroundings_nest_around_the_handler_the_later_plugin_outside():
    seen = []
    with with_plugins(around("x", seen), around("y", seen)):
        assert one(lambda: seen.append("handler")).execute("a").status == "completed"
    assert seen == ["+y", "+x", "handler", "-x", "-y"]


@pytest.mark.parametrize("hook", ["hold", "around_activation"])
def test_what_a_hook_changes_neither_job_nor_history_nor_other_hooks_see(hook):
    seen = []

    def changing():
        def change(activation):
            seen.append(activation.data["n"])
            activation.data["n"] = 99

        return plugin(**{hook: change})

    with with_plugins(changing(), changing()):
        state = chain().execute("a", {"n": 1})
    assert state.results == {"b.output": [{"n": 1}]}
    begun = [fact.activation for fact in state.facts if fact.tag == "activation_started"]
    assert [activation.data for activation in begun] == [{"n": 1}, {"n": 1}]
    assert seen == [1, 1, 1, 1]


@pytest.mark.parametrize("hook", ["hold", "around_activation"])
def test_a_hook_that_raises_is_named_once_for_a_job(hook, caplog):
    """The control: it is called for each activation, and named again for the next job."""
    asked = []

    def fail(activation):
        asked.append(activation.id)
        raise OSError("no disk")

    with with_plugins(plugin(**{hook: fail})):
        jobs = [chain().execute("a", {"n": 1}).job_id for _ in range(2)]
    assert len(asked) == 4
    first, second = (record.getMessage() for record in caplog.records)
    assert f"'SimpleNamespace' raised in {hook} for job {jobs[0]}" in first
    assert f"'SimpleNamespace' raised in {hook} for job {jobs[1]}" in second


@pytest.mark.parametrize("when", ["enter", "leave"])
def test_surroundings_that_raise_are_named_once_for_a_job(when, caplog):
    seen = []
    with with_plugins(around("x", seen, **{when: ValueError("no span")})):
        chain().execute("a", {"n": 1})
    assert seen.count("+x") == 2
    assert len(caplog.records) == 1


def test_surroundings_see_what_the_handler_raised():
    seen = []

    def fail():
        raise OSError("no disk")

    with with_plugins(around("x", seen)):
        state = one(fail).execute("a")
    assert state.errors[0].type == "OSError"
    assert seen == ["+x", "x saw no disk", "-x"]


@pytest.mark.parametrize("when", ["enter", "leave"])
def test_surroundings_that_raise_harm_neither_handler_nor_the_others(when, caplog):
    seen = []
    with with_plugins(around("x", seen, **{when: ValueError("no span")}), around("y", seen)):
        assert one(lambda: seen.append("handler")).execute("a").status == "completed"
    assert [step for step in seen if "x" not in step] == ["+y", "handler", "-y"]
    assert any("around_activation" in record.message for record in caplog.records)


def test_surroundings_cannot_swallow_a_failure():
    class Swallowing:
        @hookimpl
        def around_activation(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return True

    def fail():
        raise OSError("no disk")

    with with_plugins(Swallowing()):
        assert one(fail).execute("a").status == "failed"


def test_no_surroundings_are_no_surroundings():
    with with_plugins(plugin(around_activation=lambda: None)):
        assert one().execute("a").status == "completed"


def test_surroundings_are_entered_in_async_handlers_too():
    seen = []

    async def handler():
        seen.append("handler")

    with with_plugins(around("x", seen)):
        assert one(handler).execute("a").status == "completed"
    assert seen == ["+x", "handler", "-x"]


def test_each_attempt_is_surrounded():
    seen = []

    def flaky():
        if seen.count("+x") < 3:
            raise OSError("no disk")

    with with_plugins(around("x", seen)):
        flow = one(flaky)
        flow.set_error_handler(ErrorHandler("retry", retry_delay=0))
        assert flow.execute("a").status == "completed"
    assert seen.count("+x") == seen.count("-x") == 3


# -- on_fact and manager_closing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "hook",
    [
        lambda job, fact: SEEN.append((job, fact)),
        lambda fact: SEEN.append((None, fact)),
        lambda job: SEEN.append((job, None)),
        lambda: SEEN.append((None, None)),
    ],
)
def test_a_hook_takes_the_arguments_that_it_names(hook):
    SEEN.clear()
    with with_plugins(plugin(on_fact=hook)):
        state = chain().execute("a", {"n": 1})
    assert len(SEEN) == len(state.facts)
    assert {job.job_id for job, _ in SEEN if job is not None} <= {state.job_id}
    assert [fact for _, fact in SEEN if fact is not None] in ([], list(state.facts))


SEEN = []


def test_a_plugin_whose_on_fact_raises_is_dropped_by_name(caplog):
    class Faulty:
        @hookimpl
        def on_fact(self, job, fact):
            raise OSError("no disk")

    with with_plugins(Faulty()):
        assert chain().execute("a", {"n": 1}).status == "completed"
    assert sum("'Faulty' raised" in record.getMessage() for record in caplog.records) == 1


def test_a_manager_closing_that_raises_is_logged(caplog):
    def closing(manager):
        raise OSError("no disk")

    with with_plugins(plugin(manager_closing=closing)) as manager:
        chain().execute("a", {"n": 1})
    assert manager.closed
    assert any("manager_closing" in record.message for record in caplog.records)


def test_hooks_that_nobody_implements_are_not_called():
    """No function of the plugin system runs while a job does."""
    calls = []

    def profile(frame, event, _):
        if event == "call" and (
            "pluggy" in frame.f_code.co_filename or "hooks.py" in frame.f_code.co_filename
        ):
            calls.append(frame.f_code.co_qualname)

    seen = []

    @routine
    def spy(n):
        if n == 0:
            sys.setprofile(profile)
        if n == 5:
            sys.setprofile(None)
            seen.append(list(calls))
            return None
        return {"n": n + 1}

    flow = Flow()
    flow.add_routine(spy(), "a")
    flow.connect("a.output", "a.trigger")
    with with_plugins():
        flow.execute("a", {"n": 0})
    assert seen == [[]]
