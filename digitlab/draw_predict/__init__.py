"""Draw in a window on the desktop: ``python -m digitlab.draw_predict``, or ``digitlab draw``.

This is the command. It imports OpenCV only after it has found a screen; the window is in `window`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from digitlab.draw_predict.screen import KEYS, no_screen
from digitlab.paths import SHIPPED_NETWORK

HELP = "draw in a window on the desktop"


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    parser = subparsers.add_parser("draw", help=HELP, description=f"{HELP.capitalize()}.", epilog=KEYS)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--model",
        type=Path,
        default=SHIPPED_NETWORK,
        metavar="PATH",
        help="the network: an .onnx file, or its name without the suffix (default: the one that came with the kit)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Open the window and wait until it is closed; return the exit status."""
    why_not = no_screen()
    if why_not:
        print(f"digitlab draw: {why_not}", file=sys.stderr)
        return 2
    from digitlab.draw_predict.window import show
    from digitlab.recognizer import Recognizer

    show(Recognizer.load(arguments.model))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command as a program of its own."""
    from digitlab.commands.main import main

    return main(["draw", *(sys.argv[1:] if argv is None else argv)])
