"""What pyproject.toml cannot say: a wheel carries the lessons and the stored rows, which lie outside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithLessons(build_py):
    """`crn_lib/carried/`, where `crn_lib.paths` looks for them."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for folder in ("notebooks", "figures/data"):
                carried = Path(self.build_lib, "crn_lib", "carried", folder)
                shutil.rmtree(carried, ignore_errors=True)
                shutil.copytree(folder, carried, ignore=shutil.ignore_patterns(".*"))


setup(cmdclass={"build_py": WithLessons})
