"""Ids and idempotency keys: the grammar, the fixed formula, and that a key stays the same."""

import os
import subprocess
import sys

import pytest

from routilux_core import (
    ErrorHandler,
    Event,
    Flow,
    InvalidName,
    JobState,
    Routine,
    all_sources,
    batch,
    get_execution_context,
    routine,
    slot,
)
from routilux_core.identity import checked_id, checked_name, child, digest, joined, key, new_id

GOOD = ["a", "A", "0", "_", "-", "a.b", "a..b", "a.", "-.-", "x" * 128]
BAD = [
    "",
    ".",
    ".a",
    "..",
    "a/b",
    "a\\b",
    "a b",
    "a\n",
    "\na",
    "a\x00",
    "ä",
    "٣",
    "a:b",
    "a'b",
    "%00",
    "x" * 129,
]


@pytest.mark.parametrize("text", GOOD)
def test_a_good_id_passes_as_it_is(text):
    assert checked_id("flow id", text) is text


@pytest.mark.parametrize("text", [*BAD, None, 7, b"a"], ids=repr)
def test_a_bad_id_is_refused_with_its_kind_and_the_grammar(text):
    with pytest.raises(InvalidName) as caught:
        checked_id("flow id", text)
    assert "is not a flow id; use 1 to 128 of A-Z a-z 0-9 . _ - and no dot at the start" in str(caught.value)


@pytest.mark.parametrize("text", [*BAD, "a.b", "a."], ids=repr)
def test_a_slot_or_event_name_has_no_dot(text):
    with pytest.raises(InvalidName, match=r"no dot at all"):
        checked_name("slot name", text)


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_job_ids_are_checked_where_they_come_in(text):
    with pytest.raises(InvalidName, match=r"job id"):
        JobState("flow", job_id=text)


def test_new_ids_are_good_and_differ():
    made = {checked_id("job id", new_id()) for _ in range(1000)}
    assert len(made) == 1000


# -- the formula ---------------------------------------------------------------------------------------

MASK = 2**64 - 1


def scrambled(value):
    """Mix the bits as SplitMix64 does it."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


def lineage_of(text):
    """FNV-1a of 64 bits over the text as UTF-8, then scrambled."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return scrambled(value)


def documented_child(parent, item, place, edge):
    """((parent + item * 2 ** 32 + place) * STEP + edge) modulo 2 ** 64."""
    return ((parent + item * 2**32 + place) * 0x9E3779B97F4A7C15 + edge) & MASK


def documented_key(root, lineage):
    """The root, a dash, and the lineage scrambled."""
    return f"{root}-{scrambled(lineage):016x}"


def test_the_lineage_of_a_text_is_fixed():
    assert digest("entry") == 0xB72499015B8C2F19 == lineage_of("entry")


@pytest.mark.parametrize(
    ("lineage", "text"),
    [
        (0, "root-0000000000000000"),
        (1, "root-5692161d100b05e5"),
        (0x9E3779B97F4A7C15, "root-e220a8397b1dcdaf"),
        (MASK, documented_key("root", MASK)),
    ],
)
def test_the_key_of_a_lineage_is_fixed(lineage, text):
    assert key("root", lineage) == text == documented_key("root", lineage)


@pytest.mark.parametrize(
    ("item", "place", "text"),
    [
        (0, 0, "job-1-b7be16570de36484"),
        (0, 1, "job-1-df9c6b84dd9395f2"),
        (0, 2, "job-1-00d4dea5b9092361"),
        (1, 0, "job-1-06b1082fb2fdacf4"),
        (2, 0, "job-1-53062b003637481d"),
    ],
)
def test_the_key_of_a_child_is_fixed(item, place, text):
    parent, edge = digest("entry"), digest("a.output -> b.trigger 0")
    assert key("job-1", child(parent, item, place, edge)) == text
    assert key("job-1", documented_child(parent, item, place, edge)) == text


def test_a_join_does_not_depend_on_the_order_of_arrival():
    assert joined([1, 2, 3], 7) == joined([3, 1, 2], 7)
    assert joined([1, 2], 7) != joined([1, 2], 8)
    assert joined([1], 7) != joined([2], 7)


def test_ten_thousand_relatives_have_keys_of_their_own():
    edges = [digest(f"a.output -> b{number}.trigger {number}") for number in range(10)]
    parent = digest("entry")
    keys = {
        key("job", child(parent, item, place, edge))
        for item in range(10)
        for place in range(100)
        for edge in edges
    }
    assert len(keys) == 10_000


# -- in a job ------------------------------------------------------------------------------------------


def record_key(keys, name):
    keys.setdefault(name, []).append(get_execution_context().idempotency_key)


def noting(keys):
    """Return a flow whose `a` sends two events, or yields them, to `b`; each notes its keys."""

    class Sending(Routine):
        output = Event("n")

        @slot
        def trigger(self):
            record_key(keys, "a")
            self.send_output("note")
            self.emit("output", n=0)
            self.increment_stat("calls")
            self.emit("output", n=1)

        @slot
        def step_by_step(self):
            for n in range(2):
                self.emit("output", n=n)
                yield

    class Taking(Routine):
        @slot
        def trigger(self, n):
            record_key(keys, f"b{n}")

    flow = Flow("keys")
    flow.add_routine(Sending(), "a")
    flow.add_routine(Taking(), "b")
    flow.connect("a.output", "b.trigger")
    return flow


def test_the_keys_of_a_job_are_those_of_the_formula(manager):
    keys = {}
    noting(keys).execute("a", job_state=JobState("keys", job_id="job-1"))
    assert keys == {
        "a": ["job-1-7a3dc69578336ba5"],
        "b0": ["job-1-b7be16570de36484"],
        "b1": ["job-1-df9c6b84dd9395f2"],
    }


def test_the_items_of_a_generator_have_keys_of_their_own(manager):
    keys = {}
    flow = noting(keys)
    flow.execute("a", job_state=JobState("keys", job_id="job-1"), entry_slot="step_by_step")
    assert keys == {"b0": ["job-1-b7be16570de36484"], "b1": ["job-1-06b1082fb2fdacf4"]}


def test_two_jobs_have_different_keys(manager):
    keys = {}
    flow = noting(keys)
    flow.execute("a")
    flow.execute("a")
    assert len(set(keys["b0"])) == 2


def test_a_key_is_the_same_over_retries(manager):
    keys = {}

    class Flaky(Routine):
        output = Event()

        @slot(retry=ErrorHandler("retry", max_retries=3, retry_delay=0))
        def trigger(self):
            record_key(keys, "tries")
            if get_execution_context().attempt < 3:
                self.emit("output")
                raise OSError
            self.emit("output")

        @slot
        def after(self):
            record_key(keys, "after")

    flow = Flow("flaky")
    flow.add_routine(Flaky(), "a")
    flow.connect("a.output", "a.after")
    assert flow.execute("a").status == "completed"
    assert len(keys["tries"]) == 3
    assert len(set(keys["tries"])) == 1
    assert len(keys["after"]) == 1


def broken_once(keys, failing):
    @routine
    def first():
        record_key(keys, "first")
        return {"n": 1}

    @routine
    def second(n):
        record_key(keys, "second")
        if failing:
            raise OSError
        return {"n": n}

    @routine
    def third(n):
        record_key(keys, "third")

    flow = Flow("forked")
    for name, made in (("first", first()), ("second", second()), ("third", third())):
        flow.add_routine(made, name)
    flow.connect("first.output", "second.trigger")
    flow.connect("second.output", "third.trigger")
    return flow


def test_a_key_is_the_same_in_a_fork(manager):
    keys, failing = {}, [True]
    flow = broken_once(keys, failing)
    state = flow.execute("first")
    assert state.status == "failed"
    failing.clear()
    fork = flow.fork(state)
    assert flow.wait_for_completion(10)
    assert fork.status == "completed"
    assert fork.job_id != state.job_id
    assert len(keys["second"]) == 2
    assert len(set(keys["second"])) == 1
    assert keys["third"][0].startswith(f"{state.job_id}-")


def test_a_key_is_the_same_in_a_fork_of_a_fork(manager):
    keys, failing = {}, [True]
    flow = broken_once(keys, failing)
    state = flow.execute("first")
    again = flow.fork(state)
    assert flow.wait_for_completion(10)
    assert again.status == "failed"
    failing.clear()
    assert flow.wait_for_completion(10)
    last = flow.fork(again)
    assert flow.wait_for_completion(10)
    assert last.status == "completed"
    assert len(keys["second"]) == 3
    assert len(set(keys["second"])) == 1


@pytest.mark.parametrize("when", [batch(2), all_sources], ids=["batch", "all_sources"])
def test_a_join_has_the_same_key_every_time(manager, when):
    keys = {}

    class Fork(Routine):
        left, right = Event("n"), Event("m")

        @slot
        def trigger(self):
            self.emit("left", n=1)
            self.emit("right", m=2)

    class Join(Routine):
        def __init__(self):
            super().__init__()
            self.define_slot("trigger", self.handle, when=when)

        def handle(self, **data):
            record_key(keys, "join")

    flow = Flow("joined")
    flow.add_routine(Fork(), "a")
    flow.add_routine(Join(), "b")
    flow.connect("a.left", "b.trigger")
    flow.connect("a.right", "b.trigger")
    for name in ("job-1", "job-1", "job-2"):
        flow.execute("a", job_state=JobState("joined", job_id=name))
    first, second, other = keys["join"]
    assert first == second
    assert first.startswith("job-1-")
    assert other.startswith("job-2-")


def test_keys_do_not_depend_on_the_process_or_its_hash_seed(manager, tmp_path):
    script = tmp_path / "keys.py"
    script.write_text(
        "from routilux_core.identity import *\n"
        "print(key('job-1', child(digest('entry'), 0, 1, digest('a.output -> b.trigger 0'))))\n"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=True, env=environment
        )
        assert done.stdout.strip() == "job-1-df9c6b84dd9395f2"


def test_a_post_has_a_key_of_its_own(manager):
    keys = {}
    flow = Flow("posted")

    class Taking(Routine):
        @slot
        def trigger(self):
            record_key(keys, "all")
            context = self.get_execution_context()
            if len(keys["all"]) < 3:
                context.job.post("a")

    flow.add_routine(Taking(), "a")
    assert flow.execute("a").status == "completed"
    assert len(set(keys["all"])) == 3
