"""What the tests of worker processes run: routines that any process can import."""

import os
import signal
import sys
import time
from pathlib import Path

from routilux_core import Event, Routine, get_execution_context, routine, slot
from routilux_core.testing.executor_contract.meeting import Visit


class Fan(Routine):
    """Sends all its numbers at once."""

    output = Event("n")

    @slot
    def trigger(self, width):
        for n in range(width):
            self.emit("output", n=n)


@routine
def where(n=0):
    return {"n": n, "process": os.getpid()}


@routine
def tiny(n):
    return {"n": n}


@routine
def compute(n):
    until = time.process_time() + 0.03
    while time.process_time() < until:
        pass
    return {"n": n}


class Changing(Routine):
    """Is quick for the first numbers, and goes to a meeting with the others."""

    output = Event("n")

    def __init__(self, meeting, quick):
        super().__init__(meeting=meeting, quick=quick)

    @slot
    def trigger(self, n):
        if n >= self.get_config("quick"):
            with Visit(self.get_config("meeting"), str(n)) as visit:
                visit.stay()
        self.emit("output", n=n)


@routine
def items(meeting, count):
    for n in range(count):
        yield {"n": n, "process": os.getpid()}
        with Visit(meeting, str(os.getpid())) as visit:
            visit.stay()


@routine
def visit(meeting, n=0):
    with Visit(meeting, str(os.getpid())) as visit:
        visit.stay()
    return {"n": n, "process": os.getpid()}


@routine
def sleep_deeply(note):
    Path(note).write_text(f"{os.getpid()}\n", encoding="utf-8")
    time.sleep(60)


class Telling(Routine):
    """Sends an output between two visits."""

    @slot
    def trigger(self, address):
        for _ in range(2):
            with Visit(address, str(os.getpid())) as visit:
                visit.stay()
            self.send_output("between visits")


@routine(timeout=0.1)
def sleep_too_deeply(note):
    Path(note).write_text(f"{os.getpid()}\n", encoding="utf-8")
    time.sleep(60)


@routine(timeout=0.1)
def stop_when_told(note):
    Path(note).write_text(f"{os.getpid()}\n", encoding="utf-8")
    context = get_execution_context()
    while not context.cancelled:
        time.sleep(0.001)


@routine
def die(n, bad, note):
    if n == bad:
        with Path(note).open("a", encoding="utf-8") as file:
            file.write("x")
        os._exit(7)
    return {"n": n}


class Unreadable:
    """Can be written and not read."""

    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise LookupError("it cannot be read")


@routine
def take(value):
    return {"value": type(value).__name__}


@routine
def give(n, bad=150):
    return {"n": Unreadable() if n == bad else n}


@routine
def lock_up(n, bad=150):
    return {"n": sys.stdout if n == bad else n}


class Choosy(Routine):
    """Can be made at home only."""

    def __init__(self, home):
        super().__init__(home=home)
        if os.getpid() != home:
            raise PermissionError("not here")

    @slot
    def trigger(self):
        pass


@routine
def measure(value):
    return {"length": len(value), "value": value}


@routine
def interrupt(n=0):
    os.kill(os.getpid(), signal.SIGINT)
    return {"n": n}


@routine
def hurry_and_wait(meeting, quick):
    """Give some items in no time, and the last one after a meeting."""
    for n in range(quick):
        yield {"n": n}
    with Visit(meeting, str(os.getpid())) as visit:
        visit.stay()
    yield {"n": quick}


@routine
def pausing_numbers(count, at):
    for n in range(count):
        if n == at:
            context = get_execution_context()
            context.flow.pause(context.job_state, "enough")
        yield {"n": n}


@routine
def give_items(count, bad):
    for n in range(count):
        yield {"n": Unreadable() if n == bad else n}


class Speaking(Routine):
    """Sends an output, and is done."""

    def say(self, value):
        self.send_output("number", n=value)


class Speak(Speaking):
    @slot
    def trigger(self):
        self.say(Unreadable())


class SpeakAbroad(Speaking):
    @slot
    def trigger(self, home):
        self.say(OnlyAbroad(home))


class OnlyAbroad:
    """Is read everywhere but in one process."""

    def __init__(self, home):
        self.home = home

    def __reduce__(self):
        return made_abroad, (self.home,)


def made_abroad(home):
    if os.getpid() == home:
        raise LookupError("not at home")
    return OnlyAbroad(home)


class Silent(Routine):
    """Does not tell its configuration."""

    def config(self):
        raise PermissionError("that is a secret")

    @slot
    def trigger(self):
        """Do nothing."""


@routine
def uneven(n):
    """Be quick mostly, so that a worker gets many, then slow, so that it has to give some back."""
    if n % 10 == 0:
        time.sleep(0.05)
    if n % 3 == 0:
        raise ValueError(n)
