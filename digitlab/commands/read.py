"""The command ``digitlab read``: find the digits on a photo of paper and read them."""

import argparse
import json

from digitlab.commands import png_path
from digitlab.files import atomic_write
from digitlab.paths import SHIPPED_NETWORK, expand, shown

HELP = "find the digits on a photo of paper and read them"


def add_parser(subparsers) -> None:
    """Add the command to the sub-parsers of `digitlab`."""
    parser = subparsers.add_parser(
        "read",
        help=HELP,
        description=f"{HELP.capitalize()}. One line for each row of digits; ? is one that the network is not sure of, "
        "or does not take for a digit. The photo stays on this computer, and nothing of it is kept.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("photo", metavar="PHOTO", help="a JPEG or PNG file of up to 50 megapixels")
    parser.add_argument(
        "--picture",
        type=png_path,
        metavar="OUT.png",
        help="save the photo with a box and the answer at each digit; replaces an older one",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object: each digit with box and confidence")
    parser.add_argument(
        "--model", default=SHIPPED_NETWORK, metavar="PATH", help="the network (default: the one that came with the kit)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the photo and print the answers; return the exit status."""
    from digitlab.paper import find_digits, load_photo
    from digitlab.recognizer import Recognizer

    recognizer = Recognizer.load(arguments.model)
    photo = load_photo(arguments.photo)
    if arguments.picture and arguments.picture.exists() and arguments.picture.samefile(expand(arguments.photo)):
        raise ValueError(f"{shown(arguments.picture)} is the photo itself: give the picture another name.")
    found = find_digits(photo, recognizer)
    predictions = recognizer.predict_many(one.image for one in found)
    if arguments.json:
        print(json.dumps(_record(arguments.photo, photo, found, predictions)))
    elif not found:
        print("No digits were found.")
    else:
        answers = ["?" if prediction.digit is None else str(prediction.digit) for prediction in predictions]
        for row in range(found[-1].row + 1):
            print(" ".join(answer for answer, one in zip(answers, found, strict=True) if one.row == row))
    if arguments.picture:
        import cv2

        from digitlab.photo.picture import mark

        picture = cv2.cvtColor(mark(photo, [one.box for one in found], predictions), cv2.COLOR_RGB2BGR)
        atomic_write(arguments.picture, cv2.imencode(".png", picture)[1].tobytes())
    return 0


def _record(path, photo, found, predictions):
    return {
        "photo": shown(path),
        "size": [photo.shape[1], photo.shape[0]],
        "digits": [
            {
                "box": list(one.box),
                "row": one.row,
                "digit": prediction.digit,
                "reason": prediction.reason,
                "confidence": round(prediction.confidence, 4),
            }
            for one, prediction in zip(found, predictions, strict=True)
        ],
    }
