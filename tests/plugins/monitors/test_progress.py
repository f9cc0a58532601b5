"""progress: readable at 80 columns, painted in place without flicker, and plain lines where nobody looks."""

import io
import re
import subprocess
import sys
import threading

import pytest

from routilux_core import ErrorHandler, Flow, InvalidOption, JobManager, get_execution_context, routine
from routilux_plugins.executors import pooled, sequential
from routilux_plugins.monitors.progress import screen
from routilux_plugins.monitors.progress.monitor import Progress
from routilux_plugins.monitors.progress.picture import Picture, clock
from routilux_plugins.monitors.progress.rates import Rates
from routilux_plugins.monitors.progress.screen import Screen
from routilux_plugins.monitors.progress.settings import ProgressSettings
from routilux_plugins.monitors.progress.tally import Row
from tests.plugins.monitors.shop import shop
from tests.plugins.monitors.terminal import Replay, record

PROGRAM = "tests.plugins.monitors.shown"
HEADING = "  routine                          done  running    waiting   errors       rate"
FRAME = screen.DONE.encode()


@pytest.fixture(scope="module")
def written():
    """All that the program has written to a terminal of 80 columns."""
    return record("-m", PROGRAM, "60", "1", "stderr")


# -- on a terminal -------------------------------------------------------------------------------------


def test_at_the_end_it_says_how_it_ended(written):
    replay = Replay(written)
    replay.stream.feed(written)
    head, heading, *rows, after = replay.lines()[-6:]
    assert re.fullmatch(r"orders  2 completed +\d\.\d s", head)
    assert heading == HEADING
    assert [re.sub(r" +", " ", row).strip().rpartition(" ")[0] for row in rows] == [
        "source 2 - - -",
        "fetch 114 - - 6",
        "store_what_was_fetched_in… 114 - - -",
    ]
    assert after == "the program goes on"


def test_whatever_a_program_writes_goes_above_and_stays():
    written = record("-m", "tests.plugins.monitors.chatty")
    replay, questions = Replay(written), 0
    for piece in written.split(FRAME):
        replay.stream.feed(piece + FRAME)
        questions += any(line.rstrip() == "a question?" for line in replay.lines())
    assert questions  # it was there while it waited for its answer
    lines = [line.rstrip() for line in replay.lines()]
    assert lines[:5] == [
        "LOG logged to where it was before",
        "one line",
        "and another",
        "in Bytes, grün",
        "a question? an answer",
    ]
    assert [bool(re.match("chats  1 completed", lines[5])), lines.count(HEADING)] == [True, 1]
    assert lines[-1] == "LOG logged afterwards"


def test_every_picture_is_readable_at_80_columns(written):
    """Whole lines, all as wide as the table, below headings that say what stands there."""
    pictures, replay = [], Replay(written)
    for piece in written.split(FRAME)[:-1]:
        replay.stream.feed(piece + FRAME)
        pictures.append(replay.lines())
    assert len(pictures) >= 3
    for lines in pictures:
        place = lines.index(HEADING)
        assert re.fullmatch(r"orders  2 (running|completed) +\d\.\d s", lines[place - 1])
        assert {len(line) for line in lines[place - 1 :]} == {len(HEADING)}
        assert [line.split()[0] for line in lines[place + 1 :]][:2] == ["source", "fetch"]


def flickers(written):
    """Tell which lines went blank at any byte, after something had been on them."""
    replay, filled, blank = Replay(written), set(), set()
    for _ in replay.steps():
        now = replay.filled()
        blank |= filled - now
        filled |= now
    return blank


def test_no_line_is_ever_blank_again(written):
    assert flickers(written) == set()


class Erasing(Screen):
    """Erases what was there before it paints, as many views do."""

    def paint(self, lines, above=()):
        self._write(f"\x1b[{len(self._lines)}A{screen.BELOW}" if self._lines else "")
        self._lines = []
        super().paint(lines, above)


@pytest.mark.parametrize(("kind", "blank"), [(Screen, set()), (Erasing, {0, 1})])
def test_a_screen_that_erases_before_it_paints_flickers(kind, blank):
    """The control of the test above."""
    stream = io.StringIO()
    painted = kind(stream)
    for number in range(3):
        painted.paint([f"one {number}", f"two {number}"])
    assert flickers(stream.getvalue().replace("\n", "\r\n").encode()) == blank


def test_it_does_not_scroll(written):
    replay = Replay(written)
    replay.stream.feed(written)
    assert replay.scrolled == 0
    assert sum(line.startswith("orders") for line in replay.lines()) == 1


def test_what_a_handler_prints_goes_above(written):
    replay = Replay(written)
    replay.stream.feed(written)
    lines = replay.lines()
    assert lines.count("a handler says hello") == 2
    assert lines.index("a handler says hello") < lines.index(HEADING)


def test_the_cursor_is_there_again_afterwards(written):
    assert written.count(screen.HIDE.encode()) == written.count(screen.SHOW.encode()) == 1
    assert written.rindex(screen.SHOW.encode()) > written.rindex(FRAME)


def test_more_routines_than_lines_fit_on_a_low_screen():
    """Without scrolling: those that are at it are shown, and how many others there are."""
    written = record("-m", PROGRAM, "30", "40", "stdout", rows=12)
    replay = Replay(written, rows=12)
    replay.stream.feed(written)
    assert any(re.fullmatch(r"  and \d+ more.*", line.rstrip()) for line in replay.lines())
    assert replay.scrolled <= 3  # the lines that the program has printed


def test_a_narrow_screen_is_used_as_it_is():
    written = record("-m", PROGRAM, "30", "1", "stderr", columns=50)
    replay = Replay(written, columns=50)
    replay.stream.feed(written)
    assert replay.scrolled == 0
    (head,) = [line for line in replay.lines() if line.startswith("orders")]
    assert len(head) == 49
    assert "  routine          done  running  waiting  errors" in replay.lines()


# -- elsewhere -----------------------------------------------------------------------------------------


def piped(stream):
    command = [sys.executable, "-m", PROGRAM, "30", "1", stream]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.mark.parametrize("stream", ["stderr", "stdout"])
def test_piped_it_prints_plain_lines(stream):
    out, err = piped(stream)
    lines = [line for line in (err if stream == "stderr" else out) if line.startswith("orders")]
    assert len(lines) >= 2
    assert re.fullmatch(
        r"orders: jobs 2 running; \d+ done, .*\d running.*, \d errors?, [\d.]+/s; 0\.\d s", lines[0]
    )
    assert re.fullmatch(r"orders: jobs 2 completed; 118 done, 2 errors; \d\.\d s", lines[-1])
    assert out[-1] == "the program goes on"
    assert "\x1b" not in "".join(out + err)


def run(flow, entry, params, **options):
    """Run a job with its progress going into a text, and return that text."""
    stream = io.StringIO()
    monitor = Progress(ProgressSettings(**options), stream)
    with JobManager(plugins=[sequential, pooled, monitor], discover=False) as manager:
        manager.execute(flow, entry, params)
        return stream.getvalue()


def test_a_brief_job_is_one_line():
    said = run(shop(), "order", {"items": [0, 1, 2]})
    assert re.fullmatch(r"shop: jobs 1 completed; 9 done, 2 errors; 0\.\d s\n", said)


def test_a_job_that_fails_says_so():
    assert "jobs 1 failed; " in run(shop(), "order", {"items": [3]})


def test_the_last_line_is_there_before_execute_returns():
    """The control: the stream is read before the manager ends."""
    assert run(shop(), "order", {"items": [0]}).endswith("s\n")


def test_a_job_that_is_resumed_counts_what_was_left():
    @routine
    def step(n):
        if n:
            get_execution_context().job.pause()

    @routine
    def steps():
        for n in range(3):
            yield {"n": n}

    flow, stream = Flow("stepping"), io.StringIO()
    flow.add_routine(steps(), "steps")
    flow.add_routine(step(), "step")
    flow.connect("steps.output", "step.trigger")
    monitor = Progress(None, stream)
    with JobManager(plugins=[sequential], discover=False) as manager:
        state = manager.execute(flow, "steps")
        assert state.status == "paused"
    with JobManager(plugins=[sequential, monitor], discover=False) as manager:
        while state.status == "paused":
            manager.resume_state(flow, state)
            assert manager.wait_for_all_jobs(20)
    assert stream.getvalue().splitlines()[-1].startswith("stepping: jobs 1 completed; ")
    assert "-1" not in stream.getvalue()


class Closed(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def test_a_stream_that_is_closed_harms_no_job(manager, caplog):
    monitor = Progress(None, Closed())
    assert manager.execute(shop(), "order", {"items": [0]}, monitors=[monitor]).status == "completed"
    assert caplog.records == []


def test_work_is_in_one_place_at_every_moment(manager):
    """By the facts alone the monitor knows what waits and what runs, as the job itself does."""
    monitor, seen = Progress(None, io.StringIO()), []

    def watch(job, fact):
        tally = monitor.jobs.get(job.job_id)
        if tally is not None and fact.number == job.data.number:
            running = sum(row.running for row in tally.rows.values())
            waiting = sum(row.waiting for row in tally.rows.values())
            seen.append((running, running + waiting) == (len(job.data.running), len(job.data.activations)))

    @routine(retry=ErrorHandler("retry", max_retries=2, retry_delay=0, is_critical=False))
    def flaky(n):
        if get_execution_context().attempt <= n % 3:
            raise OSError("not yet")

    @routine
    def give(count):
        for n in range(count):
            yield {"n": n}

    flow = Flow("flaky")
    flow.add_routine(give(), "give")
    flow.add_routine(flaky(), "flaky")
    flow.connect("give.output", "flaky.trigger")
    assert manager.execute(flow, "give", {"count": 20}, monitors=[monitor, watch]).status == "completed"
    assert len(seen) > 50
    assert all(seen)


@pytest.mark.parametrize("name", ["every", "lines_every"])
def test_wrong_options_are_refused(name):
    with pytest.raises(InvalidOption, match=f"{name} cannot be 0"):
        ProgressSettings(**{name: 0})


# -- the parts -----------------------------------------------------------------------------------------


def test_a_rate_is_that_of_the_last_seconds():
    rates, place = Rates(0.0), ("flow", "routine")
    assert rates.take(2.0, {place: 20})[place] == 10
    for second in range(3, 20):
        rates.take(float(second), {place: 20})
    assert rates.take(20.0, {place: 20})[place] == 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (61, "0:01:01"), (36_061, "10:01:01")]
)
def test_time_is_written_as_people_read_it(seconds, text):
    assert clock(seconds) == text


def test_a_line_says_all_that_there_is():
    row = Row()
    row.done, row.running, row.waiting, row.errors = 1200, 3, 40, 1
    picture = Picture("orders", "1 running", {"fetch": row}, {"fetch": 98.2})
    assert (
        picture.line(12.34)
        == "orders: jobs 1 running; 1,200 done, 3 running, 40 waiting, 1 error, 98/s; 12.3 s"
    )


def test_no_less_than_nothing_waits_where_facts_were_dropped(manager):
    progress, waiting = Progress(stream=io.StringIO()), []

    def lossy(job, fact):
        if fact.tag not in {"event_posted", "event_emitted"}:
            getattr(progress, f"on_{fact.tag}", lambda *_: None)(job, fact)
        waiting.extend(row.waiting for tally in progress.jobs.values() for row in tally.rows.values())

    shop().execute("order", {"items": [4, 5]}, monitors=[lossy])
    assert waiting
    assert min(waiting) == 0


def test_its_thread_ends_with_the_last_job():
    run(shop(), "order", {"items": [0]})
    assert not [thread for thread in threading.enumerate() if thread.name == "routilux-progress"]
