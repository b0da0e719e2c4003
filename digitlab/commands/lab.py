"""The command ``digitlab lab``: open the notebooks in JupyterLab.

It opens the reader's own copy of the notebooks (`working_copy`), unless JupyterLab's arguments name a folder or a
notebook.

JupyterLab runs in this process and as usual: with its token, only on this computer, with the reader's own settings. It
only prints less: the address and how to stop it, but no thirty lines of log. JupyterLab does not ask whether it may
show news, because ``lab_settings/overrides.json`` answers the question; the reader's own choice in JupyterLab's
settings takes precedence.
"""

import argparse
import errno
import logging
import os
import signal
from pathlib import Path
from urllib.parse import quote

from digitlab.commands import jupyter_settings, working_copy
from digitlab.commands.jupyter_settings import FIRST_NOTEBOOK
from digitlab.paths import HOME, MY_NOTEBOOKS, NOTEBOOKS, SUBMISSIONS, shown


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    parser = subparsers.add_parser(
        "lab",
        help="open the notebooks in JupyterLab",
        description="Open the notebooks in JupyterLab.",
        epilog="All other arguments are passed on to JupyterLab: a notebook to open, --ip, --debug; "
        "see jupyter lab --help",
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, passes_arguments_on=True)
    parser.add_argument("--port", type=_port, help="the port to use (default: 8888, or the next free one)")
    parser.add_argument("--no-browser", action="store_true", help="open no browser; only print the address")
    parser.add_argument(
        "--reset", action="store_true", help="start again with a fresh copy of the notebooks; the old one is kept"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run JupyterLab until it is stopped; return the exit status."""
    first = NOTEBOOKS / FIRST_NOTEBOOK
    if not first.exists():
        raise FileNotFoundError(
            f"The notebooks are missing: there is no {shown(first)}. Bring them back with: git checkout -- notebooks "
            f"(or download the kit again)."
        )
    if arguments.port is not None:
        _check_port_is_free(arguments.port)
    jupyter_settings.start_sooner()
    from jupyterlab.labapp import LabApp

    if "--help-all" in arguments.others:
        LabApp.launch_instance(["--help-all"])
    values = {**jupyter_settings.settings(), "Application.log_level": logging.ERROR}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        values["ServerApp.allow_root"] = True  # In a container root is often the only user.
    if arguments.no_browser:
        values["ServerApp.open_browser"] = False
    if arguments.port is not None:
        values |= {"ServerApp.port": arguments.port, "ServerApp.port_retries": 0}
    shows_copy = _shows_copy(arguments.others)
    if shows_copy:  # A root_dir in the reader's own configuration is another course's.
        values["ServerApp.root_dir"] = MY_NOTEBOOKS
    if arguments.reset and (old := working_copy.set_aside()):
        print(f"Your old notebooks are in {shown(old)}.", flush=True)
    if arguments.reset or shows_copy:
        for sentence in working_copy.refresh():
            print(sentence, flush=True)
    for variable, folder in (("DIGITLAB_HOME", HOME), ("DIGITLAB_CLASS", SUBMISSIONS)):
        if variable in os.environ:
            os.environ[variable] = str(folder)  # Absolute: the notebooks run in another folder.
    # Of two values for one option JupyterLab takes the later one: the reader's.
    server = LabApp.initialize_server(argv=[*jupyter_settings.as_options(values), *arguments.others])
    notebook = Path(server.root_dir, server.file_to_run or FIRST_NOTEBOOK)
    if server.default_url == f"{server.base_url}lab" and notebook.is_relative_to(server.root_dir) and notebook.exists():
        server.default_url += f"/tree/{quote(notebook.relative_to(server.root_dir).as_posix())}"
    # The server logs its address as if it were an error. `_print_address` prints it.
    server.log.addFilter(lambda record: server.connect_url not in record.getMessage())
    # The address works as soon as the server's event loop runs.
    server.io_loop.add_callback(_print_address, server)
    signal.signal(signal.SIGINT, lambda *_: _stop(server))
    server.start()
    return 0


def _shows_copy(arguments):
    """Return whether JupyterLab shows the reader's copy: yes, unless its arguments name another folder or file.

    Raise ValueError if they are a command of JupyterLab's own.
    """
    if not arguments:
        return True
    from jupyterlab.labapp import LabApp

    # Only JupyterLab's own parser can tell a notebook to open from the value of an option.
    reader = LabApp.serverapp_class(log_level=logging.ERROR)
    reader.aliases = {**reader.aliases, **LabApp.aliases}
    reader.parse_command_line(arguments)
    if reader.subapp is not None:
        raise ValueError(f"{arguments[0]} is a command of JupyterLab's own: jupyter lab {' '.join(arguments)}")
    if reader.trait_has_value("root_dir"):
        return False
    return not reader.file_to_run or Path(os.path.abspath(reader.file_to_run)).is_relative_to(MY_NOTEBOOKS)


def _print_address(server):
    # JupyterLab itself prints two addresses, with a name and with a number. One is enough.
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
        in_use = error.errno == errno.EADDRINUSE
        reason = "is in use by another program, perhaps another JupyterLab" if in_use else f"fails ({error.strerror})"
        raise ValueError(f"Port {port} {reason}. Choose another one, or leave out --port to get a free one.") from None
    for socket in sockets:
        socket.close()


def _port(text):
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"Invalid port {text}: use 1 to 65535.")
    return int(text)
