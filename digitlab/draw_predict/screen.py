"""What can be said before OpenCV is imported: how to use the window, and whether there is a screen for it.

Where there is no screen, OpenCV's window ends the whole process, and Python cannot catch that. So this is checked
first, with Python alone.
"""

import ctypes
import os
import sys
import threading

from digitlab.paths import APT_LINE, command

SECONDS = 5
"""Maximum time in which a screen must answer, in seconds."""

KEYS = "Keys: c clears, u removes the last stroke, s saves a picture in drawings/, ESC closes the window."


def no_screen() -> str | None:
    """Return why no window can be opened here, in one sentence with a remedy; None where there is a screen."""
    if sys.platform in {"win32", "darwin"}:
        return None
    display = os.environ.get("DISPLAY")
    remedy = f"run this on a desktop, over ssh with ssh -X, or draw in the notebook: {command('lab')}"
    if display:
        if _answers(display):
            return _missing_library()
        return f"There is no screen to open a window on (DISPLAY is {display}, and nothing answers there); {remedy}"
    if os.environ.get("WAYLAND_DISPLAY"):
        return (
            "This Wayland desktop offers no X screen (DISPLAY is not set), and OpenCV's windows need one; "
            f"install Xwayland and log in again, or draw in the notebook: {command('lab')}"
        )
    return f"There is no screen to open a window on (DISPLAY is not set); {remedy}"


def _missing_library():
    # OpenCV's windows need it, but OpenCV can be imported without it.
    try:
        ctypes.CDLL("libSM.so.6")
    except OSError as error:
        return f"OpenCV's window needs a system library that is missing ({error}). On Debian and Ubuntu: {APT_LINE}"
    return None


def _answers(display):
    """Return whether an X server accepts a connection from here, asked with the library that the window will use."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # Without it OpenCV cannot be imported either, and that error names what is missing.
    xcb.xcb_connect.restype = ctypes.c_void_p
    answers = []

    def connect():
        connection = ctypes.c_void_p(xcb.xcb_connect(os.fsencode(display), None))
        refused = xcb.xcb_connection_has_error(connection)
        xcb.xcb_disconnect(connection)
        answers.append(not refused)

    # On a thread, because it may wait for ever: the screen of an ssh connection that has died accepts, and is silent.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return answers == [True]
