"""Look after the digits that a class has handed in: ``digitlab class``. It stands on `collection`.

digitlab class show                     how many of each digit, and by whom
digitlab class score --model PATH       how well a network reads them
digitlab class add FILE ...             add files that were handed over, from single laptops
digitlab class export FILE              write them into one file
digitlab class hide WRITER [NUMBER]     hide a drawing at once, or a writer's; also by its fingerprint
digitlab class show-again WRITER ...    the same, back
digitlab class erase WRITER             erase one writer's drawings; --all --yes: the class's
"""

from pathlib import Path

from digitlab.metrics import DIGITS
from digitlab.paths import SHIPPED_NETWORK, SUBMISSIONS, shown
from digitlab_classroom.submissions import SubmissionStore


def add_arguments(parser):
    """Describe the command's arguments to an ArgumentParser."""
    parser.add_argument(
        "--folder",
        type=Path,
        default=SUBMISSIONS,
        help=f"the class's folder (default: {shown(SUBMISSIONS)}; the environment variable DIGITLAB_CLASS names it)",
    )
    actions = parser.add_subparsers(title="what to do", metavar="ACTION", dest="action", required=True)
    actions.add_parser("show", help="tell how many drawings there are of each digit, and by whom")
    score = actions.add_parser("score", help="tell how well a network reads them")
    score.add_argument(
        "--model", default=SHIPPED_NETWORK, metavar="PATH", help="the network (default: the one that came with the kit)"
    )
    add = actions.add_parser("add", help="add files that were handed over; twice is no more than once")
    add.add_argument("files", nargs="+", metavar="FILE", help="drawings: JSON lines, plain or gzipped")
    export = actions.add_parser("export", help="write all drawings that are shown into one file")
    export.add_argument("file", metavar="FILE", help="gzipped where it ends in .gz")
    for name, what in (("hide", "show a drawing no more"), ("show-again", "show a drawing that was hidden")):
        action = actions.add_parser(name, help=what)
        action.add_argument("which", metavar="WRITER|FINGERPRINT")
        action.add_argument("number", nargs="?", type=int, metavar="NUMBER", help="without it: all of that writer")
    erase = actions.add_parser("erase", help="erase one writer's drawings, or all of them, for good")
    which = erase.add_mutually_exclusive_group(required=True)
    which.add_argument("writer", nargs="?", metavar="WRITER")
    which.add_argument("--all", action="store_true", help="the whole class; needs --yes")
    erase.add_argument("--yes", action="store_true", help="yes, all of them")


def run(arguments):
    """Do what is asked for; return the exit status."""
    return _ACTIONS[arguments.action](SubmissionStore(arguments.folder), arguments)


def _show(collection, arguments):
    drawings = collection.drawings()
    writers = dict.fromkeys(drawing.writer for drawing in drawings)
    print(f"{_count(drawings)} by {len(writers)} {'writer' if len(writers) == 1 else 'writers'} "
          f"in {shown(collection.folder)}")  # fmt: skip
    if drawings:
        print("\n" + "writer".ljust(24) + "".join(f"{digit:>5}" for digit in range(10)) + " others")
    for writer in writers:
        labels = [drawing.label for drawing in drawings if drawing.writer == writer]
        counts = "".join(f"{labels.count(str(digit)) or '.':>5}" for digit in range(10))
        print(f"{writer:<24}{counts}{sum(label not in DIGITS for label in labels) or '.':>7}")
    for writer, count in collection.left_out.items():
        if count:
            print(f"{count} {'line' if count == 1 else 'lines'} of {writer} cannot be read and cost no other.")
    return 0


def _score(collection, arguments):
    from digitlab.recognizer import Recognizer

    figures = collection.scores(Recognizer.load(arguments.model))
    if not figures["drawings"]:
        raise ValueError(f"There is nothing to measure: no digit was handed in to {shown(collection.folder)}.")
    print(f"drawings {figures['drawings']:,}   accuracy {figures['accuracy']:.2%}")
    for title, rows in (("digit", figures["per_digit"]), ("writer", figures["per_writer"])):
        print(f"\n{title:<24}drawings  accuracy")
        for name, row in rows.items():
            print(f"{name:<24}{row['drawings']:>8,}  {row['accuracy']:>8.2%}")
    return 0


def _add(collection, arguments):
    for file in arguments.files:
        result = collection.add(file)
        print(f"{shown(file)}: {_count(result.added)} added, {result.known} were there already.", end="")
        print(f" Known here as: {', '.join(result.writers)}." if result.writers else "", end="")
        print(f" {result.bad_lines} lines are no labelled drawings." if result.bad_lines else "")
    return 0


def _export(collection, arguments):
    print(f"{_count(collection.export(arguments.file))} written to {shown(arguments.file)}.")
    return 0


def _hide(collection, arguments):
    print(f"{_count(collection.hide(arguments.which, arguments.number))} hidden.")
    return 0


def _show_again(collection, arguments):
    print(f"{_count(collection.show_again(arguments.which, arguments.number))} shown again.")
    return 0


def _erase(collection, arguments):
    if arguments.all and not arguments.yes:
        raise ValueError(
            f"This erases all drawings in {shown(collection.folder)}, for good. If so: digitlab class erase --all --yes"
        )
    count = collection.erase_all() if arguments.all else collection.erase(arguments.writer)
    print(f"{_count(count)} {f'of {arguments.writer} ' if arguments.writer else ''}erased.")
    return 0


def _count(drawings):
    count = drawings if isinstance(drawings, int) else len(drawings)
    return f"{count:,} {'drawing' if count == 1 else 'drawings'}"


_ACTIONS = {
    "show": _show,
    "score": _score,
    "add": _add,
    "export": _export,
    "hide": _hide,
    "show-again": _show_again,
    "erase": _erase,
}
