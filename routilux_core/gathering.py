"""Gathering: what a slot gathered, read from a long history as far as somebody looks, and once for all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Gathering(Sequence[Any]):
    """The values of one field in the order they came. Views of it know how many of them they are to show."""

    def __init__(self, read: Callable[[], Iterator[Any]]) -> None:
        self._read = read
        self._source = read()
        self._lock = threading.Lock()
        """Held by whoever reads on."""
        self._values: list[Any] = []

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, int) and index >= len(self._values):
            with self._lock:
                while index >= len(self._values):
                    try:
                        self._values.append(next(self._source))
                    except StopIteration:
                        break
                    except BaseException:  # it may be asked again, and goes on from here
                        self._source = islice(self._read(), len(self._values), None)
                        raise
        return self._values[index]
