"""Environment: a clean virtual environment with the core installed from its wheel."""

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path
from shutil import copyfile
from typing import Any

FOUNDATIONS = ("attrs", "cattrs", "pluggy", "typing_extensions")
LIMIT = 50


class Environment:
    """A virtual environment in a folder."""

    def __init__(self, folder: Path, *wheels: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / scripts / Path(sys.executable).name
        self.packages = Path(self.run("import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        for name in FOUNDATIONS:
            self._copy(name)
        self.install(*wheels)

    def _copy(self, name: str) -> None:
        """Take a package over from the environment of the tests; the index is not asked for it."""
        for file in distribution(name).files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = self.packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                copyfile(file.locate(), target)

    def install(self, *wheels: Path) -> None:
        """Install wheels, without what they require."""
        self._pip("install", "--no-deps", "--no-index", *map(str, wheels))

    def remove(self, *names: str) -> None:
        """Remove packages."""
        self._pip("uninstall", "--yes", *names)

    def _pip(self, *arguments: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check", "-q"]
        done = subprocess.run([*pip, *arguments], capture_output=True, text=True, timeout=LIMIT, check=False)
        assert done.returncode == 0, done.stderr

    def run(self, code: str, *arguments: str, folder: Path | None = None, **variables: str) -> str:
        """Run a program in a fresh process, in a folder of its own choice, and return what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [str(self.python), "-c", code, *arguments],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            cwd=folder or self.python.parent,
            env={**kept, "PYTHONSAFEPATH": "1", **variables},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tell(self, code: str, *arguments: str, folder: Path | None = None, **variables: str) -> Any:
        """Run a program that prints JSON, and return what it says."""
        return json.loads(self.run(code, *arguments, folder=folder, **variables))
