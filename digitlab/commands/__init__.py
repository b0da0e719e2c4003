"""The `digitlab` command."""

import argparse
from pathlib import Path

from digitlab.paths import expand


def png_path(text: str) -> Path:
    """Return the path of a picture that a command writes: a `type` for argparse."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text} does not end with .png, as the picture must: it is a PNG file.")
    return expand(text)
