"""The `digitlab` command. It stands on Python alone, so that it can say what is wrong where a package is broken.

Each command is a module with a docstring, `add_arguments(parser)` and `run(arguments)`; only the one asked for is
imported. Where it says HANDS_ARGUMENTS_ON, `arguments.others` is a list of those that it did not describe.
"""

import argparse
import importlib
import os
import sys

from digitlab.paths import APT_LINE

COMMANDS = {
    "lab": ("digitlab.commands.lab", "open the notebooks in JupyterLab"),
    "train": ("digitlab.train_model", "train the network and save it"),
    "draw": ("digitlab.draw_predict", "draw in a window on the desktop"),
    "evaluate": ("digitlab.commands.evaluate", "tell how well a network reads a file of drawings"),
    "class": ("digitlab_classroom.commands", "look after the digits that a class has handed in"),
    "check": ("digitlab.commands.check", "check that everything a lesson needs is here"),
}


def main(argv=None):
    """Run the `digitlab` command and return its exit status."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv and argv[0] in COMMANDS:
        return main_of(argv[0], argv[1:])
    parser = argparse.ArgumentParser(
        prog="digitlab",
        description="Draw a digit, have it read, and find out how that is possible.",
        epilog="What a command takes: digitlab COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (_, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose, add_help=False)
    parser.parse_args(argv)
    return 0


def main_of(command, argv=None):
    """Run one command and return its exit status: 0 done, 1 could not be done, 2 asked for wrongly, 130 stopped."""
    module_name, purpose = COMMANDS[command]
    try:
        module = importlib.import_module(module_name)
        parser = argparse.ArgumentParser(prog=f"digitlab {command}", description=f"{purpose[0].upper()}{purpose[1:]}.")
        module.add_arguments(parser)
        arguments, others = parser.parse_known_args(argv)
        if others and not getattr(module, "HANDS_ARGUMENTS_ON", False):
            parser.error(f"unrecognized arguments: {' '.join(others)}")
        arguments.others = others
        return module.run(arguments)
    except ImportError as error:
        if "cannot open shared object file" in str(error):
            message = (
                f"OpenCV needs a library of the system that is missing ({error}). On Debian and Ubuntu: {APT_LINE}"
            )
        else:
            message = f"A package is missing or broken ({error}). Find out which: digitlab check"
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; without this Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError) as error:
        has_parts = isinstance(error, OSError) and error.strerror and error.filename
        message = f"{error.filename}: {error.strerror}" if has_parts else str(error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    print(f"digitlab {command}: {message}", file=sys.stderr)
    return 1


def _version():
    from digitlab import __version__

    return f"digitlab {__version__}"


if __name__ == "__main__":
    sys.exit(main())
