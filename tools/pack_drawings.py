"""Pack collections of drawings into the file that comes with the kit: uv run python tools/pack_drawings.py FOLDER.

The folder holds a file for each collection that is new or has changed, by the names in SOURCES; the others are taken
from the kit. All of their drawings are packed, in their order; `load_drawings` leaves out what the list beside them
names. With --hold-out the writers to hold out are chosen anew: every fifth of a collection, in the order of the SHA-256
of their names. The SHA-256 that is printed belongs into `DRAWINGS_SHA256` of digitlab/people/__init__.py.
"""

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from digitlab import read_drawings
from digitlab.files import atomic_write
from digitlab.people import PEOPLE, every_drawing

SOURCES = {"pendigits": "drawings_pendigits", "unipen": "drawings_unipen", "unipen-letters": "letters_unipen"}
EVERY = 5


def pack(collections):
    """Return the arrays of the packed file: coordinates are kept in tenths of a pixel, as they were recorded."""
    drawings = [drawing for collection in collections.values() for drawing in collection]
    strokes = [stroke for drawing in drawings for stroke in drawing.ink.strokes]
    return {
        "points": np.rint(np.concatenate(strokes) * 10).astype(np.int16),
        "stroke_lengths": np.array([len(stroke) for stroke in strokes], np.uint16),
        "stroke_counts": np.array([len(drawing.ink.strokes) for drawing in drawings], np.uint16),
        "sides": np.array([drawing.ink.size[0] for drawing in drawings], np.uint16),
        "labels": np.array([drawing.label for drawing in drawings]),
        "writers": np.array([drawing.writer for drawing in drawings]),
        "sources": np.repeat(list(collections), [len(collection) for collection in collections.values()]),
    }


def choose_held_out(writers):
    """Return every fifth writer, in the order of the SHA-256 of their names."""
    return sorted(writers, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[::EVERY]


def held_out_writers(collections):
    """Return the rows of the table of held-out writers; who drew digits and letters is held out with both."""
    writers = {source: {drawing.writer for drawing in collection} for source, collection in collections.items()}
    of_letters_alone = writers["unipen-letters"] - writers["unipen"]
    held_out = {source: set(choose_held_out(names)) for source, names in writers.items()}
    held_out["unipen-letters"] = held_out["unipen"] & writers["unipen-letters"] | set(choose_held_out(of_letters_alone))
    return [(source, writer) for source, names in held_out.items() for writer in sorted(names)]


def as_npz(arrays):
    """Return arrays as the bytes of an .npz file: the same arrays, the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            entry = zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, also on Windows.
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return file.getvalue()


def main():
    """Write the files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hold-out", action="store_true")
    arguments = parser.parse_args()
    collections = {}
    for source, name in SOURCES.items():
        if (file := arguments.folder / f"{name}.jsonl.gz").exists():
            collections[source] = read_drawings(file, on_bad_line=print)
        else:
            collections[source] = [drawing for _, drawing in every_drawing() if drawing.source == source]
    content = as_npz(pack(collections))
    atomic_write(PEOPLE / "drawings.npz", content)
    print(f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    if arguments.hold_out:
        rows = [("collection", "writer"), *held_out_writers(collections)]
        atomic_write(PEOPLE / "held_out_writers.tsv", "".join("\t".join(row) + "\n" for row in rows).encode())


if __name__ == "__main__":
    main()
