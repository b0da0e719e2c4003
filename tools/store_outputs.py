"""Run notebooks and store their outputs: uv run python tools/store_outputs.py [NOTEBOOK ...].

Without a name it runs all notebooks of the kit. The stored outputs are what a reader on a code host sees, and the tests
compare with them. Widgets are not stored: they work only while their kernel runs.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"


def store_outputs(path: Path) -> None:
    """Run one notebook in a fresh kernel and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, path)


def main() -> None:
    """Store the outputs of the notebooks named on the command line, or of all."""
    paths = [Path(name).resolve() for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in paths:
        print(path.name, flush=True)
        # A new home folder for each notebook: the reader's networks and drawings stay as they are, and no notebook
        # sees the files of another.
        with tempfile.TemporaryDirectory() as home:
            os.environ["DIGITLAB_HOME"] = home
            store_outputs(path)


if __name__ == "__main__":
    main()
