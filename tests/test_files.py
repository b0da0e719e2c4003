"""A file is written completely or not at all; devices stay devices, and links stay links."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from digitlab import load_mnist
from digitlab.files import append_line, atomic_write, new_folder, write_numbered
from digitlab.paths import MNIST


def test_a_file_is_replaced_completely(tmp_path):
    file = tmp_path / "new" / "file.txt"
    atomic_write(file, b"one")
    atomic_write(file, b"two")
    assert file.read_bytes() == b"two"
    assert os.listdir(file.parent) == ["file.txt"]


def test_a_new_folder_is_like_any_other_and_goes_whatever_happens(tmp_path):
    (tmp_path / "other").mkdir()

    def write():
        with new_folder(tmp_path) as new:
            (new / "file").write_bytes(b"")
            assert new.stat().st_mode == (tmp_path / "other").stat().st_mode
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert os.listdir(tmp_path) == ["other"]


@pytest.mark.parametrize(
    "content",
    [
        b".VERSION 1.0\n.PEN_DOWN\n",
        b"\xff\xd8\xff\xe0 JFIF",
        b"\x89PNG",
        b"RIFF\x36\x0a\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic",
    ],
)
def test_a_line_is_not_appended_to_a_file_of_another_kind(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="is no file of JSON lines"):
        append_line(file, b"{}")
    assert file.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"\n", b"\0\0\0\n", b"\xef\xbb\xbf{}\n", b'\n{"torn', b"damaged"])
def test_a_line_is_appended_to_what_is_left_of_a_file(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    append_line(file, b"{}")
    assert file.read_bytes().startswith(content)
    assert file.read_bytes().endswith(b"\n{}\n" if content else b"{}\n")


@pytest.mark.skipif(os.name != "posix", reason="another variable on Windows")
def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    atomic_write("~/one", b"1")
    append_line("~/two", b"{}")
    assert write_numbered("~/three-{}", b"3") == tmp_path / "three-1"
    assert sorted(os.listdir(tmp_path)) == ["one", "three-1", "two"]
    shutil.copy(MNIST, tmp_path)
    assert len(load_mnist("~/mnist.npz")[0][0]) == 60_000


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_permissions_do_not_depend_on_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        atomic_write(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    atomic_write(tmp_path / "file", b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        atomic_write(tmp_path / "file", b"new")
    assert error.value.filename == str(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="it is a folder, and a file was to be written"):
        atomic_write(tmp_path, b"new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has neither devices nor, as a rule, links")
def test_a_link_stays_a_link_and_a_pipe_stays_a_pipe(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    atomic_write(tmp_path / "pipe", b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="this system has no /dev/stdout")
def test_what_another_program_reads_goes_to_standard_output():
    code = "from digitlab.files import atomic_write; atomic_write('/dev/stdout', b'through')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"through"
