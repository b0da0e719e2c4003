"""Run the notebooks anew and store their outputs: uv run python tests/store_outputs.py [NOTEBOOK ...].

What is stored is what a reader on a code host sees, and what the tests compare with. Widgets live only as long as
their kernel, so they are left out of what is stored.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"


def store_outputs(path):
    """Execute one notebook from a fresh kernel and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": path.parent}}).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    paths = [Path(name).resolve() for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in paths:
        print(path.name, flush=True)
        # With a home of its own: the reader's networks and drawings stay as they are, and no notebook sees another's.
        with tempfile.TemporaryDirectory() as home:
            os.environ["DIGITLAB_HOME"] = home
            store_outputs(path)
