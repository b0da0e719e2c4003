"""Draw in a window on the desktop: ``python -m digitlab.draw_predict``, or ``digitlab draw``.

This is the command. It imports OpenCV only after it has found a screen; the window is in `window`.
"""

import sys
from pathlib import Path

from digitlab.draw_predict.screen import KEYS, no_screen
from digitlab.paths import SHIPPED_NETWORK


def add_arguments(parser):
    """Describe the command's arguments to an ArgumentParser."""
    parser.epilog = KEYS
    parser.add_argument(
        "--model",
        type=Path,
        default=SHIPPED_NETWORK,
        metavar="PATH",
        help="the network to read with: an .onnx file, or its name without the suffix (default: the kit's own)",
    )


def run(arguments) -> int:
    """Open the window and wait until it is closed; return the exit status."""
    why_not = no_screen()
    if why_not:
        print(f"digitlab draw: {why_not}", file=sys.stderr)
        return 2
    from digitlab.draw_predict.window import show
    from digitlab.recognizer import Recognizer

    show(Recognizer.load(arguments.model))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command as a script."""
    from digitlab.commands.main import main_of

    return main_of("draw", argv)
