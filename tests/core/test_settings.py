"""Settings: argument, environment, file, default; typed and strict, and each value knows who gave it."""

import os
import pickle
import subprocess
import sys

import pytest
from attrs import frozen

from routilux_core import (
    Flow,
    InvalidOption,
    InvalidSetting,
    JobManager,
    Settings,
    UnknownComponent,
    UnknownOption,
    UnreadableSettings,
    get_execution_context,
    hookimpl,
    routine,
)
from routilux_core.settings_file import find_file
from routilux_plugins.executors import sequential
from routilux_plugins.executors.sequential import Sequential


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder, and none of our variables."""
    for name in [name for name in os.environ if name.startswith("ROUTILUX_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own(folder):
    """Writes `routilux.toml`."""
    return lambda text: (folder / "routilux.toml").write_text(text, "utf-8")


@pytest.fixture
def shared(folder):
    """Writes `pyproject.toml`."""
    return lambda text: (folder / "pyproject.toml").write_text(text, "utf-8")


def settings(**given):
    return JobManager(discover=False, settings=given).settings


def sources(made):
    """What `explain` says: the source of each value by its name."""
    return {line.split()[0]: line.rsplit("  ", 1)[1] for line in made.explain().splitlines()}


@frozen
class PoolSettings:
    size: int = 4
    speed: float = 1.0
    names: tuple[str, ...] = ()


class Pool(Sequential):
    def __init__(self, options):
        super().__init__()
        self.options = options


class Plugin:
    """Offers executors by name; `pool` takes options, `plain` none."""

    @hookimpl
    def register_components(self, registrar):
        registrar.executor("pool", Pool, settings=PoolSettings, synonyms=["crowd"])
        registrar.executor("plain", Sequential)
        for name in ("by_argument", "by_flow", "by_manager", "by_environment", "by_file"):
            registrar.executor(name, Sequential)


def manager(**given):
    return JobManager(plugins=[sequential, Plugin()], discover=given.pop("discover", False), **given)


@routine
def which():
    context = get_execution_context()
    return {"executor": context.job.executor}


# -- sources -------------------------------------------------------------------------------------------


def test_without_any_source_there_are_the_defaults():
    made = settings()
    assert made == Settings(discover=False)
    assert set(sources(made).values()) == {"default", "argument"}
    assert [name for name, source in sources(made).items() if source == "argument"] == ["discover"]


def test_the_first_that_has_a_value_gives_it(own, folder, monkeypatch):
    own("max_ready = 1\nmax_pending = 1\nmax_workers = 1\n")
    monkeypatch.setenv("ROUTILUX_MAX_READY", "2")
    monkeypatch.setenv("ROUTILUX_MAX_PENDING", "2")
    made = settings(max_ready=3)
    assert (made.max_ready, made.max_pending, made.max_workers, made.history) == (3, 2, 1, None)
    where = sources(made)
    assert where["max_ready"] == "argument"
    assert where["max_pending"] == "ROUTILUX_MAX_PENDING"
    assert where["max_workers"] == f"{folder / 'routilux.toml'}, line 3"
    assert where["history"] == "default"


def test_tables_are_put_together_key_by_key(own, folder, monkeypatch):
    own("[executors.pool]\nsize = 1\nspeed = 1.5\nnames = ['a']\n[executors.plain]\n")
    monkeypatch.setenv("ROUTILUX_EXECUTORS__POOL__SIZE", "2")
    monkeypatch.setenv("ROUTILUX_EXECUTORS__POOL__SPEED", "2.5")
    with manager(settings={"executors": {"pool": {"size": 3}}}) as made:
        options = made.executor("pool").options
        assert options == PoolSettings(size=3, speed=2.5, names=("a",))
        where = sources(made.settings)
    assert where["executors.pool.size"] == "argument"
    assert where["executors.pool.speed"] == "ROUTILUX_EXECUTORS__POOL__SPEED"
    assert where["executors.pool.names"] == f"{folder / 'routilux.toml'}, line 4"


def test_an_object_is_taken_as_it_is(own, monkeypatch):
    own("max_ready = 1\nnonsense = true\n")
    monkeypatch.setenv("ROUTILUX_NONSENSE", "1")
    given = Settings(max_pending=5, discover=False)
    made = JobManager(settings=given).settings
    assert made is given
    assert sources(made)["max_pending"] == "argument"
    assert sources(made)["max_ready"] == "default"


def test_arguments_of_the_manager_come_first_even_then():
    made = manager(executor="plain", settings=Settings(executor="pool", max_ready=2))
    assert (made.settings.executor, made.settings.max_ready, made.settings.discover) == ("plain", 2, False)


def test_a_given_dict_is_not_changed(own):
    own("[executors.pool]\nsize = 1\n")
    given = {"executors": {}}
    assert settings(**given).executors == {"pool": {"size": 1}}
    assert given == {"executors": {}}


def test_discovery_is_a_setting(monkeypatch):
    monkeypatch.setenv("ROUTILUX_DISCOVER", "no")
    assert JobManager().registry.names("executor") == ()
    assert "sequential" in JobManager(discover=True).registry.names("executor")
    assert "sequential" in JobManager(settings={"discover": True}).registry.names("executor")


def test_plugins_are_disabled_by_name(monkeypatch):
    monkeypatch.setenv("ROUTILUX_DISABLED", "nothing-of-that-name, sequential")
    made = JobManager()
    assert made.settings.disabled == ("nothing-of-that-name", "sequential")
    assert "sequential" not in made.registry.names("executor")


# -- the environment -----------------------------------------------------------------------------------


def test_variables_are_read_as_their_types(monkeypatch):
    for name, text in {
        "MAX_READY": "7",
        "HISTORY": "none",
        "REQUIRES": "orders, bills",
        "EXECUTOR": "",
        "STORES": '{"files": {"folder": "x"}}',
        "STORES__FILES__DEPTH": "2",
    }.items():
        monkeypatch.setenv(f"ROUTILUX_{name}", text)
    made = settings()
    assert (made.max_ready, made.history, made.requires, made.executor) == (
        7,
        None,
        ("orders", "bills"),
        None,
    )
    assert made.stores == {"files": {"folder": "x", "depth": "2"}}
    where = sources(made)
    assert where["stores.files.folder"] == "ROUTILUX_STORES"
    assert where["stores.files.depth"] == "ROUTILUX_STORES__FILES__DEPTH"


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("MAX_READY", "many", "max_ready cannot be 'many'; it takes a whole number"),
        ("MAX_READY", "0", "max_ready cannot be 0; it takes a whole number from 1 up"),
        ("DISCOVER", "perhaps", "discover cannot be 'perhaps'; it takes true or false"),
        ("EXECUTORS", "pool", "executors cannot be 'pool'; it takes a table"),
        ("MAX_REDY", "5", "Settings has no 'max_redy'; .* did you mean 'max_ready'"),
        ("MAX_READY__SIZE", "5", "max_ready cannot be .*; it takes a whole number"),
        ("", "5", "Settings has no ''"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, variable, text, message):
    monkeypatch.setenv(f"ROUTILUX_{variable}", text)
    with pytest.raises(InvalidSetting, match=f"^ROUTILUX_{variable}: {message}"):
        JobManager()


def test_a_whole_and_its_parts_are_not_given_both(monkeypatch):
    monkeypatch.setenv("ROUTILUX_EXECUTORS", "pool")
    monkeypatch.setenv("ROUTILUX_EXECUTORS__POOL__SIZE", "2")
    with pytest.raises(InvalidSetting, match=r"ROUTILUX_EXECUTORS__POOL__SIZE: .* given as a whole"):
        settings()


# -- files ---------------------------------------------------------------------------------------------


def test_pyproject_has_a_table(shared, folder):
    shared(
        "[project]\nname = 'x'\n\n[tool.routilux]\nmax_ready = 5\n\n[tool.routilux.executors.pool]\nsize=3\n"
    )
    made = settings()
    assert made.max_ready == 5
    where = sources(made)
    assert where["max_ready"] == f"{folder / 'pyproject.toml'}, line 5"
    assert where["executors.pool.size"] == f"{folder / 'pyproject.toml'}, line 8"


def test_the_own_file_is_read_instead_and_explain_says_so(own, shared, folder):
    own("max_ready = 5\n")
    shared("[tool.routilux]\nmax_ready = 6\nmax_pending = 6\n")
    made = settings()
    assert (made.max_ready, made.max_pending) == (5, None)
    last = made.explain().splitlines()[-1]
    assert last == f"{folder / 'pyproject.toml'} is not used: {folder / 'routilux.toml'} is there"


@pytest.mark.parametrize(
    "text", ["[tool.other]\nmax_ready = 1\n", "[project]\nname = 'routilux'\n", "not = = toml"]
)
def test_a_pyproject_without_word_of_us_is_nothing(shared, text):
    shared(text)
    assert settings() == Settings(discover=False)


def test_lines_are_found_in_any_style(own, folder):
    own(
        "# max_ready = 1\n"
        'stores.files.note = """\n'
        "max_ready = 2\n"
        '"""\n'
        "max_ready = 3\n"
        "disabled = [\n"
        "  'a',\n"
        "]\n"
        "[executors]\n"
        "pool = { size = 4 }\n"
        '"plain".size = 5\n'
        "[ executors . other ]\n"
        "depth = 6\n"
    )
    where = sources(settings())
    lines = {name: int(source.rpartition(" ")[2]) for name, source in where.items() if "line" in source}
    assert lines == {
        "stores.files.note": 2,
        "max_ready": 5,
        "disabled": 6,
        "executors.pool.size": 10,
        "executors.plain.size": 11,
        "executors.other.depth": 13,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_redy = 5", "line 1: Settings has no 'max_redy'; .*did you mean 'max_ready'"),
        ("\nmax_ready = '5'", "line 2: max_ready cannot be '5'; it takes a whole number$"),
        ("max_ready = true", "line 1: max_ready cannot be True; it takes a whole number$"),
        ("max_ready = -1", "line 1: max_ready cannot be -1; it takes a whole number from 1 up$"),
        ("history = 1.5", "line 1: history cannot be 1.5; it takes a whole number"),
        ("executors = 'a'", "line 1: executors cannot be 'a'; it takes a table, each a table"),
        ("disabled = 'a'", "line 1: disabled cannot be 'a'; it takes a list, each text"),
        ("disabled = ['a', 2]", r"line 1: disabled\[1\] cannot be 2; it takes text"),
        ("[nonsense]", "line 1: Settings has no 'nonsense'"),
        ("max_ready = {}", "line 1: max_ready cannot be {}; it takes a whole number"),
        ("executors.pool = 4", "line 1: executors.pool cannot be 4; it takes a table"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_line(own, folder, text, message):
    own(text)
    with pytest.raises(InvalidSetting, match=message) as caught:
        settings()
    assert str(caught.value).startswith(str(folder / "routilux.toml"))


def test_a_file_that_is_no_toml_is_named(own, folder, shared):
    own("max_ready = \n")
    with pytest.raises(UnreadableSettings, match=r"routilux.toml' cannot be read: it is not TOML: .*line 1"):
        settings()
    own("[tool.routilux]\nmax_ready = 5\n")
    with pytest.raises(UnreadableSettings, match=r"is for pyproject.toml; here the settings stand"):
        settings()
    (folder / "routilux.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableSettings, match=r"routilux.toml"):
        settings()
    (folder / "routilux.toml").unlink()
    (folder / "routilux.toml").mkdir()
    with pytest.raises(UnreadableSettings, match=r"routilux.toml"):
        settings()
    (folder / "routilux.toml").rmdir()
    shared("[tool]\nroutilux = 3\n")
    with pytest.raises(UnreadableSettings, match=r"tool.routilux is no table"):
        settings()


def test_a_deeply_nested_file_is_refused(own):
    own("max_ready = " + "[" * 100_000)
    with pytest.raises(UnreadableSettings):
        settings()


def test_a_file_can_be_named_and_reading_switched_off(own, folder, monkeypatch):
    own("max_ready = 5\n")
    other = folder / "other.toml"
    other.write_text("max_ready = 6\n", "utf-8")
    monkeypatch.setenv("ROUTILUX_CONFIG", "other.toml")
    assert settings().max_ready == 6
    monkeypatch.setenv("ROUTILUX_CONFIG", "off")
    assert settings().max_ready == 1000
    monkeypatch.setenv("ROUTILUX_CONFIG", "")
    assert settings().max_ready == 5
    monkeypatch.setenv("ROUTILUX_CONFIG", "nowhere.toml")
    with pytest.raises(UnreadableSettings, match=r"nowhere.toml.*ROUTILUX_CONFIG names it"):
        settings()


def test_a_file_is_read_again_when_it_has_changed_and_only_then(own, folder):
    own("max_ready = 5\n")
    assert settings().max_ready == 5
    assert find_file() is find_file()
    own("max_ready = 60\n")
    assert settings().max_ready == 60
    (folder / "routilux.toml").unlink()
    assert settings().max_ready == 1000


def test_a_working_folder_that_is_gone_has_no_settings(folder, monkeypatch):
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert settings().max_ready == 1000


def test_without_a_file_no_parser_is_imported(folder):
    """Control: with a file it is, so the question is asked rightly."""
    program = (
        "import sys, routilux_core; routilux_core.JobManager(discover=False); print('tomllib' in sys.modules)"
    )

    def parsed():
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=folder
        ).stdout.strip()

    assert parsed() == "False"
    (folder / "routilux.toml").write_text("max_ready = 5\n", "utf-8")
    assert parsed() == "True"


# -- options of executors ------------------------------------------------------------------------------


def test_an_executor_has_its_options_under_each_of_its_names(own):
    own("[executors.crowd]\nsize = 2\n")
    with manager() as made:
        assert made.executor("pool").options == PoolSettings(size=2)
        assert made.executor("crowd") is made.executor("pool")


def test_options_have_defaults():
    with manager() as made:
        assert made.executor("pool").options == PoolSettings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pool.siz = 2", "executors.pool has no 'siz'; it has: size, speed, names; did you mean 'size'"),
        ("pool.size = '2'", "executors.pool.size cannot be '2'; it takes a whole number"),
        ("plain.size = 2", "size"),
    ],
)
def test_options_that_an_executor_does_not_take_are_named_with_their_line(own, folder, text, message):
    own(f"\n[executors]\n{text}\n")
    with manager() as made, pytest.raises(InvalidSetting, match=message) as caught:
        made.executor(text.partition(".")[0])
    assert str(caught.value).startswith(f"{folder / 'routilux.toml'}, line 3: ")


def test_wrong_options_fail_when_the_manager_is_made(own):
    own("[executors.pool]\nsiz = 2\n")
    with pytest.raises(InvalidSetting, match="did you mean 'size'"):
        manager(discover=True)
    own("[executors.sequential]\nsize = 2\n")
    with pytest.raises(InvalidSetting, match=r"executors.sequential has no 'size'; it has: "):
        manager(discover=True)
    own("[executors.poool]\nsize = 2\n")
    with pytest.raises(InvalidSetting, match=r"line 1: .*executor.*'poool'.*did you mean 'pool'"):
        manager(discover=True)
    with pytest.raises(UnknownComponent, match="did you mean 'pool'"):
        manager(discover=True, settings=Settings(executors={"poool": {}}))


def test_options_of_an_executor_whose_plugin_is_missing_harm_nobody(own, folder, monkeypatch):
    """Control: without the broken plugin nothing excuses the name."""
    own("disabled = ['sequential']\n[executors.sequential]\nsize = 2\n")
    with JobManager() as made, pytest.raises(UnknownComponent, match="sequential"):
        made.executor("sequential")
    own("[executors.others]\nsize = 2\n")
    with pytest.raises(InvalidSetting, match="'others'"):
        JobManager()
    (folder / "broken.py").write_text("1 / 0\n", "utf-8")
    info = folder / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[routilux]\nbroken = broken\n", "utf-8")
    monkeypatch.syspath_prepend(folder)
    with pytest.warns(UserWarning, match="broken"):
        made = JobManager()
    with pytest.raises(UnknownComponent, match="'others'"):
        made.executor("others")


def test_options_of_plugins_that_are_not_looked_for_are_left_alone(own):
    own("[executors.somebodys]\nsize = 2\n")
    assert manager().settings.executors == {"somebodys": {"size": 2}}


# -- which executor ------------------------------------------------------------------------------------


def test_the_stated_precedence_and_who_gave_it(own, folder, monkeypatch):
    flow = Flow("one")
    flow.add_routine(which(), "a")

    def used(made, **options):
        return made.execute(flow, "a", **options).results["a.output"][0]["executor"]

    with manager() as made:
        assert used(made) is made.executor("sequential")
        assert sources(made.settings)["executor"] == "default"
    own("executor = 'by_file'\n")
    with manager() as made:
        assert used(made) is made.executor("by_file")
        assert sources(made.settings)["executor"] == f"{folder / 'routilux.toml'}, line 1"
    monkeypatch.setenv("ROUTILUX_EXECUTOR", "by_environment")
    with manager() as made:
        assert used(made) is made.executor("by_environment")
        assert sources(made.settings)["executor"] == "ROUTILUX_EXECUTOR"
    with manager(executor="by_manager") as made:
        assert used(made) is made.executor("by_manager")
        assert sources(made.settings)["executor"] == "argument"
        flow.set_execution_strategy("by_flow")
        assert used(made) is made.executor("by_flow")
        assert used(made, executor="by_argument") is made.executor("by_argument")
        assert len({id(made.executor(f"by_{name}")) for name in ("manager", "flow", "argument")}) == 3


def test_an_unknown_executor_in_a_file_is_an_error_where_it_is_needed(own):
    own("executor = 'pol'\n")
    flow = Flow("one")
    flow.add_routine(which(), "a")
    with manager() as made, pytest.raises(UnknownComponent, match=r"'pool'.*toml, line 1 names it"):
        made.execute(flow, "a")
    with manager() as made, pytest.raises(UnknownComponent, match=r"did you mean 'pool'.$"):
        made.execute(flow, "a", executor="poo")


# -- the object ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("executor", 5),
        ("discover", 1),
        ("disabled", "a"),
        ("executors", {"a": 1}),
        ("stores", []),
        ("max_ready", "5"),
    ],
)
def test_an_object_is_checked_too(name, value):
    with pytest.raises(InvalidOption, match=name):
        Settings(**{name: value})


def test_an_unknown_argument_names_the_nearest():
    with pytest.raises(UnknownOption, match="did you mean 'history'"):
        settings(histroy=5)


def test_settings_travel(own):
    own("max_ready = 5\n[executors.pool]\nsize = 1\n")
    made = settings(history=1)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own
    assert again == made
    assert again.explain() == made.explain()


def test_explain_shows_no_secrets():
    server = {"password": "swordfish", "PassWord": "swordfish", "url": "db://me:swordfish@h/b", "host": "h"}
    made = settings(stores={"server": server})
    assert "swordfish" not in made.explain()
    assert "'h'" in made.explain()
    assert "'db://me:********@h/b'" in made.explain()
