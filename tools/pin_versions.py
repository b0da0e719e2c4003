"""Write the exact version of every package: ``uv run python tools/pin_versions.py``.

The ranges in pyproject.toml are the source. uv chooses versions that work on all Pythons and systems of the kit. They
are written to constraints.txt, which pip reads, and to ``[tool.uv] constraint-dependencies`` in pyproject.toml, which
uv reads. Versions that are pinned already stay, unless ``--upgrade`` asks for the newest. Then run ``uv sync`` and the
tests.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

KIT = Path(__file__).resolve().parent.parent
HEADER = "# The versions that the tests passed with. Made from pyproject.toml by: uv run python tools/pin_versions.py\n"
BLOCK = re.compile(r"^constraint-dependencies = \[\n(?:    .*\n)*\]\n", re.MULTILINE)


def main() -> None:
    """Choose the versions and write them to both files."""
    parser = argparse.ArgumentParser(description="Write the exact version of every package that the kit needs.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = parser.parse_args().upgrade
    project, constraints = KIT / "pyproject.toml", KIT / "constraints.txt"
    text = project.read_text("utf-8")
    old = constraints.read_text("utf-8") if constraints.exists() else ""
    pins = compile_pins(BLOCK.sub("constraint-dependencies = []\n", text), "" if upgrade else old)
    constraints.write_text(HEADER + "".join(f"{pin}\n" for pin in pins), "utf-8")
    block = "constraint-dependencies = [\n" + "".join(f'    "{pin}",\n' for pin in pins) + "]\n"
    project.write_text(BLOCK.sub(lambda _: block, text), "utf-8")
    print(f"{len(pins)} versions written to constraints.txt and pyproject.toml.")


def compile_pins(project: str, old: str) -> list[str]:
    """Return one requirement per package, such as ``"numpy==2.4.6"``, some with a marker.

    Parameters
    ----------
    project : str
        The text of a pyproject.toml without pins.
    old : str
        The text of a constraints.txt whose versions stay where they fit.
    """
    # uv also reads the pyproject.toml of the current folder: work in another one.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(project, "utf-8")
        Path(folder, "constraints.txt").write_text(old, "utf-8")
        command = (
            "uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --fork-strategy fewest "
            "--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file constraints.txt"
        )
        subprocess.run(command.split(), cwd=folder, check=True)
        # uv writes "numpy==2.4.6 ; marker"; without the space there is one spelling for both files.
        lines = Path(folder, "constraints.txt").read_text("utf-8").splitlines()
        return [re.sub(r"\s+;", ";", line) for line in lines if line and not line.startswith("#")]


if __name__ == "__main__":
    main()
