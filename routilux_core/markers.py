"""The two marks of the plugin system: `hookspec` for us, `hookimpl` for plugins."""

from __future__ import annotations

from pluggy import HookimplMarker, HookspecMarker

PROJECT = "routilux"
"""Also the name of the entry-point group."""

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)
