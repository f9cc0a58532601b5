"""Documents that somebody made to do harm, or that came to harm on their way."""

import json
from functools import cache
from typing import Any

from routilux_core import Flow, JobManager, JobState
from routilux_plugins.executors import sequential
from tests.reliability.freight import PARCELS, freight

FREIGHT = "tests.reliability.freight"
KINDS = {"flow": Flow, "job": JobState}


@cache
def healthy():
    """A flow, and a job of it that stands in the midst of everything, as texts."""
    flow = freight()
    with JobManager(plugins=[sequential], discover=False):
        state = flow.execute("depot", {"count": PARCELS})
        return {"flow": json.dumps(flow.serialize()), "job": json.dumps(state.serialize())}


# -- as text -----------------------------------------------------------------------------------------------

SCHEMA = '"schema": 1'
TEXTS = {
    "nothing at all": (lambda text: "", "column 1"),
    "its first half": (lambda text: text[: len(text) // 2], "it was cut off"),
    "all but its last letter": (lambda text: text[:-1], "it was cut off"),
    "something after its end": (lambda text: text + "{}", "Extra data"),
    "bytes that are no text": (lambda text: text.encode() + b"\xff\xfe", "UTF-8"),
    "another encoding": (lambda text: text.encode("utf-16"), "UTF-8"),
    "a list": (lambda text: f"[{text}]", "object"),
    "a number": (lambda text: "7", "object"),
    "not a number": (lambda text: text.replace(SCHEMA, '"schema": NaN'), "NaN"),
    "infinity": (lambda text: text.replace(SCHEMA, '"schema": -Infinity'), "Infinity"),
    "a number beyond floats": (lambda text: text.replace(SCHEMA, '"schema": 1e999'), "too large"),
    "a number of 5,000 digits": (lambda text: text.replace(SCHEMA, f'"schema": {"9" * 5000}'), "5000 digits"),
    "a key twice": (lambda text: text.replace(SCHEMA, '"schema": 1, "schema": 1'), "'schema' twice"),
    "half a surrogate pair": (lambda text: text.replace(SCHEMA, '"schema": 1, "x": "\\ud800"'), "surrogate"),
    "10,000 lists within each other": (lambda text: "[" * 10_000 + "]" * 10_000, "deep|nested"),
    "10,000 objects within each other": (lambda text: '{"a":' * 10_000 + "1" + "}" * 10_000, "deep|nested"),
    "50 MB of brackets": (lambda text: "[" * 50_000_000, "deep|nested"),
    "50 MB in one key": (lambda text: text.replace(SCHEMA, f'{SCHEMA}, "{"k" * 50_000_000}": 1'), "k"),
}  # fmt: skip


# -- as documents ------------------------------------------------------------------------------------------


def put(*steps: Any, value: Any):
    """Return what sets `value` at a place in a document."""

    def change(document):
        place = document
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = value

    return change


def payload(value):
    """Return what puts `value` into the payload of a pending activation."""
    return put("activations", 3, "data", "parcel", value=value)


def fact(number, name, value):
    return put("history", number, name, value=value)


def deep(levels):
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


def flows(levels):
    value: Any = {"flow_id": "inner", "routines": {}}
    for _ in range(levels):
        value = {"flow_id": "outer", "routines": {"a": {"flow": value}}}
    return {"flow": value}


ENVELOPES = {
    "a newer schema": (put("schema", value=2), "schema 2, and this version reads up to 1"),
    "schema 0": (put("schema", value=0), "from 1 on"),
    "schema true": (put("schema", value=True), "schema is True"),
    "schema in words": (put("schema", value="one"), "'one'"),
    "another kind": (put("kind", value="recipe"), "'recipe'"),
    "a key that is not known": (put("scheme", value=1), "scheme"),
}
JOBS = {
    "a tag that names a function": (payload({"$os.system": "true"}), "os.system"),
    "a tag that names a builtin": (payload({"$builtins.eval": "1"}), "builtins.eval"),
    "a tag that names a class of the library": (payload({"$subprocess.Popen": {"args": "true"}}), "Popen"),
    "a tag that names a class of ours": (payload({"$routilux_core.flow.Flow": {}}), r"core\.flow\.Flow"),
    "a tag that is no name": (payload({"$": {}}), "tag"),
    "a time that is none": (payload({"$datetime": "yesterday"}), "datetime"),
    "a zone that is a path": (payload({"$datetime": ["2024-01-01T00:00:00", "../passwd"]}), "datetime"),
    "a number that is none": (payload({"$decimal": "much"}), "decimal"),
    "bytes that are none": (payload({"$bytes": "%%%"}), "bytes"),
    "a set of lists": (payload({"$set": [[1]]}), "set"),
    "a member that an enum has not": (payload({f"${FREIGHT}.Size": "HUGE"}), "Size"),
    "an object without its fields": (payload({f"${FREIGHT}.Parcel": {"number": 1}}), "Parcel"),
    "an object with other fields": (
        payload({f"${FREIGHT}.Parcel": {"__class__": "os.system"}}), "__class__"),
    "a payload 250 levels deep": (payload(deep(250)), "levels"),
    "an unknown kind of fact": (fact(2, "fact", "job_exploded"), "job_exploded"),
    "a fact with a field of another": (fact(2, "command", "true"), "command"),
    "a gap in the history": (fact(2, "number", 99), "99"),
    "a history that goes back": (fact(2, "at", 1.0), "1.0"),
    "a time that is text": (fact(2, "at", "now"), "history.2..at .* a number belongs there"),
    "a status that there is not": (put("job", "status", value="eaten"), "eaten"),
    "a completed job with work to do": (put("job", "status", value="completed"), "completed"),
    "a task beyond the table": (put("job", "pending_tasks", value=[10**6]), "1000000"),
    "a task from the end of the table": (put("job", "pending_tasks", value=[-1]), "-1"),
    "a task twice": (put("job", "pending_tasks", value=[0, 0]), "twice|pending_tasks"),
    "a task with a negative attempt": (put("activations", 3, "attempt", value=-1), "attempt"),
    "a lineage that is none": (put("activations", 3, "lineage", value="g" * 16), "lineage"),
    "a job id that is a path": (put("job", "job_id", value="../../etc/passwd"), "etc/passwd"),
    "a job id that is a statement": (put("job", "job_id", value="1'; DROP TABLE jobs"), "DROP TABLE"),
    "an activation without a slot": (lambda document: document["activations"][3].pop("slot"), "slot"),
    "a list for an object": (put("job", "shared_data", value=[]), "shared_data"),
    "an object for a list": (put("job", "shared_log", value={}), "shared_log"),
    "a job that is missing": (lambda document: document.pop("job"), "job"),
}  # fmt: skip


def routine(value):
    return put("routines", "clerk", value=value)


def handler(**fields):
    return put("error_handler", value={"strategy": "retry", **fields})


FLOWS = {
    "a class that is a function": (routine({"class": "os.system"}), "os.system"),
    "a class of the library": (routine({"class": "subprocess.Popen", "config": {"args": "true"}}), "Popen"),
    "a class that is no routine": (routine({"class": f"{FREIGHT}.Parcel"}), "Parcel"),
    "a class in a module that is not loaded": (routine({"class": "antigravity.Fly"}), "antigravity"),
    "a class that is no text": (routine({"class": ["os", "system"]}), "class"),
    "a package with orders for a shell": (routine({"class": "no.Such", "package": "x; rm -rf ~"}), "no.Such"),
    "a configuration that is a list": (routine({"class": f"{FREIGHT}.Clerk", "config": []}), "config"),
    "a routine id that is a path": (put("routines", "../b", value={"class": f"{FREIGHT}.Clerk"}), "../b"),
    "a routine that is itself": (routine({"same_as": "clerk"}), "clerk"),
    "90 flows within each other": (routine(flows(90)), "within each other"),
    "a connection from nowhere": (put("connections", 0, "source", value="nowhere.output"), "nowhere"),
    "a connection to no slot": (put("connections", 0, "target", value="courier.side"), "side"),
    "two fields onto one": (put("connections", 0, "param_mapping", value={"a": "b", "c": "b"}), "b"),
    "no workers": (put("max_workers", value=0), "max_workers"),
    "time that has passed already": (put("execution_timeout", value=-1), "execution_timeout"),
    "a flow id that is a path": (put("flow_id", value="/etc/passwd"), "etc/passwd"),
    "a strategy that there is not": (handler(strategy="panic"), "panic"),
    "an exception that is a function": (handler(retryable_exceptions=["os.system"]), "os.system"),
    "a delay without end": (handler(retry_delay="1" * 10), "retry_delay"),
}  # fmt: skip


def texts():
    """Give for each hostile document its kind, its name, its text and what the error has to say."""
    for kind in KINDS:
        for name, (change, said) in TEXTS.items():
            if kind == "job" or "50 MB" not in name:
                yield kind, name, change(healthy()[kind]), said
        for name, (change, said) in (ENVELOPES | (FLOWS if kind == "flow" else JOBS)).items():
            document = json.loads(healthy()[kind])
            change(document)
            yield kind, name, json.dumps(document), said
