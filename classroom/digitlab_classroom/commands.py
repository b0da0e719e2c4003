"""The command ``digitlab class``: list, measure, export, add, hide and erase the drawings of a class.

digitlab class show                     how many drawings of each digit, and by whom
digitlab class score --model PATH       how well a network reads them
digitlab class add FILE ...             add files of drawings from other laptops
digitlab class export FILE              write all drawings to one file
digitlab class hide WRITER [NUMBER]     hide one drawing or all of a writer; a fingerprint works too
digitlab class show-again WRITER ...    show them again
digitlab class erase WRITER             erase one writer's drawings; --all --yes: those of the whole class
"""

import argparse
import sys
from pathlib import Path

from digitlab.paths import SHIPPED_NETWORK, SUBMISSIONS, command, expand, shown

HELP = "list, measure, export and erase what a class has handed in"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the command to the sub-parsers of ``digitlab``."""
    parser = subparsers.add_parser("class", help=HELP, description=f"{HELP[0].upper()}{HELP[1:]}.")
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    default = shown(SUBMISSIONS).replace("%", "%%")  # A % means something to argparse.
    about_folder = f"the class's folder (default: {default}; the environment variable DIGITLAB_CLASS sets it)"
    parser.add_argument("--folder", type=Path, default=SUBMISSIONS, help=about_folder)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    actions.add_parser("show", help="count the drawings of each digit and each writer")
    score = actions.add_parser("score", help="measure how well a network reads the drawings")
    score.add_argument(
        "--model", default=SHIPPED_NETWORK, metavar="PATH", help="the network (default: the one that came with the kit)"
    )
    add = actions.add_parser("add", help="add files of drawings; adding a file twice changes nothing")
    add.add_argument("files", nargs="+", metavar="FILE", help="drawings: JSON lines, plain or gzipped")
    export = actions.add_parser("export", help="write all drawings that are shown to a new file")
    export.add_argument("file", metavar="FILE", help="the file; gzipped if its name ends in .gz")
    for name, what in (("hide", "hide a drawing from everyone"), ("show-again", "show a hidden drawing again")):
        action = actions.add_parser(name, help=what)
        action.add_argument("which", metavar="WRITER|FINGERPRINT")
        action.add_argument(
            "number", nargs="?", type=int, metavar="NUMBER", help="of the drawing (default: all of that writer)"
        )
    erase = actions.add_parser("erase", help="erase one writer's drawings, or all, permanently")
    which = erase.add_mutually_exclusive_group(required=True)
    which.add_argument("writer", nargs="?", metavar="WRITER")
    which.add_argument("--all", action="store_true", help="the whole class; needs --yes")
    erase.add_argument("--yes", action="store_true", help="confirm --all")
    for action in actions.choices.values():  # Before or behind the action.
        action.add_argument("--folder", type=Path, default=argparse.SUPPRESS, help=about_folder)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from digitlab_classroom.submissions import SubmissionStore

    store = SubmissionStore(arguments.folder)
    if store.folder.exists() and not store.folder.is_dir():
        raise ValueError(f"{shown(store.folder)} is a file: add it to a class with {command('class')} add.")
    _ACTIONS[arguments.action](store, arguments)
    return 0


def _show(store, arguments):
    from digitlab.metrics import DIGITS

    if not store.folder.exists():
        print(f"There is no folder {shown(store.folder)}: nothing was handed in.")
        return
    drawings = store.drawings()
    writers = dict.fromkeys(drawing.writer for drawing in drawings)
    print(f"{_count(len(drawings))} by {_count(len(writers), 'writer')} in {shown(store.folder)}", end="")
    print(f", and {_count(hidden)} hidden" if (hidden := store.hidden_count) else "")
    if drawings:
        print("\n" + "writer".ljust(24) + "".join(f"{digit:>5}" for digit in range(10)) + " others")
    for writer in writers:
        labels = [drawing.label for drawing in drawings if drawing.writer == writer]
        counts = "".join(f"{labels.count(str(digit)) or '.':>5}" for digit in range(10))
        print(f"{writer:<24}{counts}{sum(label not in DIGITS for label in labels) or '.':>7}")
    for writer, count in store.left_out.items():
        if count:
            print(f"{_count(count, 'line')} of {writer} cannot be read; the other lines are not affected.")
    for file, writer in store.unreadable.items():
        print(f"The drawings of {writer} are missing here: this account cannot open {shown(store.folder / file)}.")


def _score(store, arguments):
    from digitlab.recognizer import Recognizer

    figures = store.scores(Recognizer.load(arguments.model))
    if not figures["drawings"]:
        raise ValueError(f"There is nothing to measure: no digit is shown in {shown(store.folder)}.")
    print(f"drawings {figures['drawings']:,}   accuracy {figures['accuracy']:.2%}")
    for title, rows in (("digit", figures["per_digit"]), ("writer", figures["per_writer"])):
        print(f"\n{title:<24}drawings  accuracy")
        for name, row in rows.items():
            print(f"{name:<24}{row['drawings']:>8,}  {row['accuracy']:>8.2%}")


def _add(store, arguments):
    empty = []
    for file in arguments.files:
        result = store.add(file)
        if result.bad_lines and not result.added + result.known:
            empty.append(shown(file))
            continue
        print(f"{shown(file)}: {_count(result.added)} added, {result.known} were there already.", end="")
        print(f" Known here as: {', '.join(result.writers)}." if result.writers else "", end="")
        print(f" {_count(result.bad_lines, 'line')} without a labelled drawing." if result.bad_lines else "")
    if empty:
        raise ValueError(f"Nothing was added from {', '.join(empty)}: no line is a labelled drawing.")


def _export(store, arguments):
    file = expand(arguments.file)
    if file.is_file() and not file.is_symlink():  # /dev/stdout may be a link to a file.
        raise ValueError(f"There is a file {shown(file)} already: name a new one, or remove it first.")
    count = store.export(file)
    # Not among the drawings, where they are written to /dev/stdout.
    to = sys.stdout if file.is_file() else sys.stderr
    print(f"{_count(count)} written to {shown(arguments.file)}.", file=to)


def _hide(store, arguments):
    print(f"{_count(store.hide(arguments.which, arguments.number))} hidden.")


def _show_again(store, arguments):
    print(f"{_count(store.show_again(arguments.which, arguments.number))} shown again.")


def _erase(store, arguments):
    if not arguments.all:
        print(f"{_count(store.erase(arguments.writer))} of {arguments.writer} erased.")
        return
    if not arguments.yes:
        from digitlab_classroom import moderation

        raise ValueError(
            f"This erases all drawings in {shown(store.folder)} permanently. "
            f"To do it: {moderation.command(store.folder, 'erase --all --yes')}"
        )
    print(f"{_count(store.erase_all())} erased.")
    for writer in dict.fromkeys(drawing.writer for drawing in store.drawings()):
        print(f"The folder {writer} has drawings, but no pseudonym: the kit did not make it, and it stays as it is.")


def _count(number, word="drawing"):
    return f"{number:,} {word}{'' if number == 1 else 's'}"


_ACTIONS = {
    "show": _show,
    "score": _score,
    "add": _add,
    "export": _export,
    "hide": _hide,
    "show-again": _show_again,
    "erase": _erase,
}
