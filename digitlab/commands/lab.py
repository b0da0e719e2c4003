"""Open the notebooks in JupyterLab: ``python -m digitlab.commands.lab``, or ``digitlab lab``.

What it opens is the reader's own copy of them (`working_copy`), unless JupyterLab's arguments name a folder or a
notebook.

JupyterLab runs in this process, as it is: with its token, on this machine's own address, after the reader's own
settings. What changes is what it says: the address and how to stop, instead of thirty lines of log and a question
about news. The answer to that question is in ``lab_settings/overrides.json``, a default that the reader's own choice in
JupyterLab's settings goes before.
"""

import argparse
import errno
import logging
import os
import signal
import sys
from pathlib import Path
from urllib.parse import quote

from digitlab.commands import working_copy
from digitlab.paths import HOME, MY_NOTEBOOKS, NOTEBOOKS, shown

HANDS_ARGUMENTS_ON = True
"""Tells `digitlab.commands.main` that arguments not described here are for JupyterLab."""

FIRST_NOTEBOOK = "01_meet_the_digits.ipynb"

SETTINGS = Path(__file__).resolve().parent / "lab_settings"


def add_arguments(parser):
    """Describe the command's arguments to an ArgumentParser."""
    parser.allow_abbrev = False
    parser.add_argument("--port", type=_port, help="the port to use (default: 8888, or the next free one)")
    parser.add_argument("--no-browser", action="store_true", help="open no browser; only print the address")
    parser.add_argument(
        "--reset", action="store_true", help="begin again with a fresh copy of the notebooks; the old one is kept"
    )
    parser.epilog = "All other arguments go on to JupyterLab: a notebook to open, --ip, --debug; see jupyter lab --help"


def run(arguments):
    """Run JupyterLab until it is stopped; return the exit status."""
    first = NOTEBOOKS / FIRST_NOTEBOOK
    if not first.exists():
        raise FileNotFoundError(
            f"The notebooks are missing: there is no {shown(first)}. Bring them back with: git checkout -- notebooks "
            f"(or take the kit's folder afresh)."
        )
    if arguments.port is not None:
        _check_port_is_free(arguments.port)
    start_sooner()
    import zmq
    from jupyterlab.labapp import LabApp
    from traitlets.config import Config

    config = Config()
    # What the command line says goes before all of these.
    config.Application.log_level = logging.ERROR
    config.LabApp.app_settings_dir = str(SETTINGS)
    config.ServerApp.kernel_websocket_connection_class = "digitlab.commands.connection.PromptConnection"
    if zmq.has("curve"):
        # Other accounts of a shared machine cannot listen in, and no kernel warns that they could.
        config.MappingKernelManager.transport_encryption = "auto"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        config.ServerApp.allow_root = True  # In a container there is often nobody but root.
    if arguments.no_browser:
        config.ServerApp.open_browser = False
    if arguments.port is not None:
        config.ServerApp.port = arguments.port
        config.ServerApp.port_retries = 0
    shows_copy = _shows_copy(arguments.others)
    if shows_copy:
        config.ServerApp.root_dir = str(MY_NOTEBOOKS)
    if arguments.reset and (old := working_copy.set_aside()):
        print(f"Your old notebooks are in {shown(old)}.", flush=True)
    if arguments.reset or shows_copy:
        for sentence in working_copy.refresh():
            print(sentence, flush=True)
    if "DIGITLAB_HOME" in os.environ:
        os.environ["DIGITLAB_HOME"] = str(HOME)  # The notebooks run in another folder: a relative path would mislead.
    server = LabApp.initialize_server(argv=arguments.others, config=config)
    notebook = Path(server.root_dir, server.file_to_run or FIRST_NOTEBOOK)
    if server.default_url == f"{server.base_url}lab" and notebook.is_relative_to(server.root_dir) and notebook.exists():
        server.default_url += f"/tree/{quote(notebook.relative_to(server.root_dir).as_posix())}"
    # The server prints its address among other lines, and louder than errors. Here it is printed once.
    server.log.addFilter(lambda record: server.connect_url not in record.getMessage())
    # It listens once its event loop runs: then the address works, and not before.
    server.io_loop.add_callback(_print_address, server)
    signal.signal(signal.SIGINT, lambda *_: _stop(server))
    server.start()
    return 0


def start_sooner():
    """Spare JupyterLab's server a second of its start, half of it on a hub.

    jsonschema would prepare the grammar of international web addresses, which no schema here checks. The package of
    that grammar is optional to it; here it is as if it were not installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)


def _shows_copy(arguments):
    """Tell whether JupyterLab shows the reader's copy: it does unless its arguments name another place."""
    if not arguments:
        return True
    from jupyterlab.labapp import LabApp

    # Only JupyterLab's own reading of its arguments tells a notebook to open from the value of some option.
    reader = LabApp.serverapp_class(log_level=logging.ERROR)
    reader.aliases = {**reader.aliases, **LabApp.aliases}
    reader.parse_command_line(arguments)
    if reader.trait_has_value("root_dir"):
        return False
    return not reader.file_to_run or Path(os.path.abspath(reader.file_to_run)).is_relative_to(MY_NOTEBOOKS)


def _print_address(server):
    # The same address twice, once as a name and once as a number, only makes one wonder which to take.
    address = server.local_url if server.ip == "localhost" and not server.custom_display_url else server.connect_url
    print(f"JupyterLab shows the notebooks at this address:\n\n    {address}\n")
    if Path(server.root_dir) == MY_NOTEBOOKS:
        print(f"They are your own copy, in {shown(MY_NOTEBOOKS)}: change whatever you like.")
    if server.open_browser:
        print("A browser opens it by itself. If none does, copy the address into one.")
    print("Leave this window open: the notebooks run in it. Ctrl-C stops them.", flush=True)


def _stop(server):
    print("\nStopping ...", flush=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # A second Ctrl-C does not wait for the notebooks.
    server.stop(from_signal=True)


def _check_port_is_free(port):
    from tornado.netutil import bind_sockets

    try:
        sockets = bind_sockets(port, "localhost")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "in use by another program, perhaps by another JupyterLab"
        else:
            reason = f"not to be had ({error.strerror})"
        raise ValueError(
            f"Port {port} is {reason}. Choose another one, or leave --port away: then a free one is found."
        ) from None
    for socket in sockets:
        socket.close()


def _port(text):
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port: they are numbers from 1 to 65535")
    return int(text)


def main(argv=None):
    """Run the command as a script."""
    from digitlab.commands.main import main_of

    return main_of("lab", argv)


if __name__ == "__main__":
    sys.exit(main())
