"""Train the network and save it: ``python -m digitlab.train_model``, or ``digitlab train``.

Without --output it writes the reader's own network, ``model/my_network``. The network that came with the kit was made
by the same command with ``--recipe full``. It is replaced only if --output names it.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from digitlab.files import check_writable
from digitlab.paths import MY_NETWORK, SHIPPED_NETWORK, command, is_same_network, network_files, shown, typed

HELP = "train the network and save it"


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    parser = subparsers.add_parser("train", help=HELP, description=f"{HELP.capitalize()}.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--recipe",
        choices=("class", "full"),
        default="class",
        help="class: train on MNIST, in about half a minute; full: also train on drawings, mostly by people, and to "
        "tell what is not a digit, as for the network that came with the kit, in up to an hour (default: class)",
    )
    parser.add_argument(
        "--epochs",
        type=_epochs,
        help="number of passes through MNIST's digits (default: 5; full: 22, and then 8 with smaller steps)",
    )
    parser.add_argument(
        "--drawings",
        nargs="*",
        choices=("people", "code", "others"),
        help="with --recipe full: the kinds of drawings to train on besides MNIST, to find out how much each of them "
        "helps: by people, digits by code, other things by code; none, if none is named (default: people others)",
    )
    parser.add_argument("--seed", type=_seed, default=0, help="random seed; the same seed gives the same network (0)")
    parser.add_argument(
        "--output",
        type=Path,
        default=MY_NETWORK,
        metavar="PATH",
        help="the network to write, PATH.keras and PATH.onnx (default: your own, model/my_network)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train a network and save it; return the exit status."""
    from digitlab.data import load_mnist

    if arguments.drawings is not None and arguments.recipe != "full":
        raise ValueError("--drawings is for --recipe full: add that, or leave --drawings out.")
    check_writable(arguments.output)
    (x_train, y_train), (x_test, y_test) = load_mnist()
    files = network_files(arguments.output)
    print("Training. Ctrl-C stops it and changes nothing.", flush=True)
    from digitlab import network
    from digitlab.training import recipe
    from digitlab.training.epochs import Mixture

    if arguments.recipe == "full":
        print(
            "After Ctrl-C the same command goes on with the epoch that was stopped; "
            f"if it was one of the last {recipe.REFINEMENTS}, with the first of these.",
            flush=True,
        )

    network.keras.utils.set_random_seed(arguments.seed)
    start = time.monotonic()
    settings = None
    state = files[0].with_name(f"{files[0].stem}.training")
    callbacks = [network.StopOnInterrupt()]
    try:
        if arguments.recipe == "full":
            model, settings = recipe.train(
                x_train,
                y_train,
                arguments.seed,
                arguments.epochs or recipe.EPOCHS,
                Mixture() if arguments.drawings is None else Mixture.of(arguments.drawings),
                state=state,
                callbacks=callbacks,
            )
        else:
            model = network.build()
            network.train(model, x_train, y_train, arguments.epochs or 5, callbacks=callbacks)
        seconds = time.monotonic() - start
        accuracy = network.accuracy(model, x_test, y_test)
        print(f"It reads {accuracy:.2%} of MNIST's 10,000 test digits, after {seconds:.0f} s of training.")
        network.save(model, arguments.output, settings)
        if arguments.recipe == "full":
            recipe.remove_state(state)
    except OSError as error:
        raise OSError(f"No network was saved ({error}); {shown(files[1])} was not changed.") from error
    except KeyboardInterrupt:
        print(f"\nStopped. Nothing was saved; {shown(files[1])} was not changed.", file=sys.stderr)
        return 130
    print(f"Saved {shown(files[0])} and {shown(files[1])}.")
    option = "" if is_same_network(arguments.output, SHIPPED_NETWORK) else f" --model {typed(files[1])}"
    print(f"Draw with it: {command('draw')}{option}   (in the notebooks: 06_draw)")
    return 0


def _epochs(text):
    return _whole_number(text, 1, 10_000)


def _seed(text):
    return _whole_number(text, 0, 2**32 - 1)


def _whole_number(text, lowest, highest):
    # The length first: Python refuses to make a number of thousands of digits.
    if not (text.isdecimal() and len(text) <= 20 and lowest <= int(text) <= highest):
        raise argparse.ArgumentTypeError(f"it must be a whole number, {lowest:,} to {highest:,}, not {text[:40]}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command as a program of its own."""
    from digitlab.commands.main import main

    return main(["train", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
