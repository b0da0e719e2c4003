"""The reader's own copy of the notebooks, to work in: without outputs, so that no answer is shown before its time.

A newer kit updates the copy, except for the files that the reader changed. To know which these are, a hidden file in
the copy records a fingerprint of every version that a kit ever put there. A file with any other fingerprint is the
reader's work and is never overwritten.
"""

import hashlib
import json
import os
import re
from pathlib import Path

from digitlab.files import new_folder, remove_leftovers, rename_with_date
from digitlab.paths import MY_NOTEBOOKS, NOTEBOOKS, command, shown

RECORD = ".given.json"
"""The file in a working copy with the fingerprints of the versions that kits put there, for each file."""

FOR_TEACHERS = {"TEACHING.md"}
"""Pages that are not copied, even if a notebook links to them."""

STILL_PICTURE = "still-picture"
"""The tag of a cell that shows a picture of a widget on websites, where no widget works. The copy does without it."""

_BAD_NOTEBOOK = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def refresh(folder: Path | str = MY_NOTEBOOKS, kit: Path | str = NOTEBOOKS) -> list[str]:
    """Make a working copy of the notebooks, or update the one that exists.

    Missing files are copied, files that the reader did not change are updated, files that the reader changed stay. A
    notebook counts as changed if the type, the text or the order of its cells is different; outputs do not count. A
    file that cannot be read counts as changed. Without the record every file that differs from the kit's does. What the
    kit has no longer stays.

    A full disk changes no file. Should renaming fail in between, all files are whole, and the next call goes on.

    Parameters
    ----------
    folder : path-like
        The working copy. It need not exist.
    kit : path-like
        The folder of notebooks to copy.

    Returns
    -------
    list of str
        Sentences for the reader; usually none.

    Raises
    ------
    OSError
        If nothing can be written to the folder, even if nothing is new: the reader could not save anything either.
    ValueError
        If a notebook of the kit is damaged.
    """
    folder = Path(folder)
    record = _read_record(folder / RECORD)
    given = dict(record or {})
    to_write, updated, kept = {}, [], []
    files = _files_to_copy(Path(kit))
    for name, content in files.items():
        newest, versions = _fingerprint(name, content), given.get(name, [])
        if not os.path.lexists(folder / name):
            to_write[name] = content
        elif (present := _fingerprint_of_file(folder, name)) != newest:
            if present in versions:
                to_write[name] = content
                updated.append(name)
            elif newest not in versions:
                kept.append(name)
                if record is not None:
                    continue  # Not recorded, so that the next start tells the reader again.
        given[name] = versions if newest in versions else [*versions, newest]
    # The record is first: if this stops halfway, no updated file is taken for the reader's work.
    _write(folder, {RECORD: json.dumps(given, indent=1).encode() + b"\n", **to_write})
    sentences = []
    if updated:
        sentences.append(f"Updated, because you had not changed it: {', '.join(updated)}.")
    if kept:
        reason = "you changed it" if record is not None else "it may be your work (the list of the kit's files is lost)"
        sentences.append(
            f"Not updated, because {reason}: {', '.join(kept)}. "
            f"For a fresh copy: {command('lab')} --reset (your files are kept, too)."
        )
    if gone := [name for name in given if name.endswith(".ipynb") and name not in files and (folder / name).exists()]:
        sentences.append(f"Kept from an older kit, which had other notebooks: {', '.join(sorted(gone))}.")
    return sentences


def set_aside(folder: Path | str = MY_NOTEBOOKS) -> Path | None:
    """Rename a working copy, so that the next `refresh` makes a fresh one.

    Returns
    -------
    Path or None
        The new folder, with date and time in its name: ``my_notebooks_2026-11-22_193000``. None if there was no copy.

    Raises
    ------
    OSError
        If the folder cannot be renamed.
    """
    folder = Path(folder)
    if not os.path.lexists(folder):
        return None
    try:
        return rename_with_date(folder)
    except OSError as error:
        raise OSError(
            f"Your notebooks cannot be moved from {shown(folder)} to {shown(error.filename2)} ({error.strerror}). If a "
            f"JupyterLab shows them, stop it; or set the environment variable DIGITLAB_HOME to a folder that you may "
            f"write to."
        ) from None


def _files_to_copy(kit):
    """Return the contents of a working copy by their names: notebooks, the pages they link to, and pictures."""
    files, texts = {}, []
    for path in sorted(kit.glob("[!.]*.ipynb")):
        try:
            notebook = json.loads(path.read_bytes())
            _prepare(notebook)
            texts += [text for kind, text in _cells(notebook) if kind == "markdown"]
        except _BAD_NOTEBOOK:
            raise ValueError(
                f"{shown(path)} is not a notebook any more. Bring it back with: git checkout -- notebooks/{path.name} "
                f"(or download the kit again)."
            ) from None
        files[path.name] = json.dumps(notebook, indent=1, ensure_ascii=False).encode() + b"\n"  # As Jupyter does.
    pages = set(re.findall(r"\]\(([^)/\s]+\.(?:md|html))[)#\s]", "\n".join(texts))) - FOR_TEACHERS
    for path in sorted([kit / page for page in pages] + list((kit / "pictures").rglob("*"))):
        name = path.relative_to(kit).as_posix()
        if path.is_file() and not re.search(r"(^|/)\.", name):
            files[name] = path.read_bytes()
    return files


def _prepare(notebook):
    """Remove from a notebook what running it has left, and the cells that are for websites only."""
    notebook["metadata"].pop("widgets", None)
    notebook["cells"] = [cell for cell in notebook["cells"] if STILL_PICTURE not in cell["metadata"].get("tags", [])]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(execution_count=None, outputs=[])
            cell["metadata"].pop("execution", None)


def _cells(notebook):
    """Return the type and the text of each cell."""
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


def _fingerprint(name, content):
    """Return the fingerprint of a version of a file: of a notebook's cells, or else of all bytes."""
    if name.endswith(".ipynb"):
        content = json.dumps(_cells(json.loads(content))).encode()
    return hashlib.sha256(content).hexdigest()


def _fingerprint_of_file(folder, name):
    try:
        return _fingerprint(name, (folder / name).read_bytes())
    except (OSError, *_BAD_NOTEBOOK):
        return None


def _read_record(path):
    """Return the list of fingerprints for each name; None if the record is missing or damaged."""
    try:
        record = json.loads(path.read_bytes())
        is_whole = all(isinstance(versions, list) and {*map(type, versions)} <= {str} for versions in record.values())
        return record if is_whole else None
    except (OSError, *_BAD_NOTEBOOK):
        return None


def _write(folder, contents):
    """Write files to a folder: all of them to a temporary folder first, then rename them, in this order."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        with new_folder(folder) as new:
            for name, content in contents.items():
                for parent in (folder, new):
                    (parent / name).parent.mkdir(exist_ok=True)
                with open(new / name, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            for name in contents:
                os.replace(new / name, folder / name)
    except OSError as error:
        raise OSError(
            f"Your copy of the notebooks cannot be written in {shown(folder)} ({error.strerror}). Set the environment "
            f"variable DIGITLAB_HOME to a folder that you may write to and that has room."
        ) from None
