"""The reader's copy of the notebooks has no outputs and is updated, but the reader's own work is never lost."""

import json
import os
import re
import shutil
import stat
import subprocess
from datetime import datetime

import nbformat
import pytest
from helpers import require

from digitlab import files
from digitlab.commands.working_copy import RECORD, refresh, set_aside
from digitlab.paths import KIT, NOTEBOOKS, command

FIRST, SECOND, THIRD = "01_meet_the_digits.ipynb", "02_build_a_network.ipynb", "03_train_it.ipynb"
RESET = f"For a fresh copy: {command('lab')} --reset (your files are kept, too)."
KEPT = f"Not updated, because you changed it: {THIRD}. {RESET}"
UPDATED = "Updated, because you had not changed it:"


@pytest.fixture
def kit(tmp_path):
    """A kit's notebooks that a test may change."""
    return shutil.copytree(NOTEBOOKS, tmp_path / "kit", ignore=shutil.ignore_patterns(".*"))


@pytest.fixture
def copy(tmp_path, kit):
    """A working copy as it was given."""
    folder = tmp_path / "home" / "my_notebooks"
    assert refresh(folder, kit) == []
    return folder


def contents(folder):
    """Return what a folder holds: the bytes of every file, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(path, what):
    notebook = json.loads(path.read_bytes())
    what(notebook["cells"])
    path.write_text(json.dumps(notebook), "utf-8")


def change(path, text="# changed"):
    """Change the text of a cell, as a reader does, or as a newer kit does."""
    edit(path, lambda cells: cells[2].update(source=[text]))


def run(path):
    """Leave in a notebook what running its code cells leaves there."""

    def leave_outputs(cells):
        for cell in cells:
            if cell["cell_type"] == "code":
                output = {"output_type": "stream", "name": "stdout", "text": ["mine\n"]}
                cell.update(execution_count=1, outputs=[output])
                cell["metadata"]["execution"] = {"shell.execute_reply": "2026-11-22T19:30:00Z"}

    edit(path, leave_outputs)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def links(folder):
    texts = [cell.source for path in folder.glob("*.ipynb") for cell in read(path).cells]
    texts += [path.read_text("utf-8") for path in folder.glob("*.md")]
    targets = re.findall(r"\]\(([^)\s#]+)", "\n".join(texts))
    return {target for target in targets if not re.match(r"https?:|attachment:", target)}


def test_a_copy_holds_the_kits_notebooks_and_pictures(copy):
    given = {path.relative_to(NOTEBOOKS).as_posix() for path in NOTEBOOKS.rglob("*.*")}
    given = {name for name in given if name.endswith((".ipynb", ".png")) and not re.search(r"(^|/)\.", name)}
    assert {FIRST, "06_draw.ipynb", "pictures/pad.png"} <= given
    assert {name for name in contents(copy) if name.endswith((".ipynb", ".png"))} == given


def test_a_copy_holds_the_sheet_to_print(copy):
    assert (copy / "SHEET.html").read_bytes() == (NOTEBOOKS / "SHEET.html").read_bytes()


def test_a_copy_has_no_outputs(copy, kit):
    for path in kit.glob("*.ipynb"):
        assert any(cell.outputs for cell in code_cells(path))
        for cell in code_cells(copy / path.name):
            assert cell.outputs == []
            assert cell.execution_count is None


def test_a_copy_has_no_other_traces_of_a_run(copy, tmp_path, kit):
    run(kit / FIRST)
    notebook = json.loads((kit / FIRST).read_bytes())
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    (kit / FIRST).write_text(json.dumps(notebook), "utf-8")
    refresh(tmp_path / "mine", kit)
    assert (tmp_path / "mine" / FIRST).read_bytes() == (copy / FIRST).read_bytes()


def test_the_rest_of_a_notebook_is_as_in_the_kit(copy, kit):
    for path in kit.glob("*.ipynb"):
        given, original = read(copy / path.name), read(path)
        nbformat.validate(given)
        assert given.metadata == original.metadata
        expected = [cell for cell in original.cells if "still-picture" not in cell.metadata.get("tags", [])]
        for cell, other in zip(given.cells, expected, strict=True):
            assert (cell.id, cell.cell_type, cell.source) == (other.id, other.cell_type, other.source)
            assert cell.metadata == other.metadata


def add_still_picture(path):
    """Add a cell that shows a picture of a widget, as a newer kit does for websites."""
    cell = {"cell_type": "markdown", "id": "still", "metadata": {"tags": ["still-picture"]}, "source": ["![](a.png)"]}
    edit(path, lambda cells: cells.insert(2, cell))


def test_still_pictures_of_widgets_are_not_copied(copy, kit):
    before = len(read(copy / THIRD).cells)
    change(kit / THIRD, "# newer")
    add_still_picture(kit / THIRD)
    assert refresh(copy, kit) == [f"{UPDATED} {THIRD}."]
    assert len(read(copy / THIRD).cells) == before
    assert "a.png" not in (copy / THIRD).read_text("utf-8")


def test_still_pictures_in_a_newer_kit_change_no_copy(copy, kit):
    before = contents(copy)
    add_still_picture(kit / THIRD)
    assert refresh(copy, kit) == []
    assert contents(copy) == before


def test_the_kits_own_notebooks_stay_as_they_are(tmp_path, kit):
    before = contents(kit)
    refresh(tmp_path / "mine", kit)
    set_aside(tmp_path / "mine")
    refresh(tmp_path / "mine", kit)
    assert contents(kit) == before


def test_only_pages_that_a_notebook_links_to_are_copied(tmp_path, kit):
    for name in ("HINTS.md", "TEACHING.md", "NOTES.md", ".HIDDEN.md", "pictures/.DS_Store"):
        (kit / name).write_text("A page.", "utf-8")
    text = "[hints](HINTS.md#first) [for teachers](TEACHING.md) [not there](GONE.md) [outside](../README.md)"
    edit(kit / FIRST, lambda cells: cells[0]["source"].append(text))
    refresh(tmp_path / "mine", kit)
    given = contents(tmp_path / "mine")
    assert given["HINTS.md"] == b"A page."
    assert not {"TEACHING.md", "NOTES.md", ".HIDDEN.md", "pictures/.DS_Store", "GONE.md"} & given.keys()


def test_all_links_in_a_copy_lead_to_files_in_the_copy(copy):
    assert {"06_draw.ipynb", "GLOSSARY.md"} <= {link.partition("#")[0] for link in links(copy)}
    for link in links(copy):
        assert not link.startswith("../"), link
        assert (copy / link).exists(), link


def test_a_copy_of_a_read_only_kit_can_be_written_to(tmp_path, kit):
    for path in kit.rglob("*.*"):
        path.chmod(0o444)
    refresh(tmp_path / "mine", kit)
    assert all((tmp_path / "mine" / name).stat().st_mode & stat.S_IWUSR for name in contents(tmp_path / "mine"))


def test_missing_files_are_copied_again(copy, kit):
    as_given = contents(copy)
    (copy / THIRD).unlink()
    shutil.rmtree(copy / "pictures")
    assert refresh(copy, kit) == []
    assert contents(copy) == as_given


def test_a_start_with_nothing_new_changes_nothing(copy, kit):
    run(copy / FIRST)
    change(copy / SECOND)
    before = contents(copy)
    assert refresh(copy, kit) == []
    assert contents(copy) == before


@pytest.mark.parametrize("use", [lambda path: None, run])
def test_a_notebook_that_was_only_run_is_updated(copy, kit, use):
    use(copy / THIRD)
    before = contents(copy)
    change(kit / THIRD, "# newer")
    assert refresh(copy, kit) == [f"{UPDATED} {THIRD}."]
    assert read(copy / THIRD).cells[2].source == "# newer"
    assert not any(cell.outputs for cell in code_cells(copy / THIRD))
    assert {name for name, content in contents(copy).items() if content != before[name]} == {THIRD, RECORD}
    assert refresh(copy, kit) == []


def test_the_kit_can_go_back_to_an_earlier_version(copy, kit):
    first = contents(copy)
    as_it_was = (kit / THIRD).read_bytes()
    change(kit / THIRD, "# newer")
    refresh(copy, kit)
    (kit / THIRD).write_bytes(as_it_was)
    refresh(copy, kit)
    assert contents(copy)[THIRD] == first[THIRD]


def a_changed_kind(path):
    edit(path, lambda cells: cells[2].update(cell_type="raw"))


CHANGES = {
    "another text": change,
    "a new cell": lambda path: edit(path, lambda cells: cells.append({"cell_type": "raw", "source": "mine"})),
    "a cell less": lambda path: edit(path, lambda cells: cells.pop()),
    "another order": lambda path: edit(path, lambda cells: cells.insert(0, cells.pop())),
    "another kind of cell": a_changed_kind,
    "half a file": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "an empty file": lambda path: path.write_bytes(b""),
    "no notebook": lambda path: path.write_bytes(b"[1, 2]"),
    "no text": lambda path: path.write_bytes(b'{"cells": [{"cell_type": "code", "source": 3}]}'),
    "no characters": lambda path: path.write_bytes(b"\xff\xfe\xfd"),
    "brackets without end": lambda path: path.write_bytes(b"[" * 100_000),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_notebook_stays_and_each_start_says_so(copy, kit, what):
    CHANGES[what](copy / THIRD)
    mine = (copy / THIRD).read_bytes()
    assert refresh(copy, kit) == []
    change(kit / THIRD, "# newer")
    assert refresh(copy, kit) == [KEPT]
    assert refresh(copy, kit) == [KEPT]
    assert (copy / THIRD).read_bytes() == mine


def test_what_cannot_even_be_read_stays_as_it_is(copy, kit):
    (copy / THIRD).unlink()
    (copy / THIRD).mkdir()
    (copy / SECOND).unlink()
    (copy / SECOND).symlink_to("on_a_disk_that_is_not_there.ipynb")
    change(kit / THIRD)
    assert refresh(copy, kit) == [KEPT]
    assert (copy / THIRD).is_dir()
    assert (copy / SECOND).is_symlink()


def test_one_sentence_lists_all_updated_and_one_all_kept_files(copy, kit):
    for name in (FIRST, SECOND, THIRD):
        change(copy / name)
    for path in kit.glob("*.ipynb"):
        change(path, "# newer")
    assert refresh(copy, kit) == [
        f"{UPDATED} 04_study_its_mistakes.ipynb, 05_prepare_a_drawing.ipynb, 06_draw.ipynb.",
        f"Not updated, because you changed it: {FIRST}, {SECOND}, {THIRD}. {RESET}",
    ]


def test_notebooks_of_an_older_kit_stay_beside_the_new_ones(tmp_path, kit):
    older = shutil.copytree(kit, tmp_path / "older")
    (older / "02_build_a_network.ipynb").unlink()
    (older / "03_train_it.ipynb").rename(older / "02_train_a_network.ipynb")
    (older / "06_draw.ipynb").rename(older / "05_draw.ipynb")
    mine = tmp_path / "mine"
    refresh(mine, older)
    change(mine / "05_draw.ipynb", "# my own")
    run(mine / "02_train_a_network.ipynb")
    before = contents(mine)
    sentence = "Kept from an older kit, which had other notebooks: 02_train_a_network.ipynb, 05_draw.ipynb."
    assert refresh(mine, kit) == [sentence]
    after = contents(mine)
    assert [name for name in before if name != RECORD and after[name] != before[name]] == []
    assert {path.name for path in kit.glob("*.ipynb")} <= after.keys()


def test_the_same_change_in_copy_and_kit_is_no_conflict(copy, kit):
    change(copy / THIRD, "# corrected")
    run(copy / THIRD)
    mine = (copy / THIRD).read_bytes()
    change(kit / THIRD, "# corrected")
    assert refresh(copy, kit) == []
    assert (copy / THIRD).read_bytes() == mine
    change(kit / THIRD, "# corrected again")
    refresh(copy, kit)
    assert read(copy / THIRD).cells[2].source == "# corrected again"


def test_pictures_are_treated_like_notebooks(copy, kit):
    (copy / "pictures/pad.png").write_bytes(b"mine")
    (kit / "pictures/pad.png").write_bytes(b"newer")
    (kit / "pictures/window.png").write_bytes(b"newer")
    updated, kept = refresh(copy, kit)
    assert updated == f"{UPDATED} pictures/window.png."
    assert kept == f"Not updated, because you changed it: pictures/pad.png. {RESET}"
    assert (copy / "pictures/pad.png").read_bytes() == b"mine"
    assert (copy / "pictures/window.png").read_bytes() == b"newer"


def test_files_that_are_not_from_the_kit_stay_as_they_are(copy, kit):
    mine = {"06_my_own.ipynb": b"mine", "notes.txt": b"mine", FIRST: (copy / FIRST).read_bytes()}
    for name, content in mine.items():
        (copy / name).write_bytes(content)
    (kit / FIRST).unlink()
    assert refresh(copy, kit) == [f"Kept from an older kit, which had other notebooks: {FIRST}."]
    assert mine.items() <= contents(copy).items()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"a": "b"}', b'{"a": [1]}', b"\xff\xff", None])
def test_without_a_record_every_difference_counts_as_changed(copy, kit, damage):
    change(kit / SECOND, "# newer")
    change(kit / THIRD, "# newer")
    (copy / RECORD).unlink()
    if damage is not None:
        (copy / RECORD).write_bytes(damage)
    before = contents(copy)
    assert refresh(copy, kit) == [
        f"Not updated, because it may be your work (the list of the kit's files is lost): {SECOND}, {THIRD}. {RESET}"
    ]
    assert {name for name, content in contents(copy).items() if content != before.get(name)} == {RECORD}
    assert refresh(copy, kit) == []
    change(kit / THIRD, "# newer still")
    assert refresh(copy, kit) == [KEPT]


def test_without_a_record_unchanged_files_are_updated_later(copy, kit):
    (copy / RECORD).unlink()
    assert refresh(copy, kit) == []
    change(kit / THIRD, "# newer")
    refresh(copy, kit)
    assert read(copy / THIRD).cells[2].source == "# newer"


@pytest.mark.parametrize("renamed", range(4))
def test_an_interrupted_start_leaves_whole_files(tmp_path, copy, kit, monkeypatch, renamed):
    change(copy / FIRST)
    mine = (copy / FIRST).read_bytes()
    for path in kit.glob("*.ipynb"):
        change(path, "# newer")
    replace = os.replace
    calls = iter(range(100))

    def cut_off(*names):
        if next(calls) == renamed:
            raise KeyboardInterrupt
        replace(*names)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            refresh(copy, kit)
    for path in copy.glob("*.ipynb"):
        nbformat.validate(read(path))
    change(kit / SECOND, "# newer still")  # A kit that is newer yet does not take what was given for the reader's work.
    assert not [sentence for sentence in refresh(copy, kit) if SECOND in sentence and "you changed" in sentence]
    refresh(tmp_path / "fresh", kit)
    fresh, finished = contents(tmp_path / "fresh"), contents(copy)
    assert finished.pop(FIRST) == mine
    assert {name for name in finished if finished[name] != fresh[name]} == {RECORD}


def test_a_full_disk_leaves_the_copy_as_it_was(copy, kit):
    resource = pytest.importorskip("resource", reason="Windows has no limit for the size of files")
    for path in kit.glob("*.ipynb"):
        change(path, "# newer")
    before = contents(copy)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # The record can still be written, the notebooks cannot.
    try:
        with pytest.raises(OSError, match=r"cannot be written in .*my_notebooks .*DIGITLAB_HOME to a folder") as error:
            refresh(copy, kit)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(error.value)
    assert contents(copy) == before


def test_a_damaged_notebook_of_the_kit_leaves_the_copy_as_it_was(copy, kit):
    change(kit / SECOND, "# newer")
    (kit / THIRD).write_bytes(b"<<<<<<< HEAD\n" + (kit / THIRD).read_bytes())
    before = contents(copy)
    with pytest.raises(ValueError, match=rf"{THIRD} is not a notebook any more.*git checkout -- notebooks/{THIRD}"):
        refresh(copy, kit)
    assert contents(copy) == before


def test_set_aside_renames_the_copy_with_date_and_time(copy):
    change(copy / THIRD)
    before = contents(copy)
    old = set_aside(copy)
    assert re.fullmatch(r"my_notebooks_\d{4}-\d\d-\d\d_\d{6}", old.name)
    assert old.parent == copy.parent
    assert contents(old) == before
    assert not copy.exists()


def test_set_aside_does_nothing_without_a_copy(tmp_path):
    assert set_aside(tmp_path / "my_notebooks") is None
    assert list(tmp_path.iterdir()) == []


def test_set_aside_never_overwrites_an_older_copy(tmp_path, monkeypatch):
    class OneMoment(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 11, 22, 19, 30)

    monkeypatch.setattr(files, "datetime", OneMoment)
    (tmp_path / "my_notebooks_2026-11-22_193000").mkdir()  # Even an empty folder stays what it is.
    for text in ("one", "two"):
        (tmp_path / "my_notebooks").mkdir()
        (tmp_path / "my_notebooks/notes.txt").write_text(text)
        set_aside(tmp_path / "my_notebooks")
    assert contents(tmp_path) == {
        "my_notebooks_2026-11-22_193000_2/notes.txt": b"one",
        "my_notebooks_2026-11-22_193000_3/notes.txt": b"two",
    }


def test_a_copy_that_cannot_be_renamed_stays_where_it_is(tmp_path):
    folder = tmp_path / ("n" * 250)
    folder.mkdir()
    with pytest.raises(OSError, match=r"cannot be moved from .* to .*n_\d{4}-.*too long.*DIGITLAB_HOME"):
        set_aside(folder)
    assert folder.is_dir()


def test_git_ignores_copies(tmp_path):
    git = require("git")
    subprocess.run([git, "init", "--quiet", tmp_path], check=True)
    shutil.copy(KIT / ".gitignore", tmp_path)
    refresh(tmp_path / "my_notebooks")
    set_aside(tmp_path / "my_notebooks")
    refresh(tmp_path / "my_notebooks")
    status = subprocess.run([git, "status", "--porcelain"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert status.stdout.split() == ["??", ".gitignore"]
