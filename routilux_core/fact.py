"""Fact: something that happened to a job."""

from __future__ import annotations

from re import sub
from typing import ClassVar

from attrs import define, fields


@define(eq=False, repr=False)
class Fact:
    """Something that happened to a job."""

    tag: ClassVar[str]
    """Its name where it is stored or listened for, as in `on_job_started`."""

    number: int
    """Counts up within the job, without gaps."""
    at: float
    """Seconds since the epoch; never less than the fact before."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(type(self)))
        return f"{type(self).__name__}({shown})"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "tag" not in vars(cls):
            cls.tag = sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
