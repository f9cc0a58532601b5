"""Facts as plain data: one by one, for a journal, or as the history in a job's document."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from routilux_core import facts
from routilux_core.activation_document import KINDS, SENT, VERSION
from routilux_core.apply import APPLY
from routilux_core.document_errors import NotSerializable, UnknownTag, shorten
from routilux_core.document_part import COUNT, KEY, TEXT, VALUE, Part, items, refuse
from routilux_core.errors import choices
from routilux_core.job_data_document import ID, LEGACY_PART, WHOLE_PART
from routilux_core.layout import Layout, layout

if TYPE_CHECKING:
    from routilux_core.activation_document import Reader, Writer
    from routilux_core.fact import Fact

TAGS: dict[str, type[Fact]] = {kind.tag: kind for kind in APPLY}


def _write_took(took: tuple[tuple[Any, int], ...], writer: Writer, path: str) -> list[Any]:
    return [[KEY.write(lane, writer, path), count] for lane, count in took]


def _read_took(plain: Any, reader: Reader, path: str) -> tuple[tuple[Any, int], ...]:
    took = []
    for index, pair in enumerate(items(plain, path)):
        place = f"{path}[{index}]"
        if type(pair) is not list or len(pair) != 2:  # noqa: PLR2004 - a lane and a count
            raise refuse(place, pair, "a lane with a count")
        took.append((KEY.read(pair[0], reader, f"{place}[0]"), COUNT.read(pair[1], reader, f"{place}[1]")))
    return tuple(took)


TOOK = Part(_write_took, _read_took)
JOB = {"job_id": ID, "flow_id": ID, "root": ID, "fingerprint": VERSION}
SPECIAL: dict[type[Fact], dict[str, Part]] = {
    facts.JobStarted: JOB,
    facts.JobSubmitted: JOB,
    facts.JobForked: {**JOB, "legacy": LEGACY_PART},
    facts.JobMoved: {"whole": WHOLE_PART},
    facts.JobResumed: {"fingerprint": VERSION},
    facts.EventPosted: {"data": SENT},
    facts.EventEmitted: {"data": SENT},
    facts.DeferredEventAdded: {"data": SENT},
    facts.PayloadMerged: {"payload": SENT},
    facts.PayloadHeld: {"key": KEY, "lane": KEY, "payload": SENT},
    facts.PayloadsReleased: {"key": KEY, "took": TOOK},
    facts.PayloadsUnmatched: {"key": KEY, "took": TOOK},
    facts.StatSet: {"key": VALUE},
    facts.StatIncremented: {"key": VALUE, "by": VALUE},
    facts.OutputSent: {"output_type": VALUE},
}
"""The fields whose name and annotation do not tell what users may have put there."""


WHEN = ("number", "at")


@cache
def _layout(tag: str, without: tuple[str, ...] = ()) -> Layout:
    kind = TAGS[tag]
    made = layout(kind, SPECIAL.get(kind, {}), by_type=KINDS, without=without)
    # Activations first: a payload that is the same as that of one of them is then written once.
    parts = sorted(made.parts, key=lambda part: part[0] not in {"activations", "follows"})
    return Layout(kind, tuple(parts))


def encode_fact(fact: Fact, writer: Writer, path: str) -> dict[str, Any]:
    """Return a fact as plain data: its tag, and its fields but those that have their default."""
    return {"fact": _tag(fact, path), **_layout(fact.tag).write(fact, writer, path)}


def encode_happening(fact: Fact, writer: Writer, path: str) -> dict[str, Any]:
    """Return a fact as plain data without its number and time, which it may not have yet."""
    return {"fact": _tag(fact, path), **_layout(fact.tag, WHEN).write(fact, writer, path)}


def decode_fact(plain: Any, reader: Reader, path: str) -> Fact:
    """Return the fact that `encode_fact` was given."""
    kind = _kind(plain, reader, path)
    fact: Fact = kind(**_layout(kind.tag).read(plain, reader, path, "fact"))
    return fact


def decode_happening(plain: Any, number: int, at: float, reader: Reader, path: str) -> Fact:
    """Return the fact that `encode_happening` was given, of that number and time."""
    kind = _kind(plain, reader, path)
    fact: Fact = kind(number=number, at=at, **_layout(kind.tag, WHEN).read(plain, reader, path, "fact"))
    return fact


def _tag(fact: Fact, path: str) -> str:
    if TAGS.get(fact.tag) is not type(fact):
        raise NotSerializable(path, type(fact).__name__, "only the facts of the core can be kept")
    return fact.tag


def _kind(plain: Any, reader: Reader, path: str) -> type[Fact]:
    if type(plain) is not dict:
        raise refuse(path, plain, "a fact")
    tag = TEXT.read(plain.get("fact"), reader, f"{path}.fact")
    kind = TAGS.get(tag)
    if kind is None:
        raise UnknownTag(path, f"{shorten(tag)} is no fact; they are: {choices(tuple(TAGS))}", shorten(tag))
    return kind
