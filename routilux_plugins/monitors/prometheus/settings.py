"""Options of the monitor `prometheus`."""

from __future__ import annotations

from itertools import pairwise

from attrs import field, frozen

from routilux_core import InvalidOption

BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0)


def _port(_settings: object, attribute: object, value: int | None) -> None:
    if value is not None and not 0 <= value <= 65535:  # noqa: PLR2004 - the highest port that there is
        raise InvalidOption(getattr(attribute, "name", ""), value, "a port from 0 to 65535, or None")


def _growing(_settings: object, attribute: object, value: tuple[float, ...]) -> None:
    if not value or any(one >= other for one, other in pairwise(value)):
        raise InvalidOption(getattr(attribute, "name", ""), value, "seconds, each more than the one before")


@frozen(kw_only=True)
class PrometheusSettings:
    """Options of the monitor `prometheus`."""

    port: int | None = field(default=None, validator=_port)
    """Where the metrics are served over HTTP; 0 takes a free port, and without one they are not served."""
    address: str = "127.0.0.1"
    """The address to serve them on; `0.0.0.0` lets other hosts read them."""
    shared: bool = False
    """Whether the metrics are in the registry that prometheus_client has for the process, beside others."""
    buckets: tuple[float, ...] = field(default=BUCKETS, validator=_growing)
    """The bounds of the histograms, in seconds."""
