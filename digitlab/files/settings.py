"""The settings of a network: how sure it may be."""

import json
from pathlib import Path

from digitlab.paths import remedy, settings_of, shown

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.01, 100.0
"""Limits of the temperature in the settings of a network."""


def read_settings(file: Path | str) -> dict[str, float]:
    """Return the ``temperature`` and the ``threshold`` in the file beside a network; nothing if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    try:
        with open(file, encoding="utf-8") as opened:
            settings = json.loads(opened.read(10_000))
        settings = {name: float(settings[name]) for name in ("temperature", "threshold")}
        if not (MIN_TEMPERATURE <= settings["temperature"] <= MAX_TEMPERATURE and 0 <= settings["threshold"] <= 1):
            raise ValueError
        return settings
    except FileNotFoundError:
        return {}
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError):
        raise ValueError(
            f"{shown(file)} is damaged: it must hold a temperature, {MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}, and a "
            f"threshold, 0 to 1; move it away, and {remedy(file)}"
        ) from None


def check_settings_file(network: Path | str) -> None:
    """Raise ValueError if a file beside a network has the name of its settings, and is something else: it is kept."""
    try:
        read_settings(settings_of(network))
    except ValueError:
        raise ValueError(
            f"No network was saved: the file {shown(settings_of(network))} is in the way. A network's settings need "
            "this name. Move the file away, or give the network another name."
        ) from None
