"""The documents of flows, one file for each version."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from routilux_core import DamagedStore
from routilux_plugins.stores.files.record import file_name
from routilux_plugins.stores.files.sheet import read_sheet, write_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from routilux_plugins.stores.files.transaction import Transaction

FLOW = ".flow"


def save_flow(transaction: Transaction, flow_id: str, fingerprint: str, document: bytes) -> None:
    """Keep a document; one that is there already gets a new time."""
    path = _path(transaction, flow_id, fingerprint)
    present = None
    with suppress(DamagedStore):  # it is written anew
        present = load_flow(transaction, flow_id, fingerprint)
    if present == document:
        os.utime(path)
    else:
        write_sheet(path, {"flow": [flow_id, fingerprint]}, document)


def load_flow(transaction: Transaction, flow_id: str, fingerprint: str) -> bytes | None:
    """Return a document that is there."""
    path = _path(transaction, flow_id, fingerprint)
    return read_sheet(transaction.folder.name, path).content if path.exists() else None


def prune_flows(transaction: Transaction, saved_before: float) -> None:
    """Forget documents that no job refers to, and what killed processes have left."""
    heads = (record.head for record in transaction.index.records.values())
    used = {_path(transaction, *key).name for key in {(head.flow_id, head.fingerprint) for head in heads}}
    for path in transaction.folder.flows.iterdir():
        if path.name not in used and path.stat().st_mtime < saved_before:
            with suppress(FileNotFoundError):
                path.unlink()


def _path(transaction: Transaction, flow_id: str, fingerprint: str) -> Path:
    return transaction.folder.flows / (file_name(flow_id, fingerprint) + FLOW)
