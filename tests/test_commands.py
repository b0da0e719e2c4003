"""The `digitlab` command: its sub-commands, its errors, and what it does with unknown arguments."""

import os

import pytest

from digitlab.commands import main as main_module
from digitlab.commands.main import main

COMMANDS = ("lab", "train", "draw", "evaluate", "class", "check")


def test_the_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    words = capsys.readouterr().out.split()
    assert set(COMMANDS) <= set(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_text(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: digitlab {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["train"], ["draw"], ["evaluate", "file"], ["check"]])
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
        (ImportError("No module named 'cv2'"), "Find out which: digitlab check"),
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


def test_ctrl_c_ends_a_command_with_130(monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("digitlab.commands.check.run", interrupt)
    assert main(["check"]) == 130


def test_a_terminal_without_a_character_shows_a_question_mark(digitlab, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "PYTHONIOENCODING", "ascii:strict")
    (tmp_path / "Übung").mkdir()
    finished = digitlab("evaluate", tmp_path / "Übung" / "no file")
    assert finished.returncode == 1
    assert "UnicodeEncodeError" not in finished.stderr
    assert "codec" not in finished.stderr
