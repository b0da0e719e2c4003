"""The `digitlab` command.

It starts even where a package is broken, so that ``digitlab check`` can say which one. So the module of a command
describes the arguments with Python alone and imports packages only when the command runs.
"""

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from digitlab import __version__
from digitlab.paths import APT_LINE, command

COMMANDS = (
    "digitlab.commands.lab",
    "digitlab.train_model",
    "digitlab.draw_predict",
    "digitlab.commands.read",
    "digitlab.commands.evaluate",
    "digitlab.commands.check",
)
"""The modules of the commands, in the order of the help text.

Each has a function ``add_parser(subparsers)`` that adds a parser with ``set_defaults(run=...)``. With ``set_defaults(
passes_arguments_on=True)`` the command gets the arguments that its parser does not know as ``arguments.others``.
"""

ENTRY_POINTS = "digitlab.commands"
"""The entry point group in which other packages name modules of further commands."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the `digitlab` command.

    Parameters
    ----------
    argv : list of str, optional
        The arguments; by default those of the command line.

    Returns
    -------
    int
        The exit status: 0 done, 1 failed, 2 wrong arguments, 130 stopped with Ctrl-C.
    """
    # A terminal that cannot show a character shows "?" instead.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")
    name = "digitlab"
    try:
        arguments = _parse(sys.argv[1:] if argv is None else list(argv))
        name = f"digitlab {arguments.command}"
        status = arguments.run(arguments)
        if sys.stdout:  # It may have been closed.
            sys.stdout.flush()
        return status
    except ImportError as error:
        if "cannot open shared object file" in str(error):
            message = f"OpenCV needs a system library that is missing ({error}). On Debian and Ubuntu: {APT_LINE}"
        else:
            message = f"A package is missing or broken ({error}). Find out which: {command('check')}"
    except BrokenPipeError:
        # The program that read the output has ended, as `head` does. Python must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None)
        message = f"{error.filename}: {reason}" if reason and error.filename else reason or str(error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    print(f"{name}: {message}", file=sys.stderr)
    return 1


def _parse(argv):
    parser = argparse.ArgumentParser(
        prog="digitlab",
        description="Draw a digit, let a network read it, and find out how that works.",
        epilog="Help for a command: digitlab COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"digitlab {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for module in COMMANDS:
        importlib.import_module(module).add_parser(subparsers)
    if not argv or argv[0] not in subparsers.choices:
        for entry_point in metadata.entry_points(group=ENTRY_POINTS):
            entry_point.load().add_parser(subparsers)
    arguments, others = parser.parse_known_args(argv)
    if others and not getattr(arguments, "passes_arguments_on", False):
        subparsers.choices[arguments.command].error(f"unrecognized arguments: {' '.join(others)}")
    arguments.others = others
    return arguments


if __name__ == "__main__":
    sys.exit(main())
