"""The pseudonyms of a class's writers: names of animals, given at random and never typed by anyone."""

import contextlib
import itertools
import os
import random
import re
from pathlib import Path

from digitlab.paths import SUBMISSIONS, shown

PSEUDONYMS = tuple(Path(__file__).with_name("animals.txt").read_text("ascii").split())

MAX_WRITERS = 200
"""Maximum number of writers in one class."""

_PATTERN = re.compile(rf"({'|'.join(PSEUDONYMS)})(-[1-9][0-9]{{0,3}})?")


def is_pseudonym(name: str) -> bool:
    """Return whether a name is a pseudonym: an animal of the list, or one with a number, such as ``heron-2``."""
    return _PATTERN.fullmatch(name) is not None


def room_for_writers(folder: Path) -> int:
    """Return how many more writers a class can have."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        some = itertools.islice(entries, 50 * MAX_WRITERS)
        taken = sum(not entry.name.startswith(".") and entry.is_dir() for entry in some)
        return max(MAX_WRITERS - taken, 0)
    return MAX_WRITERS


def new_writer(folder: Path | str = SUBMISSIONS) -> str:
    """Reserve a pseudonym that nobody has, by making its folder.

    Parameters
    ----------
    folder : path-like, optional
        The class's folder. It is made if it does not exist.

    Returns
    -------
    str
        The name of an animal. When all animals are taken, a number follows it. The choice is random, so the name
        does not tell who the writer is or who came first.

    Raises
    ------
    OSError
        If the folder cannot be made.
    ValueError
        If the class has ``MAX_WRITERS`` writers already.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not room_for_writers(folder):
        raise ValueError(f"{shown(folder)} has {MAX_WRITERS} writers already: use a new folder for another class.")
    for number in itertools.count(1):
        names = [name if number == 1 else f"{name}-{number}" for name in PSEUDONYMS]
        for name in random.SystemRandom().sample(names, len(names)):
            with contextlib.suppress(FileExistsError):  # Another seat has it.
                make_writer_folder(folder / name)
                return name
    return None


def make_writer_folder(folder: Path) -> None:
    """Make a writer's folder that all accounts may read, whatever the umask is.

    Raises
    ------
    FileExistsError
        If it exists already.
    """
    folder.mkdir()
    if os.name == "posix":
        # The permissions are set on the opened folder. A hub does this as root, and must not follow a link that
        # somebody has put in the folder's place.
        descriptor = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW)
        os.fchmod(descriptor, 0o755)
        os.close(descriptor)
