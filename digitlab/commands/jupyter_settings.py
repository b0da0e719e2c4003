"""The settings of JupyterLab for this kit: the same for `digitlab lab` and for a seat of a classroom server.

Settings on the command line take precedence over these.
"""

import sys
from pathlib import Path
from typing import Any

FIRST_NOTEBOOK = "01_meet_the_digits.ipynb"
"""The notebook that JupyterLab opens first."""

APP_SETTINGS = Path(__file__).resolve().parent / "lab_settings"
"""The folder with ``overrides.json``: JupyterLab's own defaults as this kit changes them, such as "no news"."""


def settings() -> dict[str, Any]:
    """Return the settings that the kit needs.

    Returns
    -------
    dict of str to object
        The values by their full names, such as ``"LabApp.app_settings_dir"``.
    """
    import zmq

    values = {
        "LabApp.app_settings_dir": str(APP_SETTINGS),
        "ServerApp.kernel_websocket_connection_class": "digitlab.commands.connection.PromptConnection",
        # In seconds. The default is 60. The server waits for a new kernel twice that long, then it closes the page's
        # connection. On a busy computer a kernel may take longer to start.
        "MappingKernelManager.kernel_info_timeout": 300,
    }
    if zmq.has("curve"):
        # Other accounts on the same computer cannot read the messages, and no kernel warns that they could.
        values["MappingKernelManager.transport_encryption"] = "auto"
    return values


def as_options(values: dict[str, Any]) -> list[str]:
    """Return settings as command line options, such as ``--LabApp.app_settings_dir=/a/folder``."""
    return [f"--{name}={value}" for name, value in values.items()]


def start_sooner() -> None:
    """Make JupyterLab's server start one to two seconds sooner; call it before the server is imported.

    The package jsonschema would prepare a large grammar of web addresses, which no schema here uses. jsonschema works
    without the package `rfc3987_syntax` that contains this grammar, so its import is blocked.

    Where Node.js is installed, JupyterLab would start it only to ask for an address from which to build extensions.
    """
    sys.modules.setdefault("rfc3987_syntax", None)
    from jupyterlab import commands

    commands._yarn_config = lambda logger: {"yarn config": {}, "npm config": {}}
