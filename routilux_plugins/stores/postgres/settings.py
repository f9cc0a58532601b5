"""The options of the store `postgresql`."""

from __future__ import annotations

import re
from typing import Any, Literal

from attrs import field, frozen

from routilux_core import InvalidOption


def _name(_settings: object, attribute: Any, value: str) -> None:
    if not re.fullmatch("[a-z_][a-z0-9_]{0,62}", value) or value.startswith("pg_"):
        raise InvalidOption(
            attribute.name, value, "1 to 63 of a-z 0-9 _, with no digit and no pg_ at the start"
        )


def _count(_settings: object, attribute: Any, value: int) -> None:
    if value < 1:
        raise InvalidOption(attribute.name, value, "a number from 1 up")


def _seconds(_settings: object, attribute: Any, value: float) -> None:
    if not 0 < value < float("inf"):
        raise InvalidOption(attribute.name, value, "seconds, more than 0")


@frozen(kw_only=True, eq=False, repr=False)
class PostgresSettings:
    """Options of the store `postgresql`."""

    schema: str = field(default="routilux", validator=_name)
    """The schema of the database in which the tables are."""
    connections: int = field(default=10, validator=_count)
    """How many connections this process has at most."""
    timeout: float = field(default=5.0, validator=_seconds)
    """Seconds to wait for the server, before the store counts as unavailable."""
    sslmode: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = ""
    """Whether the connection is encrypted and the server is checked; empty for the default of PostgreSQL."""
    sslrootcert: str = ""
    """The file with the certificates that the server is checked by."""
