"""The main module of the home process, as worker processes have it.

It is imported when something refers to it, under another name than `__main__`: what stands under
`if __name__ == "__main__":` does not run there.
"""

from __future__ import annotations

import os
import runpy
import sys
from types import ModuleType
from typing import Any

from routilux_core import CannotTravel, RoutiluxError

NAME = "__mp_main__"
"""What the main module is called in a worker; the name that multiprocessing gives it too."""
ADVICE = 'put what starts jobs under `if __name__ == "__main__":`'


class _Importing:
    """Whether this process is a worker that imports the main module at the moment."""

    now = False


def location() -> dict[str, str]:
    """Return where this process has its main module from; nothing where it was typed in."""
    main = sys.modules["__main__"]
    sys.modules.setdefault(NAME, main)  # what workers send back refers to it
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return {"name": spec.name}
    path = getattr(main, "__file__", None)
    return {"path": os.path.abspath(path)} if path else {}  # noqa: PTH100 - as the script was found


def refuse_at_import() -> None:
    """Refuse to run jobs while the main module is imported by a worker."""
    if _Importing.now:
        reason = "the script starts a job when it is imported, and worker processes import it"
        raise CannotTravel("what the script defines", reason, ADVICE)


def import_main(place: dict[str, str]) -> None:
    """Import the main module of the home process; `CannotTravel` if that fails."""
    if not place or NAME in sys.modules:
        return
    _Importing.now = True
    try:
        content: dict[str, Any]
        if "name" in place:
            content = runpy.run_module(place["name"], run_name=NAME, alter_sys=True)
        else:
            content = runpy.run_path(place["path"], run_name=NAME)
    except RoutiluxError:
        raise
    except BaseException as error:
        reason = f"importing the script in a worker process raised {type(error).__name__}: {error}"
        raise CannotTravel("what the script defines", reason, ADVICE) from error
    finally:
        _Importing.now = False
    module = ModuleType(NAME)
    vars(module).update(content)
    sys.modules["__main__"] = sys.modules[NAME] = module
