"""Hostile documents are refused by name, and nothing that a document names is imported, run or unpickled.

`TEST_LOADS=10000 pytest tests/reliability/test_hostile_documents.py` loads more of them.
"""

import json
import os
import subprocess
import sys

import pytest

from routilux_core import InvalidDocument, UnknownClass
from tests.reliability.audited import DANGEROUS, write
from tests.reliability.hostile import KINDS, TEXTS, healthy, texts

LOADS = int(os.environ.get("TEST_LOADS", "600"))
REFUSALS = (InvalidDocument, UnknownClass)
CASES = {f"{kind}: {name}": (kind, text, said) for kind, name, text, said in texts()}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_healthy_is_loaded(kind, manager, tmp_path):
    write(tmp_path / "document.json", healthy()[kind])

    assert KINDS[kind].load(tmp_path / "document.json").serialize() == json.loads(healthy()[kind])


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_document_is_refused_by_name(case, manager, tmp_path):
    kind, text, said = CASES[case]
    write(tmp_path / "document.json", text)

    with pytest.raises(REFUSALS, match=said) as caught:
        KINDS[kind].load(tmp_path / "document.json")

    assert "document.json" in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("case", [case for case in CASES if case.partition(": ")[2] not in TEXTS])
def test_what_refuses_stays_as_it_was(case, manager):
    kind, text, _ = CASES[case]
    fresh = KINDS[kind]()
    before = fresh.serialize()

    with pytest.raises(REFUSALS):
        fresh.deserialize(json.loads(text))

    assert fresh.serialize() == before


def test_there_are_enough_of_them():
    assert len(CASES) >= 30


def watched(*arguments):
    command = [sys.executable, "-m", "tests.reliability.audited", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_loading_imports_runs_and_unpickles_nothing():
    report = watched(LOADS, 7)

    assert DANGEROUS & set(report["seen"]) == set()
    assert report["seen"]["open"] >= LOADS, "the watch sees that files are read"
    assert report["refused"] > LOADS / 2
    assert report["loaded"] > LOADS / 20


def test_the_watch_sees_a_codec_that_unpickles():
    """The control: a converter that was taught to unpickle is caught."""
    report = watched(10, 7, "evil")

    assert report["seen"]["pickle.find_class"] == 10
