"""The `digitlab` command: its sub-commands, its errors, and what it does with unknown arguments."""

import os
import re
import subprocess
import sys

import pytest

from digitlab.commands import main as main_module
from digitlab.commands.main import main
from digitlab.paths import KIT, command

COMMANDS = ("lab", "train", "draw", "read", "evaluate", "class", "check")


def test_the_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    listed = re.findall(r"^    (\w+)", capsys.readouterr().out.split("\ncommands:")[1], re.M)
    assert set(listed) - {"COMMAND"} == set(COMMANDS)
    rows = re.findall(r"^\| `digitlab (\w+)", (KIT / "README.md").read_text("utf-8"), re.M)
    assert set(rows) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_text(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: digitlab {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["train"], ["draw"], ["read", "photo"], ["evaluate", "file"], ["check"]])
def test_an_unknown_option_is_refused(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command, "--unknown"])
    assert end.value.code == 2
    assert "unrecognized arguments: --unknown" in capsys.readouterr().err


def test_lab_passes_unknown_arguments_on():
    arguments = main_module._parse(["lab", "--port", "8000", "--ip", "localhost", "06_draw.ipynb"])
    assert arguments.port == 8000
    assert arguments.others == ["--ip", "localhost", "06_draw.ipynb"]


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        main(["paint"])
    assert end.value.code == 2
    assert "invalid choice: 'paint'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("Invalid port 70000: use 1 to 65535."), "Invalid port 70000: use 1 to 65535."),
        (FileNotFoundError(2, "No such file or directory", "digits.jsonl"), "digits.jsonl: No such file or directory"),
        (OSError(28, "No space left on device"), "digitlab check: No space left on device"),
        (ImportError("No module named 'cv2'"), f"Find out which: {command('check')}"),
        (ImportError("libGL.so.1: cannot open shared object file"), "sudo apt-get install"),
    ],
)
def test_an_error_is_one_line(error, words, monkeypatch, capsys):
    def fail(arguments):
        raise error

    monkeypatch.setattr("digitlab.commands.check.run", fail)
    assert main(["check"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("digitlab check: ")
    assert words in printed
    assert len(printed.splitlines()) == 1


def test_a_closed_output_is_no_error(monkeypatch):
    monkeypatch.setattr("digitlab.commands.check.run", lambda arguments: 0)
    monkeypatch.setattr(sys, "stdout", None)  # As after >&- in a shell.
    assert main(["check"]) == 0


def test_ctrl_c_ends_a_command_with_130(monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("digitlab.commands.check.run", interrupt)
    assert main(["check"]) == 130


def test_a_terminal_without_a_character_shows_a_question_mark(digitlab, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "PYTHONIOENCODING", "ascii:strict")
    finished = digitlab("class", "--folder", "Übung", "show", cwd=tmp_path)
    assert finished.stdout == "There is no folder ?bung: nothing was handed in.\n"
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--epochs=" + "9" * 30, "--epochs: it must be a whole number, 1 to 10,000"),
        ("--epochs=" + "9" * 5000, "--epochs: it must be a whole number, 1 to 10,000"),
        ("--epochs=0", "--epochs: it must be a whole number, 1 to 10,000, not 0"),
        ("--seed=-1", "--seed: it must be a whole number, 0 to 4,294,967,295, not -1"),
        ("--seed=1.5", "not 1.5"),
    ],
)
def test_a_number_out_of_range_is_refused_at_once(option, words, capsys):
    with pytest.raises(SystemExit) as end:
        main(["train", option])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_kinds_of_drawings_without_the_full_recipe_are_refused(capsys):
    assert main(["train", "--drawings", "people"]) == 1
    assert "--drawings is for --recipe full: add that, or leave --drawings out." in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["train", "--output", ""], ["evaluate", "--held-out", "--model", "."]])
def test_a_folder_is_not_a_network(arguments, capsys):
    assert main(arguments) == 1
    assert "'.' is a folder, not a network: name one, such as model/my_network" in capsys.readouterr().err


def test_a_percent_sign_in_the_name_of_a_folder_is_no_format(tmp_path):
    environment = {**os.environ, "DIGITLAB_CLASS": str(tmp_path / "50% of %s")}
    finished = subprocess.run(
        [sys.executable, "-m", "digitlab.commands.main", "class", "--help"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "50% of %s" in " ".join(finished.stdout.split()), finished.stderr


def test_a_home_of_an_unknown_user_is_one_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITLAB_HOME", "~nobody-of-this-name/x")
    code = "from digitlab import paths; print(paths.HOME)"
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert finished.stdout.strip() == str(tmp_path / "~nobody-of-this-name" / "x"), finished.stderr
