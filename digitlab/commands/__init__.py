"""The `digitlab` command."""

import argparse
from pathlib import Path


def png_path(text: str) -> Path:
    """Return the path of a picture that a command writes: a `type` for argparse."""
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"The picture will be a PNG file: its name must end with .png, not as {text}.")
    return Path(text)
