"""Monitors switched on by name: in one line, from any source, with typed options, to be had by their name."""

import os
import threading

import pytest
from attrs import frozen

from routilux_core import (
    Flow,
    InvalidOption,
    InvalidSetting,
    JobManager,
    MissingComponent,
    Monitor,
    MonitorQueue,
    PluginError,
    Settings,
    UnknownComponent,
    VetoedJob,
    hookimpl,
    routine,
)
from routilux_plugins.executors import sequential


@frozen
class BellSettings:
    tone: str = "high"
    times: int = 1


class Bell(Monitor):
    """Rings for each job that completes."""

    def __init__(self, settings):
        self.settings = settings
        self.rung = []
        self.closed = 0

    def on_job_completed(self, job, fact):
        self.rung.append(job.job_id)

    @hookimpl
    def manager_closing(self):
        self.closed += 1


class Bells:
    """Offers monitors by name."""

    @hookimpl
    def register_components(self, registrar):
        registrar.monitor("bell", Bell, settings=BellSettings, aliases=["chime"])
        registrar.monitor("gong", lambda: Bell(None))
        registrar.monitor("counter", lambda: print)
        registrar.monitor("silent", Monitor)
        registrar.monitor("five", lambda: 5)
        registrar.monitor("lacking", lacking)


def lacking():
    import no_such_library  # noqa: F401, PLC0415 - it is missing on purpose


@routine
def keep(n):
    return {"n": n}


def flow():
    made = Flow("flow")
    made.add_routine(keep(), "a")
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder, and none of our variables."""
    for name in [name for name in os.environ if name.startswith("ROUTILUX_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def file(folder):
    """Writes `routilux.toml`."""
    return lambda text: (folder / "routilux.toml").write_text(text, "utf-8")


def manager(monitors=None, **given):
    settings = {} if monitors is None else {"monitors": monitors}
    return JobManager(plugins=[sequential, Bells()], discover=False, settings=settings, **given)


def rings(made):
    with made:
        state = made.execute(flow(), "a", {"n": 1})
        return {name: monitor.rung == [state.job_id] for name, monitor in made.monitors.items()}


# -- one line ------------------------------------------------------------------------------------------


def test_without_a_setting_none_is_on():
    with manager() as made:
        assert dict(made.monitors) == {}


@pytest.mark.parametrize(
    "given", [["bell"], ("bell",), {"bell": {}}, {"bell": True}, {"bell": {"tone": "low"}}]
)
def test_by_argument(given):
    assert rings(manager(given)) == {"bell": True}


def test_by_a_settings_object():
    made = JobManager(plugins=[sequential, Bells()], settings=Settings(monitors=["bell"], discover=False))
    assert rings(made) == {"bell": True}


@pytest.mark.parametrize("text", ["bell", "bell, gong", '["bell", "gong"]', '{"bell": {}, "gong": true}'])
def test_by_environment(monkeypatch, text):
    monkeypatch.setenv("ROUTILUX_MONITORS", text)
    assert rings(manager()) == dict.fromkeys([name for name in ("bell", "gong") if name in text], True)


@pytest.mark.parametrize(
    "text",
    ['monitors = ["bell"]', "[monitors.bell]", "monitors.bell = true", '[monitors.bell]\ntone = "low"'],
)
def test_by_file(file, text):
    file(text)
    assert rings(manager()) == {"bell": True}


def test_by_the_file_that_is_shared(folder):
    (folder / "pyproject.toml").write_text("[tool.routilux.monitors.bell]\n", "utf-8")
    assert rings(manager()) == {"bell": True}


@pytest.mark.parametrize("given", [[], {"bell": False}, {"bell": {"enabled": False, "tone": "low"}}])
def test_it_can_be_off(given):
    assert rings(manager(given)) == {}


def test_a_variable_switches_off_what_a_file_switches_on(file, monkeypatch):
    file('monitors = ["bell", "gong"]')
    monkeypatch.setenv("ROUTILUX_MONITORS__BELL", "off")
    assert rings(manager()) == {"gong": True}


@pytest.mark.parametrize(("text", "on"), [("gong", ["gong"]), ("none", []), ("", []), ("bell", ["bell"])])
def test_a_list_says_exactly_which_are_on(file, monkeypatch, text, on):
    file('[monitors.bell]\ntone = "low"')
    monkeypatch.setenv("ROUTILUX_MONITORS", text)
    assert rings(manager()) == dict.fromkeys(on, True)


def test_options_of_other_sources_hold_for_what_a_list_names(file, monkeypatch):
    file('[monitors.bell]\ntone = "low"\ntimes = 2')
    monkeypatch.setenv("ROUTILUX_MONITORS", "bell")
    monkeypatch.setenv("ROUTILUX_MONITORS__BELL__TIMES", "3")
    monkeypatch.setenv("ROUTILUX_MONITORS__GONG__QUEUE", "3")
    with manager() as made:
        assert made.monitors["bell"].settings == BellSettings("low", 3)
        assert list(made.monitors) == ["bell"]
        shown = {line.split()[0]: line for line in made.settings.explain().splitlines()}
    assert shown["monitors.bell.enabled"].endswith("ROUTILUX_MONITORS")
    assert shown["monitors.bell.tone"].endswith("routilux.toml, line 2")
    assert shown["monitors.gong.enabled"].endswith("ROUTILUX_MONITORS")


# -- what is wrong -------------------------------------------------------------------------------------


def test_an_unknown_name_says_the_nearest():
    with pytest.raises(UnknownComponent, match=r"no monitor named 'bel'; .*did you mean 'bell'"):
        manager(["bel"])


def test_an_unknown_name_says_who_gave_it(file):
    file('monitors = ["bel"]')
    with pytest.raises(MissingComponent, match=r"did you mean 'bell'\?; .*routilux.toml, line 1 names it"):
        manager()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"bell": {"tune": "low"}}, "BellSettings has no 'tune'|monitors.bell has no 'tune'"),
        ({"bell": {"times": "3"}}, "monitors.bell.times cannot be '3'"),
        ({"bell": {"enabled": 3}}, "monitors.bell.enabled cannot be 3"),
        ({"bell": {"queue": "many"}}, "monitors.bell.queue cannot be 'many'"),
        ({"bell": {"queue": -1}}, "the size of a MonitorQueue cannot be -1"),
        ({"bell": {"queue": 0}}, "the size of a MonitorQueue cannot be 0; it takes a whole number from 1 up"),
        ({"bell": {"queue": False}}, "monitors.bell.queue cannot be False"),
        ({"gong": {"tone": "low"}}, "monitors.gong has no 'tone'"),
        (5, "monitors cannot be 5; it takes a list of names, or a table of options for each name"),
        ("bell", "monitors cannot be 'bell'; it takes a list of names"),
        ([5], r"monitors cannot be \[5\]"),
        ({"bell": 5}, "monitors.bell cannot be 5"),
    ],
)
def test_wrong_options_are_refused(given, text):
    with pytest.raises(InvalidOption, match=text):
        manager(given)


def test_what_is_no_list_says_who_gave_it(file):
    file('monitors = "bell"')
    with pytest.raises(
        InvalidSetting, match=r"routilux.toml, line 1: monitors cannot be 'bell'; it takes a list"
    ):
        manager()


def test_a_variable_that_is_no_list_is_named(monkeypatch):
    monkeypatch.setenv("ROUTILUX_MONITORS", "[5]")
    with pytest.raises(InvalidSetting, match=r"ROUTILUX_MONITORS: monitors cannot be \[5\]; it takes a list"):
        manager()


def test_a_wrong_option_says_who_gave_it(file):
    file('[monitors.bell]\ntimes = "3"')
    with pytest.raises(InvalidSetting, match=r"routilux.toml, line 2: monitors.bell.times cannot be '3'"):
        manager()


def test_wrong_options_of_one_that_is_off_are_refused_where_plugins_are_looked_for():
    with pytest.raises(InvalidOption, match=r"monitors.bell has no 'tune'"):
        JobManager(plugins=[Bells()], settings={"monitors": {"bell": {"enabled": False, "tune": 1}}})


def test_one_that_is_no_monitor_is_refused():
    with pytest.raises(PluginError, match=r"'five' came out as int; its factory has to return a Monitor"):
        manager(["five"])


def test_one_whose_library_is_missing_says_so():
    with pytest.raises(PluginError, match="needs the module 'no_such_library', which is not installed"):
        manager(["lacking"])


@pytest.mark.parametrize("name", ["enabled", "queue"])
def test_options_that_all_have_are_nobodys_own(name):
    class Wrong:
        @hookimpl
        def register_components(self, registrar):
            registrar.monitor("wrong", Bell, settings=frozen(type("S", (), {"__annotations__": {name: int}})))

    with pytest.raises(PluginError, match=f"a class without '{name}', which every monitor has"):
        JobManager(plugins=[Wrong()], discover=False)


# -- to be had -----------------------------------------------------------------------------------------


def test_a_former_name_works_and_is_known_by_the_new_one():
    with pytest.warns(FutureWarning, match=r"'chime' is now named 'bell'"), manager(["chime"]) as made:
        assert list(made.monitors) == ["bell"]


def test_its_hooks_are_called():
    with manager(["bell"]) as made:
        bell = made.monitors["bell"]
    assert bell.closed == 1


def test_one_that_watches_nothing_is_not_among_the_observers():
    with manager(["silent"]) as made:
        state = made.start_job(flow(), "a", {"n": 1})
        job = made.get_job(state.job_id)
        assert job is None or not job.observers


def test_a_queue_is_an_option():
    with manager({"bell": {"queue": 100}}) as made:
        bell, here = made.monitors["bell"], threading.current_thread()
        threads = []
        bell.on_job_completed = lambda job, fact: threads.append(threading.current_thread())
        made.execute(flow(), "a", {"n": 1})
    assert isinstance(bell, Bell)
    assert made.monitors.dropped == {"bell": 0}
    assert len(threads) <= 1
    assert here not in threads


def test_without_a_size_there_is_no_queue():
    with manager({"bell": {"queue": None}}) as made:
        assert made.monitors.dropped == {}


# -- for one job ---------------------------------------------------------------------------------------


def test_a_job_may_name_one():
    with manager() as made:
        first = made.execute(flow(), "a", {"n": 1}, monitors=["bell"])
        made.execute(flow(), "a", {"n": 1})
        bell = made.monitors["bell"]
        second = made.execute(flow(), "a", {"n": 1}, monitors=["bell"])
        assert made.monitors["bell"] is bell
    assert bell.rung == [first.job_id, second.job_id]
    assert bell.closed == 1


def test_one_that_is_on_is_told_once_where_a_job_names_it_too():
    with manager(["bell"]) as made:
        state = made.execute(flow(), "a", {"n": 1}, monitors=["bell"])
        assert made.monitors["bell"].rung == [state.job_id]


def test_one_that_is_off_takes_its_options_along():
    with manager({"bell": {"enabled": False, "tone": "low"}}) as made:
        made.execute(flow(), "a", {"n": 1}, monitors=["bell"])
        assert made.monitors["bell"].settings.tone == "low"


def test_names_and_objects_stand_in_one_list():
    own = Bell(None)
    with manager() as made:
        state = made.execute(flow(), "a", {"n": 1}, monitors=["bell", own, MonitorQueue(own), own])
        assert made.monitors["bell"].rung == [state.job_id]
    assert own.rung == [state.job_id]


def test_a_job_that_names_an_unknown_one_is_not_begun():
    with manager() as made:
        with pytest.raises(UnknownComponent, match="did you mean 'bell'"):
            made.execute(flow(), "a", {"n": 1}, monitors=["bel"])
        assert made.running_jobs == []


def test_what_is_no_monitor_is_refused():
    with manager() as made, pytest.raises(InvalidOption, match="a monitor cannot be 5"):
        made.execute(flow(), "a", {"n": 1}, monitors=[5])


class Guard(Monitor):
    """Has hooks about jobs, and no facts."""

    def __init__(self, *, veto=False):
        self.veto = veto
        self.asked = []

    @hookimpl
    def job_starting(self, job):
        if self.veto:
            raise PermissionError("not now")
        self.asked.append("job_starting")

    @hookimpl
    def hold(self, activation):
        self.asked.append(f"hold {activation.target}")
        return False

    @hookimpl
    def around_activation(self, activation, job):
        self.asked.append(f"around {activation.target} of {job.flow.flow_id}")


def test_hooks_of_a_monitor_of_one_job_are_called_for_that_job():
    guard = Guard()
    with manager() as made:
        made.execute(flow(), "a", {"n": 1}, monitors=[guard])
        made.execute(flow(), "a", {"n": 1})
    assert guard.asked == ["job_starting", "hold a.trigger", "around a.trigger of flow"]


def test_a_monitor_of_one_job_may_veto_it():
    with manager() as made, pytest.raises(VetoedJob, match=r"'Guard'.*not now"):
        made.execute(flow(), "a", {"n": 1}, monitors=[Guard(veto=True)])


def test_a_hook_of_a_monitor_of_one_job_that_takes_something_else_is_refused():
    class Wrong(Monitor):
        @hookimpl
        def hold(self, colour):
            return False

    with manager() as made, pytest.raises(PluginError, match="its 'hold' takes 'colour'; a hook takes"):
        made.execute(flow(), "a", {"n": 1}, monitors=[Wrong()])
