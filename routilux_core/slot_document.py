"""What slots keep, in documents: merged payloads, payloads that wait, calls at the end."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any

from routilux_core.activation_document import SENT, read_payload, write_payload
from routilux_core.document_errors import InvalidDocument
from routilux_core.document_part import KEY, TEXT, Part, entries, items, once
from routilux_core.job_data import Group, Held, Target
from routilux_core.layout import Layout, layout
from routilux_core.views import ListView

if TYPE_CHECKING:
    from collections.abc import Hashable

    from routilux_core.activation_document import Reader, Writer


def _write_target(target: Target, writer: Writer, path: str) -> dict[str, Any]:
    routine_id, slot = target
    return {"routine_id": TEXT.write(routine_id, writer, path), "slot": TEXT.write(slot, writer, path)}


def _read_target(entry: dict[str, Any], reader: Reader, path: str) -> Target:
    routine_id = TEXT.read(entry["routine_id"], reader, f"{path}.routine_id")
    return routine_id, TEXT.read(entry["slot"], reader, f"{path}.slot")


def _write_merged(values: dict[Target, dict[str, Any]], writer: Writer, path: str) -> list[Any]:
    plain = []
    for target, payload in values.items():
        place = f"{path}[{target}]"
        entry = _write_target(target, writer, place)
        # A slot's lists only grow, so that what is seen of them now will not change.
        seen = {
            name: ListView(value, len(value)) if type(value) is list else value
            for name, value in payload.items()
        }
        write_payload(seen, entry, writer, place)
        plain.append(entry)
    return plain


def _read_merged(plain: Any, reader: Reader, path: str) -> dict[Target, dict[str, Any]]:
    found: dict[Target, dict[str, Any]] = {}
    for entry, place in entries(plain, path, "routine_id", "slot", optional=("data", "gathered")):
        target = once(found, _read_target(entry, reader, place), place)
        found[target] = {
            name: reader.growing(value) if type(value) is ListView else value
            for name, value in read_payload(entry, reader, place).items()
        }
    return found


@cache
def _held_layout() -> Layout:
    return layout(Held, {"payload": SENT})


def _write_held(values: dict[Target, dict[Hashable, Group]], writer: Writer, path: str) -> list[Any]:
    plain = []
    for target, groups in values.items():
        for key, group in groups.items():
            place = f"{path}[{target}]"
            lanes = [
                {
                    "lane": KEY.write(name, writer, f"{place}.lane"),
                    "payloads": [_held_layout().write(held, writer, place) for held in lane],
                }
                for name, lane in group.items()
            ]
            entry = _write_target(target, writer, place)
            plain.append({**entry, "key": KEY.write(key, writer, f"{place}.key"), "lanes": lanes})
    return plain


def _read_held(plain: Any, reader: Reader, path: str) -> dict[Target, dict[Hashable, Group]]:
    found: dict[Target, dict[Hashable, Group]] = {}
    for entry, place in entries(plain, path, "routine_id", "slot", "key", "lanes"):
        groups = found.setdefault(_read_target(entry, reader, place), {})
        key = once(groups, KEY.read(entry["key"], reader, f"{place}.key"), place)
        groups[key] = _read_group(entry["lanes"], reader, f"{place}.lanes")
    return found


def _read_group(plain: Any, reader: Reader, path: str) -> Group:
    group: Group = {}
    for entry, place in entries(_some(plain, path), path, "lane", "payloads"):
        lane = once(group, KEY.read(entry["lane"], reader, f"{place}.lane"), place)
        payloads = _some(entry["payloads"], f"{place}.payloads")
        group[lane] = deque(
            Held(**_held_layout().read(held, reader, f"{place}.payloads[{index}]"))
            for index, held in enumerate(payloads)
        )
    return group


def _some(plain: Any, path: str) -> list[Any]:
    if not items(plain, path):
        raise InvalidDocument(path, "it is empty; leave out what nothing waits in")
    return items(plain, path)


def _write_ended(values: dict[Target, bool], writer: Writer, path: str) -> list[Any]:
    return [_write_target(target, writer, path) for target in values]


def _read_ended(plain: Any, reader: Reader, path: str) -> dict[Target, bool]:
    return {
        _read_target(entry, reader, place): True
        for entry, place in entries(plain, path, "routine_id", "slot")
    }


MERGED = Part(_write_merged, _read_merged)
HELD = Part(_write_held, _read_held)
ENDED = Part(_write_ended, _read_ended)
