"""The reader's own copy of the notebooks, to work in: without outputs, so that no answer is given away.

A newer kit brings it up to date, save for what the reader wrote. To tell the two apart, a hidden file in the copy
records every version that was ever given, by a fingerprint; a file with another fingerprint is the reader's work and is
never touched. It stands on `places` alone.
"""

import hashlib
import json
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

from digitlab.paths import MY_NOTEBOOKS, NOTEBOOKS, shown

RECORD = ".given.json"
"""The file in a working copy that says what was given: for each file the fingerprints of its versions."""

FOR_TEACHERS = {"TEACHING.md"}
"""What of the notebooks' folder is not given, even where a notebook links to it."""


def refresh(folder=MY_NOTEBOOKS, kit=NOTEBOOKS):
    """Make a working copy of the notebooks, or bring the one that is there up to date.

    What is missing is given again; what the reader has not changed gets as new as the kit's; what the reader has
    changed stays as it is. Outputs are no change: a notebook is changed where the kind, the text or the order of its
    cells is. What cannot be read counts as changed, and where the record of what was given is lost, so does all that
    differs from the kit's.

    All is written beside and then renamed, so that the copy is either as it was or complete.

    Parameters
    ----------
    folder : path-like
        The working copy; it need not exist.
    kit : path-like
        The notebooks to copy, with their outputs; they are only read.

    Returns
    -------
    list of str
        What the reader should know, a sentence each; most often there is none.

    Raises
    ------
    OSError
        Where nothing can be written in the folder, even if there is nothing new to write: the reader's work could not
        be saved in it either.
    ValueError
        Where a notebook of the kit is damaged. The copy is then as it was.
    """
    folder = Path(folder)
    record = _read_record(folder / RECORD)
    given = dict(record or {})
    to_write, renewed, kept = {}, [], []
    for name, content in _what_the_kit_gives(Path(kit)).items():
        theirs = _fingerprint(name, content)
        versions = given.setdefault(name, [])
        is_newer = theirs not in versions
        if not os.path.lexists(folder / name):
            to_write[name] = content
        elif (mine := _fingerprint_of_file(folder, name)) != theirs:
            if mine in versions:
                to_write[name] = content
                renewed.append(name)
            elif is_newer:
                kept.append(name)
                if record is not None:
                    continue  # It is not given now either, so the next start says so again.
        if is_newer:
            given[name] = [*versions, theirs]
    # The record comes first: were it cut off after it, what follows could be taken for the reader's work.
    _write(folder, {RECORD: json.dumps(given, indent=1).encode() + b"\n", **to_write})
    return _sentences(renewed, kept, record is None)


def set_aside(folder=MY_NOTEBOOKS):
    """Move a working copy to a dated folder beside it, so that the next `refresh` makes a fresh one.

    Parameters
    ----------
    folder : path-like
        The working copy.

    Returns
    -------
    Path or None
        Where it is now, such as ``my_notebooks_2026-11-22_193000``; None where there was no copy.

    Raises
    ------
    OSError
        Where it cannot be moved. It is then where it was.
    """
    folder = Path(folder)
    if not os.path.lexists(folder):
        return None
    stem = f"{folder.name}_{datetime.now():%Y-%m-%d_%H%M%S}"
    old, number = folder.with_name(stem), 1
    while os.path.lexists(old):
        number += 1
        old = folder.with_name(f"{stem}_{number}")
    try:
        folder.rename(old)
    except OSError as error:
        raise OSError(
            f"Your notebooks cannot be moved from {shown(folder)} to {shown(old)} ({error.strerror}). Stop the "
            f"JupyterLab that shows them, if one does; or set the environment variable DIGITLAB_HOME to a folder that "
            f"you may write to."
        ) from None
    return old


def _what_the_kit_gives(kit):
    """Return the names, relative to the folder, and the contents of all that a working copy holds."""
    files = {}
    texts = []
    for path in sorted(kit.glob("[!.]*.ipynb")):
        content = path.read_bytes()
        try:
            notebook = json.loads(content)
            texts += [text for kind, text in _cells(notebook) if kind == "markdown"]
            files[path.name] = _without_outputs(notebook)
        except _NO_NOTEBOOK:
            raise ValueError(
                f"{shown(path)} is no notebook any more. Bring it back with: git checkout -- notebooks/{path.name} "
                f"(or take the kit's folder afresh)."
            ) from None
    pages = set(re.findall(r"\]\(([^)/\s]+\.md)[)#\s]", "\n".join(texts))) - FOR_TEACHERS
    others = [kit / page for page in pages] + list((kit / "pictures").rglob("*"))
    for path in sorted(others):
        name = path.relative_to(kit).as_posix()
        if path.is_file() and not re.search(r"(^|/)\.", name):
            files[name] = path.read_bytes()
    return files


def _without_outputs(notebook):
    """Return a notebook's file, as Jupyter writes it, without what running its cells has left in it."""
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(execution_count=None, outputs=[])
            cell["metadata"].pop("execution", None)
    return json.dumps(notebook, indent=1, ensure_ascii=False).encode() + b"\n"


def _cells(notebook):
    """Return the kind and the text of each cell; what is no notebook raises one of `_NO_NOTEBOOK`."""
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


_NO_NOTEBOOK = (ValueError, TypeError, LookupError, RecursionError)


def _fingerprint(name, content):
    """Return what identifies a version of a file: of a notebook its cells count, of all others their bytes."""
    if name.endswith(".ipynb"):
        content = json.dumps(_cells(json.loads(content))).encode()
    return hashlib.sha256(content).hexdigest()


def _fingerprint_of_file(folder, name):
    try:
        return _fingerprint(name, (folder / name).read_bytes())
    except (OSError, *_NO_NOTEBOOK):
        return None


def _read_record(path):
    """Return the fingerprints that were given, for each name; None where that is not known."""
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    is_whole = isinstance(record, dict) and all(
        isinstance(versions, list) and all(isinstance(version, str) for version in versions)
        for versions in record.values()
    )
    return record if is_whole else None


def _write(folder, contents):
    """Write files into a folder: all of them beside it first, and only then under their names, in this order."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as new:
            for name, content in contents.items():
                for place in (folder, Path(new)):
                    (place / name).parent.mkdir(exist_ok=True)
                with open(Path(new, name), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            # All is on the disk: from here on only names change.
            for name in contents:
                os.replace(Path(new, name), folder / name)
    except OSError as error:
        raise OSError(
            f"Your copy of the notebooks cannot be written in {shown(folder)} ({error.strerror}). Set the environment "
            f"variable DIGITLAB_HOME to a folder that you may write to and that has room."
        ) from None


def _sentences(renewed, kept, record_is_lost):
    sentences = []
    if renewed:
        were, they = ("was", "it") if len(renewed) == 1 else ("were", "them")
        sentences.append(f"{_listed(renewed)} {were} brought up to date; you had not changed {they}.")
    if kept:
        one = len(kept) == 1
        differ, stay, fresh = (
            ("differs", "stays as it is", "a fresh one") if one else ("differ", "stay as they are", "fresh ones")
        )
        if record_is_lost:
            state = f"{differ} from the kit's and {stay}, since what the kit gave you is not recorded any more"
        else:
            newer, copies = ("is", "copy") if one else ("are", "copies")
            state = f"{newer} newer in the kit than your {copies}, which you have changed and which {stay}"
        sentences.append(f"{_listed(kept)} {state}; digitlab lab --reset gives {fresh} and keeps yours.")
    return sentences


def _listed(names):
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
