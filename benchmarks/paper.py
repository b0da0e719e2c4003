"""How well digits are found and read on photos of paper: uv run python benchmarks/paper.py [--pages N] [--seed N].

The pages are made by code. Drawings of the kit's held-out writers are put on paper, 20 to 60 a page: with pens and
pencil, on plain, ruled and checked paper with margins, holes and stains; on one page in four there are letters, too.
Then the page is photographed: table, slant, light, shadow, blur, noise, JPEG. There are three grades: a scan, a good
photo and a bad one. The default is seeds 100 to 159. Those below 100 and from 200 to 699 served to choose how digits
are found.

A digit is found if the box of something found overlaps its own by more than one half (intersection over union). What
overlaps no digit by that much is false. What the network itself says is not a digit is counted apart.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from digitlab import Recognizer, load_drawings
from digitlab.ink import draw_strokes
from digitlab.metrics import DIGITS
from digitlab.paper import find_digits

GRADES = ("scan", "good", "bad")
PENS = {"black": (35, 35, 40), "blue": (45, 60, 150), "grey": (95, 95, 100), "pencil": (120, 120, 122)}
PAPERS = ((252, 252, 250), (248, 243, 230), (235, 236, 240), (230, 225, 215))


def page(rng, grade, digits, letters, longer_side=None):
    """Write digits on a sheet and photograph it.

    Returns
    -------
    photo : uint8 (h, w, 3), RGB
    boxes : float (n, 4)
        x, y, width and height of each digit.
    labels : list of str
    """
    sides = {"scan": (1754, 2339, 3508), "good": (2400, 3264, 4000), "bad": (1280, 1600, 2048)}
    longer = longer_side or int(rng.choice(sides[grade]))
    size = np.array([longer * 3 // 4, longer])
    if rng.random() < 0.25:
        size = size[::-1]
    height = longer * rng.uniform(0.02, 0.05) * (1.25 if grade == "bad" else 1)
    places = _places(rng, size, height, int(rng.integers(20, 61)))
    has_letters = rng.random() < 0.25
    written, labels = [], []
    for number, (corner, side) in enumerate(places):
        is_letter = has_letters and number % 8 == 7
        drawing = (letters if is_letter else digits)[rng.integers(len(letters if is_letter else digits))]
        points = np.concatenate(drawing.ink.strokes)
        low, extent = points.min(axis=0), max(np.ptp(points, axis=0).max(), 1)
        strokes = [(stroke - low) / extent * side + corner for stroke in drawing.ink.strokes]
        written.append((strokes, side, None if is_letter else drawing.label))
    names = rng.choice(list(PENS), 1 + (rng.random() < 0.2))
    sheet = _paper(rng, size, height, grade)
    widths = []
    for pen, name in enumerate(names):
        mine = written[pen :: len(names)]
        width = max(1.6, height * rng.uniform(0.045, 0.13))
        widths.append(width)
        _write(rng, sheet, [strokes for strokes, *_ in mine], name, width)
    matrix = _camera(rng, grade, size)
    boxes = []
    for strokes, _, label in written:
        if label is None:
            continue
        seen = cv2.perspectiveTransform(np.concatenate(strokes)[np.newaxis].astype(np.float64), matrix)[0]
        half = np.mean(widths) / 2
        low, high = seen.min(axis=0) - half, seen.max(axis=0) + half
        boxes.append([*low, *(high - low)])
        labels.append(label)
    return _photograph(rng, grade, sheet, matrix, size, height), np.array(boxes), labels


def _places(rng, size, height, count):
    """Return a corner and a size for each digit: in rows, some close together as in a number, or anywhere."""
    places = []
    margin = 1.5 * height + 0.06 * size.min()
    if rng.random() < 0.3:
        for _ in range(count * 20):
            side = height * rng.uniform(0.6, 2)
            corner = rng.uniform(margin, size - margin - side)
            if all(np.abs(corner + side / 2 - c - s / 2).max() > 0.65 * (s + side) for c, s in places):
                places.append((corner, side))
            if len(places) == count:
                break
        return places
    pitch = height * rng.uniform(1.5, 2.2)
    close = rng.random() < 0.5
    y = margin + rng.uniform(0, 2 * height)
    while y < size[1] - margin - height and len(places) < count:
        x = margin + rng.uniform(0, 3 * height)
        while x < size[0] - margin - height and len(places) < count:
            side = height * np.exp(rng.normal(0, 0.1))
            places.append((np.array([x, y + rng.normal(0, 0.06) * height + (height - side)]), side))
            x += side * rng.uniform(0.75, 1.1) if close and rng.random() < 0.6 else side * rng.uniform(1.2, 2.5)
        y += pitch
    return places


def _paper(rng, size, height, grade):
    """Return an empty sheet: float32 (h, w, 3), 0 to 255."""
    width, tall = size
    sheet = np.empty((tall, width, 3), np.float32)
    sheet[:] = PAPERS[rng.integers(len(PAPERS))]
    grain = cv2.resize(rng.normal(0, 1, (tall // 3, width // 3)).astype(np.float32), (width, tall))
    sheet += grain[..., np.newaxis] * rng.uniform(0.5, 2.5)
    kind = rng.choice(["plain", "ruled", "checked"], p=[0.35, 0.35, 0.3])
    colour = np.array([(165, 185, 220), (190, 190, 195), (175, 200, 190)][rng.integers(3)], np.float32)
    colour = 255 - (255 - colour) * rng.uniform(0.5, 1.1)
    pitch = height * (rng.uniform(1.2, 2.2) if kind == "ruled" else rng.uniform(0.6, 1.2))
    thick = max(1, round(max(size) * rng.uniform(0.0006, 0.0013)))
    lines = np.zeros((tall, width), np.uint8)
    if kind != "plain":
        for y in np.arange(rng.uniform(0, pitch), tall, pitch):
            cv2.line(lines, (0, round(y)), (int(width), round(y)), 255, thick, cv2.LINE_AA)
    if kind == "checked":
        for x in np.arange(rng.uniform(0, pitch), width, pitch):
            cv2.line(lines, (round(x), 0), (round(x), int(tall)), 255, thick, cv2.LINE_AA)
    _blend(sheet, lines, colour)
    if rng.random() < 0.3:
        x = round(width * rng.uniform(0.06, 0.1))
        red = np.zeros_like(lines)
        cv2.line(red, (x, 0), (x, int(tall)), 255, thick + 1, cv2.LINE_AA)
        _blend(sheet, red, np.array((225, 110, 110)))
    if grade != "scan" and rng.random() < 0.25:
        holes = np.zeros_like(lines)
        for y in np.linspace(0.15, 0.85, int(rng.integers(2, 5))) * tall:
            radius = round(0.009 * max(size))
            cv2.circle(holes, (round(width * 0.03), round(y)), radius, 255, cv2.FILLED, cv2.LINE_AA)
        _blend(sheet, holes, rng.uniform(30, 140) * np.ones(3))
    if grade != "scan" and rng.random() < 0.25:
        stain = np.zeros_like(lines)
        middle = tuple(rng.integers(0, size).tolist())
        radius = round(0.1 * max(size) * rng.uniform(0.6, 1.2))
        cv2.circle(stain, middle, radius, 60, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(stain, middle, radius, 200, max(2, radius // 12), cv2.LINE_AA)
        stain = cv2.GaussianBlur(stain, (0, 0), max(size) * 0.002)
        _blend(sheet, stain, np.array((205, 170, 125)), 0.7)
    return sheet


def _write(rng, sheet, drawings, name, width):
    """Write with a pen: it presses unevenly, and a pencil leaves the grain of the paper white."""
    tall, wide = sheet.shape[:2]
    ink = draw_strokes([stroke for strokes in drawings for stroke in strokes], (wide, tall), width)
    if name == "pencil":
        grain = cv2.GaussianBlur(rng.normal(0, 1, (tall, wide)).astype(np.float32), (0, 0), 1)
        ink = ink * np.clip(0.75 + 0.7 * grain, 0.25, 1)
    press = cv2.resize(rng.uniform(0.75, 1, (tall // 40 + 2, wide // 40 + 2)).astype(np.float32), (wide, tall))
    _blend(sheet, ink * press, np.array(PENS[name]) + rng.uniform(-15, 15))


def _blend(sheet, mask, colour, strength=1.0):
    """Darken the sheet as ink does: what is beneath shines through."""
    share = (mask.astype(np.float32) * (strength / 255))[..., np.newaxis]
    sheet *= 1 - share * (1 - np.asarray(colour, np.float32) / 255)


def _camera(rng, grade, size):
    """Return the matrix (3, 3) from the sheet to the photo."""
    turn, slant, low, high = {"scan": (0.7, 0, 1, 1), "good": (4, 0.02, 0.88, 1.02), "bad": (9, 0.05, 0.8, 1)}[grade]
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float64) * size
    angle = np.radians(rng.uniform(-turn, turn))
    cos, sin = np.cos(angle), np.sin(angle)
    seen = (corners - size / 2) @ np.array([[cos, sin], [-sin, cos]]) * rng.uniform(low, high)
    seen += size / 2 + rng.normal(0, slant, (4, 2)) * size / 2
    return cv2.getPerspectiveTransform(corners.astype(np.float32), seen.astype(np.float32))


def _photograph(rng, grade, sheet, matrix, size, height):
    wide, tall = (int(side) for side in size)
    edge = cv2.warpPerspective(np.ones((tall, wide), np.float32), matrix, (wide, tall))[..., np.newaxis]
    table = np.array([(70, 50, 38), (45, 45, 50), (110, 82, 60), (150, 150, 155)][rng.integers(4)], np.float32)
    wood = cv2.resize(rng.normal(0, 1, (max(4, tall // 8), 12)).astype(np.float32), (wide, tall))[..., np.newaxis]
    if grade == "scan":
        table, wood = np.array((250, 250, 250), np.float32), wood * 0
    photo = cv2.warpPerspective(sheet, matrix, (wide, tall), flags=cv2.INTER_AREA)
    photo = photo * edge + (table * (1 + 0.1 * wood)) * (1 - edge)
    y, x = np.mgrid[-1 : 1 : tall * 1j, -1 : 1 : wide * 1j].astype(np.float32)
    strength = {"scan": 0.02, "good": rng.uniform(0.05, 0.2), "bad": rng.uniform(0.1, 0.4)}[grade]
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - strength * (0.5 + 0.5 * (np.cos(angle) * x + np.sin(angle) * y) / 1.41)
    light *= 1 - {"scan": 0, "good": 0.08, "bad": 0.15}[grade] * (x**2 + y**2) / 2
    if rng.random() < {"scan": 0, "good": 0.3, "bad": 0.6}[grade]:
        angle, soft = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.15)
        side = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.5, 0.5)
        light *= 1 - rng.uniform(0.2, 0.5) / (1 + np.exp(np.clip(-side / soft, -30, 30)))
    photo = photo * light[..., np.newaxis] * rng.uniform(0.9, 1, 3)
    share = {"scan": (0.005, 0.01), "good": (0.01, 0.018), "bad": (0.015, 0.035)}[grade]
    photo = cv2.GaussianBlur(photo, (0, 0), max(0.4, height * rng.uniform(*share)))
    noise = {"scan": 1.5, "good": rng.uniform(2, 5), "bad": rng.uniform(5, 11)}[grade]
    photo = photo + rng.normal(0, noise, (tall, wide, 1)) + rng.normal(0, noise / 3, (tall, wide, 3))
    photo = np.clip(photo, 0, 255).astype(np.uint8)
    quality = {"scan": 92, "good": int(rng.integers(80, 95)), "bad": int(rng.integers(50, 80))}[grade]
    return cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def overlap(a, b):
    """Return intersection over union of each box of `a` (n, 4) with each of `b` (m, 4): (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    return common / (a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None] - common)


def measure(photo, boxes, labels, recognizer):
    """Return the counts of one page: digits, found, read right, false, false ones that are said to be no digit."""
    found = find_digits(photo, recognizer)
    predictions = recognizer.predict_many(one.image for one in found)
    overlaps = overlap(boxes, np.array([one.box for one in found], float).reshape(-1, 4))
    hits = [(row.argmax(), label) for row, label in zip(overlaps, labels, strict=True) if row.max(initial=0) > 0.5]
    right = sum(predictions[which].probabilities.argmax() == int(label) for which, label in hits)
    false = np.flatnonzero(overlaps.max(axis=0, initial=0) <= 0.5)
    said_none = sum(predictions[which].reason == "not a digit" for which in false)
    return np.array([len(labels), len(hits), right, len(false) - said_none, said_none])


def cost(path):
    """Find and read the digits of a photo, as a process of its own; print the seconds and the peak memory in MB."""
    recognizer = Recognizer.load()
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        recognizer.predict_many(one.image for one in find_digits(path, recognizer))
        seconds.append(time.perf_counter() - start)
    # Not resource.getrusage: its peak is that of the process, too, that started this one.
    status = Path("/proc/self/status")
    peak = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024 if status.exists() else None
    print(f"{min(seconds):.2f} s" + (f", {peak:.0f} MB" if peak else " (how much memory is told on Linux only)"))


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=60, help="pages of each grade, one for each seed")
    parser.add_argument("--seed", type=int, default=100, help="the first page's seed")
    parser.add_argument("--side", type=int, help="longer side of all photos, in pixels")
    parser.add_argument("--example", type=Path, metavar="PATH", help="make the photo that comes with the kit, and end")
    parser.add_argument("--cost", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cost:
        cost(arguments.cost)
        return
    recognizer = Recognizer.load()
    drawings = load_drawings("held-out")
    digits = [drawing for drawing in drawings if drawing.label in DIGITS]
    letters = [drawing for drawing in drawings if drawing.label not in DIGITS]
    if arguments.example:
        photo, *_ = page(np.random.default_rng([308, 1]), "good", digits, letters, 1280)
        picture = cv2.cvtColor(photo[:1000], cv2.COLOR_RGB2BGR)
        arguments.example.write_bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
        return
    print("grade   digits    found    read right    false    (said to be no digit)")
    for number, grade in enumerate(GRADES):
        counts = np.zeros(5, int)
        for seed in range(arguments.seed, arguments.seed + arguments.pages):
            photo, boxes, labels = page(np.random.default_rng([seed, number]), grade, digits, letters, arguments.side)
            counts += measure(photo, boxes, labels, recognizer)
        n, found, right, false, none = counts
        print(
            f"{grade:<6} {n:>7,}   {found / n:>6.2%}   {right / found:>6.2%}        {false / found:>6.2%}   {none}",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.jpg")
        photo, *_ = page(np.random.default_rng(arguments.seed), "good", digits, letters, 4000)
        cv2.imwrite(str(path), cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        print("a photo of 12 megapixels:", end=" ", flush=True)
        subprocess.run([sys.executable, __file__, "--cost", path], check=True)


if __name__ == "__main__":
    main()
