"""`python -m tests.reliability.audited COUNT SEED [evil]`: load documents while an audit hook watches."""

import json
import pickle
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from routilux_core import InvalidDocument, JobManager, UnknownClass
from routilux_plugins.executors import sequential
from tests.reliability.hostile import KINDS, healthy, payload, texts

DANGEROUS = {
    "import", "exec", "compile", "pickle.find_class", "marshal.loads", "marshal.load", "os.system", "os.exec",
    "os.posix_spawn", "os.fork", "subprocess.Popen", "code.__new__", "function.__new__", "ctypes.dlopen",
}  # fmt: skip


BOMB = b"cbuiltins\nlen\n(]tR."
"""A pickle that calls a function."""


def unpickle(_: object) -> object:
    return pickle.loads(BOMB)  # noqa: S301 - the bug that is planted


class Evil:
    """A value whose codec unpickles, to see that the watch works."""


def spoiled(text: str, dice: Random) -> str:
    """Return the text with a few letters of it changed, or a part of it elsewhere."""
    letters = list(text)
    for _ in range(dice.randint(1, 3)):
        place = dice.randrange(len(letters))
        letters[place] = dice.choice('{}[]",:0719$-e.\\uadtrue')
    if dice.random() < 0.3:
        start = dice.randrange(len(letters))
        letters.insert(dice.randrange(len(letters)), "".join(letters[start : start + dice.randint(1, 40)]))
    return "".join(letters)


def load(kind: str, path: Path) -> bool:
    try:
        KINDS[kind].load(path)
    except (InvalidDocument, UnknownClass):
        return False
    return True


def watched(count: int, seed: int, *, evil: bool) -> dict[str, Any]:
    """Load so many documents, and count what an audit hook sees meanwhile."""
    dice, seen, watching = Random(seed), Counter(), [False]  # noqa: S311 - a seed repeats it
    path = Path(tempfile.mkdtemp()) / "document.json"
    samples = [(kind, text) for kind, _, text, _ in texts() if 0 < len(text) < 10**6]
    samples += [(kind, healthy()[kind]) for kind in KINDS for _ in range(20)]
    with JobManager(plugins=[sequential], discover=False) as manager:
        if evil:
            manager.converter.teach(Evil, "evil", encode=pickle.dumps, decode=unpickle)
            document = json.loads(healthy()["job"])
            payload({"$evil": 1})(document)
            samples = [("job", json.dumps(document))]
        for kind, text in samples if not evil else ():
            write(path, text)
            load(kind, path)
        sys.addaudithook(lambda event, _: seen.update([event]) if watching[0] else None)
        loaded = 0
        for _ in range(count):
            kind, text = dice.choice(samples)
            if isinstance(text, str) and dice.random() < 0.5 and not evil:
                text = spoiled(text, dice)
            write(path, text)
            watching[0] = True
            try:
                loaded += load(kind, path)
            finally:
                watching[0] = False
    return {"loaded": loaded, "refused": count - loaded, "seen": dict(seen)}


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))


if __name__ == "__main__":
    json.dump(watched(int(sys.argv[1]), int(sys.argv[2]), evil="evil" in sys.argv), sys.stdout)
