"""The two marks of the plugin system: `hookspec` for us, `hookimpl` for plugins."""

from __future__ import annotations

from pluggy import HookimplMarker, HookspecMarker

PROJECT = "routilux"
"""Also the name of the entry-point group."""

PLUGIN_API = "1.0"
"""The version of all that plugins may use.

A plugin may state the version that it needs as `routilux_api = "1.0"`. It is loaded by every version with the
same first number and a second number that is as high or higher.
"""

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)
