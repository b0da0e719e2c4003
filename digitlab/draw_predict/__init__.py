"""Draw in a window on the desktop: ``python -m digitlab.draw_predict``, or ``digitlab draw``.

This module looks for a screen and stands on Python alone, because that has to come first: where there is no screen,
OpenCV's window ends the whole process, and nothing in Python can catch that. The window itself is in `window`.
"""

import ctypes
import os
import sys
from pathlib import Path

from digitlab.paths import SHIPPED_NETWORK

KEYS = "Keys: c clears, u takes the last stroke back, s saves a picture in drawings/, ESC leaves."


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


def run(arguments):
    """Open the window as the arguments say and stay until it is left; return the exit status."""
    why_not = no_screen()
    if why_not:
        print(f"digitlab draw: {why_not}", file=sys.stderr)
        return 2
    from digitlab.draw_predict.window import show
    from digitlab.recognizer import Recognizer

    show(Recognizer.load(arguments.model))
    return 0


def no_screen():
    """Tell why no window can be opened here.

    Returns
    -------
    str or None
        One sentence, with what to do; None where there is a screen.
    """
    if sys.platform in {"win32", "darwin"}:
        return None
    display = os.environ.get("DISPLAY")
    remedy = "run this on a desktop, over ssh with ssh -X, or draw in the notebook: digitlab lab"
    if display:
        if _answers(display):
            return None
        return f"There is no screen to open a window on (DISPLAY is {display}, and nothing answers there); {remedy}"
    if os.environ.get("WAYLAND_DISPLAY"):
        return (
            "This Wayland desktop offers no X screen (DISPLAY is not set), and OpenCV's windows need one; "
            "install Xwayland and log in again, or draw in the notebook: digitlab lab"
        )
    return f"There is no screen to open a window on (DISPLAY is not set); {remedy}"


def _answers(display):
    """Tell whether an X server lets us in, by asking as the window will: with the system's own library."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # Without it OpenCV cannot be imported either, and that error says what is missing.
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), None))
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not refused


def main(argv=None):
    """Run the command as a script."""
    from digitlab.commands.main import main_of

    return main_of("draw", argv)
