"""Read-only faces of the containers that a job owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

Item = TypeVar("Item")


class ListView(Sequence[Item], Generic[Item]):
    """A list that cannot be changed from here, equal to the plain list.

    `length` freezes it at a prefix; without one it follows the list.
    """

    __slots__ = ("_items", "_length", "_show")

    def __init__(
        self,
        items: Sequence[Any],
        length: int | None = None,
        show: Callable[[Any], Item] | None = None,
    ) -> None:
        self._items = items
        self._length = length
        self._show = show

    def __len__(self) -> int:
        return len(self._items) if self._length is None else self._length

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"index {index} is outside 0 to {length - 1}")
        item = self._items[index % length]
        return item if self._show is None else self._show(item)

    def __iter__(self) -> Iterator[Item]:
        show = self._show
        for index, item in enumerate(self._items):
            if self._length is not None and index >= self._length:
                return
            yield item if show is None else show(item)

    @property
    def source(self) -> list[Item] | None:
        """The list that it shows the beginning of; None where it shows something else."""
        items = self._items
        return items if self._show is None and type(items) is list else None

    def copy(self) -> list[Item]:
        """Return a plain list of what is seen here."""
        items = self._items
        if self._show is not None or type(items) is not list:
            return list(self)
        return items[: self._length]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (list, ListView)):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as with lists, equality comes from what is in it

    def __repr__(self) -> str:
        return repr(list(self))
