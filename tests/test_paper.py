"""Digits are found on photos of paper, and whatever else is no photo is refused in one sentence."""

import json
import struct
import zlib

import cv2
import numpy as np
import PIL.Image
import pytest

from digitlab import Ink, load_drawings
from digitlab.ink import read_drawings
from digitlab.metrics import DIGITS
from digitlab.paper import (
    MAX_PIXELS,
    even_light,
    example_photo,
    find_digits,
    find_pieces,
    ink_mask,
    lines_alone,
    load_photo,
    remove_lines,
)
from digitlab.photo.files import EXAMPLE_PHOTO, MAX_SIDE
from digitlab.photo.picture import mark
from digitlab.photo.trace import trace
from digitlab.reader import PhotoReader


def write(photo, ink, x, y, height, pen=None, colour=40):
    """Write an ink on a photo, `height` pixels high with its canvas; return the box of its strokes."""
    strokes = [stroke / ink.size[1] * height + (x, y) for stroke in ink.strokes]
    pen = pen or max(2, round(height / 14))
    for stroke in strokes:
        cv2.polylines(photo, [np.rint(stroke * 16).astype(np.int32)], False, colour, pen, cv2.LINE_AA, 4)
    points = np.concatenate(strokes)
    return [*(points.min(axis=0) - pen / 2), *(np.ptp(points, axis=0) + pen)]


def sheet(digits="0123456789", height=90, width=None, tall=400, light=235):
    """Write digits in two rows on a sheet of paper: uint8 (h, w), and their boxes."""
    half = (len(digits) + 1) // 2
    photo = np.full((tall, width or 150 * half + 60), light, np.uint8)
    boxes = [
        write(photo, Ink.example(int(digit)), 60 + 150 * (number % half), 60 + 150 * (number // half), height)
        for number, digit in enumerate(digits)
    ]
    return photo, np.array(boxes)


def overlap(box, other):
    (x, y, w, h), (x2, y2, w2, h2) = box, other
    common = max(0, min(x + w, x2 + w2) - max(x, x2)) * max(0, min(y + h, y2 + h2) - max(y, y2))
    return common / (w * h + w2 * h2 - common)


def read(photo, recognizer):
    found = find_digits(photo, recognizer)
    return "".join(str(p.digit) for p in recognizer.predict_many(one.image for one in found)), found


def test_digits_are_found_in_reading_order_with_their_boxes(recognizer):
    photo, boxes = sheet("3141592658")
    text, found = read(photo, recognizer)
    assert text == "3141592658"
    assert all(overlap(one.box, box) > 0.7 for one, box in zip(found, boxes, strict=True))


def test_an_empty_sheet_has_no_digits(recognizer):
    rng = np.random.default_rng(0)
    noisy = rng.normal(220, 6, (600, 800, 1)) + rng.normal(0, 2, (600, 800, 3))
    assert find_digits(np.clip(noisy, 0, 255).astype(np.uint8), recognizer) == []
    assert find_digits(np.full((300, 200), 255, np.uint8), recognizer) == []


@pytest.mark.parametrize("colour", [(30, 30, 30), (40, 60, 160), (180, 30, 40), (120, 120, 125), (48, 42, 38)])
def test_pens_of_all_colours_are_read(recognizer, colour):
    grey, _ = sheet("0123456789", light=255)
    share = grey[..., np.newaxis] / 255
    photo = (share * 240 + (1 - share) * colour).astype(np.uint8)
    assert read(photo, recognizer)[0] == "0123456789"


def test_lines_are_taken_away_and_digits_that_cross_them_stay(recognizer):
    photo, _ = sheet("0123456789")
    ruled = photo.copy()
    for y in range(20, 400, 40):
        cv2.line(ruled, (0, y), (ruled.shape[1], y + 12), 175, 2, cv2.LINE_AA)
    for x in range(20, ruled.shape[1], 40):
        cv2.line(ruled, (x, 0), (x - 9, 400), 175, 2, cv2.LINE_AA)
    ruled = np.minimum(ruled, photo)
    clean = remove_lines(even_light(ruled))
    written = photo < 120
    assert (ink_mask(clean) > 0)[written].mean() > 0.9
    assert (ink_mask(clean) > 0)[cv2.dilate(written.astype(np.uint8), np.ones((9, 9))) == 0].mean() < 0.005
    assert read(ruled, recognizer)[0] == "0123456789"


def checked(photo, colour, pitch=30, thick=3):
    """Check a sheet that is written on: the ink shines through the lines."""
    lines = np.zeros_like(photo)
    for y in range(12, photo.shape[0], pitch):
        cv2.line(lines, (0, y), (photo.shape[1], y + 9), 255, thick, cv2.LINE_AA)
    for x in range(7, photo.shape[1], pitch):
        cv2.line(lines, (x, 0), (x - 5, photo.shape[0]), 255, thick, cv2.LINE_AA)
    return (photo * (1 - lines / 255 * (1 - colour / 255))).astype(np.uint8)


def test_a_pencil_on_strong_lines_is_neither_broken_nor_filled(recognizer):
    photo = np.full((900, 2000), 240, np.uint8)
    boxes = []
    for number, digit in enumerate("869806893869832586980689386983"):
        boxes.append(write(photo, Ink.example(int(digit)), 80 + 128 * (number % 15), 200 + 300 * (number // 15), 64))
    pencil = (240 - (240 - photo.astype(float)) * 0.55).astype(np.uint8)
    text, found = read(checked(pencil, 175, 48, 4), recognizer)
    assert text == "869806893869832586980689386983"
    assert all(overlap(one.box, box) > 0.7 for one, box in zip(found, boxes, strict=True))


def test_thick_lines_on_a_small_photo_are_taken_away(recognizer):
    photo, _ = sheet("8698068938", height=70)
    clean = remove_lines(even_light(checked(photo, 150)))
    bare = cv2.erode((photo > 230).astype(np.uint8), np.ones((5, 5))) > 0
    assert (ink_mask(clean) > 0)[bare].mean() < 0.01
    assert read(checked(photo, 150), recognizer)[0] == "8698068938"


def test_lines_are_seen_without_the_ink(recognizer):
    photo, _ = sheet()
    alone = lines_alone(even_light(checked(photo, 150)))
    bare = lines_alone(even_light(checked(np.full_like(photo, 235), 150)))
    assert np.abs(alone.astype(int) - bare)[20:-20, 20:-20].mean() < 2
    assert not lines_alone(even_light(photo)).any()


def test_light_and_shadow_do_not_matter(recognizer):
    photo, _ = sheet("0123456789")
    x = np.linspace(0, 1, photo.shape[1])
    light = (1 - 0.5 * x) * np.where(x > 0.55, 0.6, 1)
    light = cv2.GaussianBlur(np.broadcast_to(light, photo.shape).astype(np.float32), (0, 0), 6)
    assert read((photo * light).astype(np.uint8), recognizer)[0] == "0123456789"


def test_a_sheet_on_a_dark_table_has_only_its_digits(recognizer):
    photo, _ = sheet("271828")
    table = np.full((700, 900), 60, np.uint8)
    table[120 : 120 + photo.shape[0], 150 : 150 + photo.shape[1]] = photo
    turn = cv2.getRotationMatrix2D((450, 350), 6, 1)
    turned = cv2.warpAffine(table, turn, (900, 700), borderMode=cv2.BORDER_REPLICATE)
    assert read(turned, recognizer)[0] == "271828"


def test_a_margin_that_ends_at_the_papers_edge_is_no_one(recognizer):
    photo, _ = sheet("271828", tall=700)
    photo = np.pad(photo, ((0, 0), (100, 0)), constant_values=235)
    cv2.line(photo, (70, 0), (78, 80), 110, 5, cv2.LINE_AA)
    table = np.full((1000, 900), 60, np.uint8)
    table[150 : 150 + photo.shape[0], 100 : 100 + photo.shape[1]] = photo
    assert read(table, recognizer)[0] == "271828"


def test_noise_on_a_dark_table_is_no_digit(recognizer):
    photo = np.full((700, 1100), 40, np.uint8)
    photo[:, :700] = sheet("314159", tall=700, width=700)[0]
    for number in range(4):  # Blots as pale as noise is.
        write(photo, Ink.example(7), 740 + 80 * number, 300, 90, colour=26)
    assert read(photo, recognizer)[0] == "314159"


@pytest.mark.parametrize("margin", [60, 130])
def test_a_table_with_grain_has_no_digits(recognizer, margin):
    grain = np.random.default_rng(0).normal(size=(400 + 2 * margin, 510 + 2 * margin))
    grain = cv2.GaussianBlur(grain, (0, 0), 1)
    photo = np.clip(190 + 30 * grain / grain.std(), 0, 255).astype(np.uint8)
    photo[margin : margin + 400, margin : margin + 510] = sheet("314159")[0]
    assert read(photo, recognizer)[0] == "314159"


def test_a_pale_label_on_a_dark_table_is_no_paper(recognizer):
    photo = np.full((700, 1100), 50, np.uint8)
    photo[150:550, 200:710] = sheet("314159")[0]
    photo[200:330, 850:960] = 235
    write(photo, Ink.example(7), 870, 220, 90)
    assert read(photo, recognizer)[0] == "314159"


def test_a_detached_bar_belongs_to_its_five(recognizer):
    photo = np.full((300, 500), 240, np.uint8)
    for left in (60, 260):
        cv2.polylines(photo, [np.array([(left, 80), (left, 130)])], False, 30, 8, cv2.LINE_AA)
        cv2.ellipse(photo, (left + 5, 160), (45, 38), 0, -100, 140, 30, 8, cv2.LINE_AA)
        cv2.line(photo, (left + 18, 72), (left + 62, 68), 30, 8, cv2.LINE_AA)
    assert len(find_pieces(remove_lines(even_light(photo)))) > 2
    assert read(photo, recognizer)[0] == "55"


def test_two_loops_that_almost_touch_are_one_eight(recognizer):
    photo, _ = sheet("0123456777", tall=500)
    angles = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    eight = Ink([(140, 86) + 40 * circle, (140, 200) + 50 * circle])
    box = write(photo, eight, 60, 360, 94, pen=4)
    assert len(find_pieces(remove_lines(even_light(photo)))) == 12
    text, found = read(photo, recognizer)
    assert text == "01234567778"
    assert overlap(found[-1].box, box) > 0.7


def test_touching_digits_are_told_apart(recognizer):
    photo = np.full((240, 420), 240, np.uint8)
    write(photo, Ink.example(2), 40, 60, 110)
    write(photo, Ink.example(0), 88, 60, 110)
    assert len(find_pieces(even_light(photo))) == 1
    assert read(photo, recognizer)[0] == "20"


def test_wide_digits_that_touch_are_cut_exactly(recognizer):
    photo, _ = sheet("01234567", height=124, tall=560)
    digits = [drawing.ink for drawing in load_drawings("held-out") if drawing.label in DIGITS]
    x, boxes = 60, []
    for ink in (digits[2029], digits[3517]):
        points = np.concatenate(ink.strokes)
        ink = Ink([(stroke - points.min(axis=0)) * 96 / np.ptp(points[:, 1]) for stroke in ink.strokes])
        boxes.append(write(photo, ink, x, 400, 280, pen=8))
        x = boxes[-1][0] + boxes[-1][2] - 7
    assert len(find_pieces(remove_lines(even_light(photo)))) == 9
    found = find_digits(photo, recognizer)
    assert len(found) == 10
    assert all(overlap(one.box, box) > 0.7 for one, box in zip(found[-2:], boxes, strict=True))


@pytest.mark.parametrize(("lean", "pair", "apart"), [(0.4, "00", 54), (0.4, "14", 32), (-0.4, "12", 32)])
def test_leaning_digits_that_touch_are_told_apart(recognizer, lean, pair, apart):
    photo, _ = sheet("01234567", height=110, tall=560)
    for number, digit in enumerate(pair):
        strokes = Ink.example(int(digit)).strokes
        leaning = Ink([stroke @ np.array([[1, 0], [-lean, 1]]) + (140 * lean, 0) for stroke in strokes])
        write(photo, leaning, 60 + number * apart, 380, 110, pen=7)
    assert len(find_pieces(even_light(photo))) == 9
    assert read(photo, recognizer)[0] == "01234567" + pair


def test_an_m_is_not_cut_into_ones(recognizer):
    letters = [drawing.ink for drawing in load_drawings("held-out") if drawing.label in "mw"][:20]
    photo, _ = sheet("3141592658", width=1000, tall=1000)
    for number, letter in enumerate(letters):
        write(photo, letter, 60 + 180 * (number % 5), 380 + 150 * (number // 5), 90)
    found = find_digits(photo, recognizer)
    predictions = recognizer.predict_many(one.image for one in found)
    read_as_digits = [
        one for one, p in zip(found, predictions, strict=True) if one.box[1] > 370 and p.digit is not None
    ]
    assert len(read_as_digits) < 10


@pytest.mark.parametrize("letter", "aen")
def test_a_round_letter_is_not_cut_into_two_digits(recognizer, letter):
    letters = [drawing.ink for drawing in load_drawings("held-out") if drawing.label == letter][:20]
    photo, _ = sheet("3141592658", width=1000, tall=1000)
    for number, ink in enumerate(letters):
        write(photo, ink, 60 + 180 * (number % 5), 380 + 150 * (number // 5), 90)
    found = find_digits(photo, recognizer)
    assert sum(one.box[1] < 370 for one in found) == 10
    assert sum(one.box[1] > 370 for one in found) <= 8


def test_a_page_of_joined_letters_is_soon_given_up(recognizer, monkeypatch):
    letters = [drawing.ink for drawing in load_drawings("held-out") if drawing.label not in DIGITS]
    photo = np.full((1500, 1500), 235, np.uint8)
    for row in range(12):
        x = 60
        for number in range(15):
            _, _, width, _ = write(photo, letters[15 * row + number], x, 40 + 115 * row, 110, pen=5)
            x += width - 5 + (30 if number % 3 == 2 else 0)
    images, run = [], type(recognizer).run
    monkeypatch.setattr(type(recognizer), "run", lambda self, x: images.append(len(x)) or run(self, x))
    find_digits(photo, recognizer)
    assert sum(images) < 5_000


def test_a_pale_digit_that_touches_a_dark_one_is_found(recognizer):
    photo, _ = sheet("0123456789", tall=420)
    pale = write(photo, Ink.example(0), 101, 330, 90, colour=160)
    dark = write(photo, Ink.example(2), 60, 330, 90)
    text, found = read(photo, recognizer)
    assert text == "012345678920"
    assert overlap(found[-2].box, dark) > 0.7
    assert overlap(found[-1].box, pale) > 0.7


def test_what_is_hardly_a_digit_is_kept_among_many_digits_and_left_out_among_letters(recognizer):
    letter = next(drawing.ink for drawing in load_drawings("held-out") if drawing.label == "k")
    photo, _ = sheet("0123456789" * 3, tall=500)
    hardly = write(photo, letter, 60, 370, 90)
    found = find_digits(photo, recognizer)
    assert len(found) == 31
    assert overlap(found[-1].box, hardly) > 0.7
    assert recognizer.predict(found[-1].image).reason == "not a digit"
    for number in range(1, 4):
        write(photo, letter, 60 + 200 * number, 370, 90)
    assert len(find_digits(photo, recognizer)) == 30
    ten, _ = sheet("0123456789", tall=500)
    write(ten, letter, 60, 370, 90)
    assert len(find_digits(ten, recognizer)) == 11
    alone = np.full((500, 400), 235, np.uint8)
    write(alone, letter, 60, 100, 90)
    assert find_digits(alone, recognizer) == []


def test_a_circle_around_digits_is_no_zero(recognizer):
    photo, _ = sheet("3141592658", width=1000, tall=900)
    cv2.circle(photo, (400, 640), 200, 40, 7, cv2.LINE_AA)
    write(photo, Ink.example(7), 360, 590, 90)
    assert read(photo, recognizer)[0] == "31415926587"


def test_a_brown_ring_across_digits_is_no_ink(recognizer):
    photo, _ = sheet()
    ring = cv2.circle(np.zeros_like(photo), (420, 150), 120, 255, 14, cv2.LINE_AA)
    share = cv2.GaussianBlur(ring, (0, 0), 2)[..., np.newaxis] / 255 * 0.6
    coffee = np.array((205, 170, 125)) / 255
    photo = np.repeat(photo[..., np.newaxis], 3, axis=2) * (1 - share * (1 - coffee))
    assert read(photo.astype(np.uint8), recognizer)[0] == "0123456789"


def test_a_piece_of_a_brown_ring_is_no_one(recognizer):
    photo, _ = sheet(tall=520)
    photo = 235 - (235 - photo.astype(float)) * 0.6  # A pale pen: beside it a stain is dark.
    arc = cv2.ellipse(np.zeros(photo.shape, np.uint8), (200, 470), (110, 110), 0, -40, 10, 255, 9, cv2.LINE_AA)
    share = cv2.GaussianBlur(arc, (0, 0), 2)[..., np.newaxis] / 255
    coffee = np.array((200, 175, 145)) / 235
    photo = np.repeat(photo[..., np.newaxis], 3, axis=2) * (1 - share * (1 - coffee))
    assert read(photo.astype(np.uint8), recognizer)[0] == "0123456789"


def test_a_digit_in_brown_or_orange_pencil_is_read(recognizer):
    for colour in ((150, 110, 80), (235, 140, 60)):
        grey, _ = sheet(light=255)
        share = grey[..., np.newaxis] / 255
        photo = (share * 240 + (1 - share) * colour).astype(np.uint8)
        assert read(photo, recognizer)[0] == "0123456789"


def test_what_is_paler_and_thicker_than_the_pen_is_no_ink(recognizer):
    photo, _ = sheet("0123456789")
    photo = np.pad(photo, ((0, 0), (0, 100)), constant_values=235)
    cv2.line(photo, (830, 80), (830, 170), 130, 30, cv2.LINE_AA)
    assert read(photo, recognizer)[0] == "0123456789"


def test_a_digit_in_thick_pencil_is_read_beside_thin_ink(recognizer):
    photo, _ = sheet("0123456789", tall=520)
    write(photo, Ink.example(8), 60, 370, 90, pen=13, colour=130)
    write(photo, Ink.example(5), 210, 370, 90, pen=13, colour=130)
    assert read(photo, recognizer)[0] == "012345678985"


@pytest.mark.parametrize(("large", "small"), [(0, 7), (5, 5), (0, 3), (1, 1)])
def test_a_small_digit_below_the_corner_of_a_large_one_is_another(recognizer, large, small):
    photo, _ = sheet("24680", height=100)
    photo[210:] = 235
    x, y, width, height = write(photo, Ink.example(large), 400, 220, 100)
    corner = np.array([x + width + 10, y + height])
    at = write(np.zeros_like(photo), Ink.example(small), 0, 0, 45)[:2]
    write(photo, Ink.example(small), *(corner - at), 45)
    assert read(photo, recognizer)[0] == f"246{large}{small}"


@pytest.mark.parametrize("height", [40, 400])
def test_small_and_large_digits_are_found(recognizer, height):
    photo = np.full((max(200, height * 2), max(300, height * 4)), 235, np.uint8)
    for number, digit in enumerate((3, 8, 5)):
        write(photo, Ink.example(digit), (0.4 + 1.1 * number) * height, height * 0.5, height)
    assert read(photo, recognizer)[0] == "385"


def test_holes_specks_and_marks_at_the_edge_are_left_out(recognizer):
    photo, _ = sheet("60", tall=420, width=500)
    cv2.circle(photo, (25, 100), 11, 30, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(photo, (25, 300), 11, 30, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(photo, (300, 330), 3, 30, cv2.FILLED, cv2.LINE_AA)
    photo[200:300, 490:] = 20
    assert read(photo, recognizer)[0] == "60"


@pytest.mark.parametrize("turns", range(4))
def test_a_piece_that_the_edge_cuts_is_left_out(turns):
    clean = np.zeros((300, 400), np.uint8)
    for x in (0, 200):
        cv2.line(clean, (x, 80), (x + 60, 140), 200, 6, cv2.LINE_AA)
    assert len(find_pieces(np.ascontiguousarray(np.rot90(clean, turns)))) == 1


def test_a_net_of_thin_lines_is_no_piece():
    clean = np.zeros((600, 800), np.uint8)
    for place in range(60, 541, 120):
        cv2.line(clean, (place, 60), (place, 540), 200, 1)
        cv2.line(clean, (60, place), (540, place), 200, 1)
    assert find_pieces(clean) == []


def test_boxes_are_in_the_photos_own_pixels_also_when_it_is_large(recognizer):
    photo, boxes = sheet("47")
    large = cv2.resize(photo, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    found = find_digits(large, recognizer)
    assert all(overlap(one.box, box * 8) > 0.7 for one, box in zip(found, boxes, strict=True))


def test_a_pale_thin_pen_is_read_beside_a_dark_thick_one(recognizer):
    photo = np.full((400, 660), 240, np.uint8)
    for number, digit in enumerate((3, 5, 8, 2)):
        write(photo, Ink.example(digit), 40 + 150 * number, 40, 100, pen=11, colour=25)
        write(photo, Ink.example(digit), 40 + 150 * number, 220, 100, pen=4, colour=150)
    assert read(photo, recognizer)[0] == "35823582"


# Files


def test_a_turned_photo_is_loaded_upright(tmp_path, recognizer):
    photo, _ = sheet("314159", light=250)
    upright = PIL.Image.fromarray(np.dstack([photo] * 3))
    for orientation, back in {
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_90,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_270,
    }.items():
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        upright.transpose(back).save(tmp_path / "turned.png", exif=exif)
        assert np.array_equal(load_photo(tmp_path / "turned.png"), np.asarray(upright)), orientation
    upright.transpose(PIL.Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=_exif(6), quality=95)
    assert read(tmp_path / "turned.jpg", recognizer)[0] == "314159"


def _exif(orientation):
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("kind", ["png", "webp", "jpg"])
@pytest.mark.parametrize("exif", [b"II*\0", bytes(40)], ids=["short", "zeros"])
def test_a_photo_whose_exif_is_damaged_is_loaded_as_it_is(tmp_path, kind, exif):
    photo, _ = sheet("47")
    PIL.Image.fromarray(photo).save(tmp_path / f"photo.{kind}", exif=b"Exif\0\0" + exif)
    assert np.abs(load_photo(tmp_path / f"photo.{kind}")[..., 0].astype(int) - photo).mean() < 3


def test_an_answer_at_the_edge_is_drawn_on_the_photo(recognizer):
    seven = recognizer.predict(Ink.example(7))
    middle, corner = (250, 200, 40, 60), (555, 2, 40, 60)
    drawn = []
    for x, y, width, height in (middle, corner):
        marked = mark(np.full((400, 600), 255, np.uint8), [(x, y, width, height)], [seven])
        marked[max(0, y - 2) : y + height + 3, x - 2 : x + 1] = 255
        cv2.rectangle(marked, (x - 1, y - 1), (x + width + 1, y + height + 1), (255, 255, 255), 5)
        drawn.append((marked < 255).any(axis=2).sum())
    in_the_middle, in_the_corner = drawn
    assert in_the_corner > 0.6 * in_the_middle


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "I;16"])
def test_photos_of_other_kinds_are_loaded(tmp_path, mode):
    photo, _ = sheet("47", light=255)
    image = PIL.Image.fromarray(photo)
    image = PIL.Image.fromarray(photo.astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    image.save(tmp_path / "photo.png")
    loaded = load_photo(tmp_path / "photo.png")
    assert loaded.shape == (*photo.shape, 3)
    assert np.abs(loaded[..., 0].astype(int) - photo).mean() < 12


def test_transparent_paper_is_white(tmp_path):
    clear = np.zeros((50, 60, 4), np.uint8)
    clear[20:30, 20:40, 3] = 255
    PIL.Image.fromarray(clear).save(tmp_path / "photo.png")
    assert load_photo(tmp_path / "photo.png")[0, 0].tolist() == [255, 255, 255]
    assert load_photo(tmp_path / "photo.png")[25, 25].tolist() == [0, 0, 0]


def bad_files():
    jpeg = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8))[1].tobytes()
    png = cv2.imencode(".png", np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8))[1].tobytes()
    webp = cv2.imencode(".webp", np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8))[1].tobytes()
    header = b"IHDR" + struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    huge = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
    return {
        "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "JPEG"),
        "empty": (b"", "not a photo"),
        "text": (b"Dear reader", "not a photo"),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a photo"),
        "half a jpeg": (jpeg[: len(jpeg) // 2], "damaged"),
        "half a png": (png[: len(png) // 2], "damaged"),
        "half a webp": (webp[: len(webp) // 2], "damaged"),
        "a jpeg's first bytes": (jpeg[:30], "damaged"),
        "a png's first bytes": (png[:20], "damaged"),
        "100 megapixels": (huge, "too large"),
    }


@pytest.mark.parametrize("name", bad_files())
def test_a_bad_file_is_refused_in_a_sentence(tmp_path, name):
    content, words = bad_files()[name]
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        find_digits(path)
    assert "\n" not in str(caught.value)


def test_a_photo_that_is_too_long_is_refused_from_a_file_too(tmp_path):
    PIL.Image.new("L", (33_000, 20), 255).save(tmp_path / "long.png")
    for photo in (tmp_path / "long.png", (tmp_path / "long.png").read_bytes()):
        with pytest.raises(ValueError, match="The photo is too long"):
            find_digits(photo)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="spelt right"):
        find_digits(tmp_path / "nothing.jpg")
    with pytest.raises(ValueError, match="folder"):
        load_photo(tmp_path)


@pytest.mark.parametrize(
    "photo",
    [
        np.zeros((20, 20), np.float32),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((20, 20, 3, 1), np.uint8),
        np.zeros((0, 20), np.uint8),
        np.zeros(20, np.uint8),
        np.array(3, np.uint8),
        np.full((20, 20, 3), np.nan),
        np.broadcast_to(np.uint8(200), (MAX_PIXELS // 1000 + 1, 1000)),
        np.broadcast_to(np.uint8(200), (8, MAX_SIDE + 1)),
    ],
    ids=lambda photo: f"{photo.dtype} {photo.shape}",
)
def test_an_array_that_is_no_photo_is_refused(photo):
    with pytest.raises(ValueError, match=r"photo"):
        find_digits(photo)


@pytest.mark.parametrize("thing", [None, 3, [[0, 255]], np.uint8(3)])
def test_a_thing_that_is_neither_array_nor_path_is_no_photo(thing):
    with pytest.raises(TypeError, match="must be a NumPy array or the path"):
        find_digits(thing)


def hostile_photos():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:600j, -1:1:500j]
    face = 200 - 120 * (x**2 + y**2 < 0.5) + 60 * ((x**2 + y**2 < 0.4) & (y > -0.3))
    face = face - 80 * (((x - 0.25) ** 2 + (y + 0.2) ** 2 < 0.008) | ((x + 0.25) ** 2 + (y + 0.2) ** 2 < 0.008))
    text = np.full((500, 700, 3), 240, np.uint8)
    for row in range(20):
        cv2.putText(text, "the quick brown fox jumps", (20, 25 + 24 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20))
    return {
        "1 x 1": np.zeros((1, 1, 3), np.uint8),
        "1 x 3000": np.full((1, 3000), 200, np.uint8),
        "3000 x 2": np.full((3000, 2, 3), 200, np.uint8),
        "7 x 7": rng.integers(0, 255, (7, 7), np.uint8),
        "black": np.zeros((300, 200, 3), np.uint8),
        "noise": rng.integers(0, 255, (500, 700, 3), np.uint8),
        "checks": np.kron(np.indices((60, 80)).sum(axis=0) % 2, np.ones((8, 8))).astype(np.uint8) * 255,
        "a face": np.clip(cv2.GaussianBlur(face.astype(np.float32), (0, 0), 3), 0, 255).astype(np.uint8),
        "text": text,
        "a gradient": np.tile(np.linspace(0, 255, 600).astype(np.uint8), (400, 1)),
        "not contiguous": np.full((400, 600, 3), 230, np.uint8)[::-2, ::3, ::-1],
    }


@pytest.mark.parametrize("name", hostile_photos())
def test_any_photo_gives_a_list_that_can_be_read(recognizer, name):
    photo = hostile_photos()[name]
    found = find_digits(photo, recognizer)
    for one in found:
        x, y, width, height = one.box
        assert 0 <= x < x + width <= photo.shape[1]
        assert 0 <= y < y + height <= photo.shape[0]
    recognizer.predict_many(one.image for one in found)


# The command


def test_the_command_reads_a_photo_row_by_row(digitlab, tmp_path, monkeypatch):
    photo, boxes = sheet("31415926")
    cv2.imwrite(str(tmp_path / "page.jpg"), photo)
    finished = digitlab("read", tmp_path / "page.jpg", "--picture", tmp_path / "out.png")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.splitlines() == ["3 1 4 1", "5 9 2 6"]
    picture = cv2.imread(str(tmp_path / "out.png"))
    assert picture.shape == (*photo.shape, 3)
    assert not np.array_equal(picture[..., 1], photo)
    before = (tmp_path / "out.png").read_bytes()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert digitlab("read", "~/page.jpg", "--picture", "~/out.png").returncode == 0
    finished = digitlab("read", tmp_path / "out.png", "--picture", tmp_path / "out.png")
    assert "is the photo itself" in finished.stderr
    assert (finished.returncode, (tmp_path / "out.png").read_bytes()) == (1, before)
    finished = digitlab("read", tmp_path / "page.jpg", "--picture", tmp_path / "page.jpg")
    assert "page.jpg does not end with .png" in finished.stderr
    finished = digitlab("read", tmp_path / "page.jpg", "--json")
    record = json.loads(finished.stdout)
    assert record["size"] == [photo.shape[1], photo.shape[0]]
    assert [digit["digit"] for digit in record["digits"]] == [3, 1, 4, 1, 5, 9, 2, 6]
    assert [digit["row"] for digit in record["digits"]] == [0] * 4 + [1] * 4
    assert all(overlap(digit["box"], box) > 0.7 for digit, box in zip(record["digits"], boxes, strict=True))


def test_the_command_refuses_what_is_no_photo_and_says_when_there_is_nothing(digitlab, tmp_path):
    (tmp_path / "page.jpg").write_bytes(b"no photo")
    finished = digitlab("read", tmp_path / "page.jpg")
    assert finished.returncode == 1
    assert finished.stderr.startswith("digitlab read: ")
    assert finished.stderr.count("\n") == 1
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((200, 200), 240, np.uint8))
    finished = digitlab("read", tmp_path / "empty.png")
    assert (finished.returncode, finished.stdout) == (0, "No digits were found.\n")


# Strokes, and the reader


def test_a_traced_digit_is_read_as_the_same_digit(recognizer):
    inks = [trace(255 - sheet(str(digit), light=255)[0]) for digit in range(10)]
    assert [prediction.digit for prediction in recognizer.predict_many(inks)] == list(range(10))
    assert all(len(ink.strokes) <= 5 for ink in inks)
    assert not trace(np.zeros((30, 20), np.uint8))
    blot = cv2.circle(np.zeros((64, 64), np.uint8), (32, 32), 21, 255, -1)
    assert [len(stroke) for stroke in trace(blot).strokes] == [1]
    large = cv2.polylines(np.zeros((800, 600), np.uint8), [np.int32([(50, 20), (550, 20), (250, 780)])], False, 255, 4)
    assert 1 <= len(trace(large).strokes) <= 3


def test_the_reader_puts_right_keeps_and_refuses_in_a_sentence(recognizer, tmp_path):
    file = tmp_path / "drawings.jsonl"
    reader = PhotoReader(sheet("31")[0], recognizer, drawings=file)
    assert reader.answers == [3, 1]
    with pytest.raises(ValueError, match="Click a digit"):
        reader.keep()
    reader.chosen = 1
    reader.put_right(7)
    assert reader.answers == [3, 7]
    reader.keep()
    with pytest.raises(ValueError, match="It is kept as a 7 already"):
        reader.keep()
    assert [drawing.label for drawing in read_drawings(file)] == ["7"]
    with pytest.raises(ValueError, match="A digit must be 0 to 9, not 12"):
        reader.put_right(12)
    with pytest.raises(ValueError, match="not a photo"):
        reader.read(b"no photo")
    assert reader.answers == [3, 7]


@pytest.mark.parametrize("bad", [np.zeros((9, 9, 4), np.uint8), np.zeros((0, 5), np.uint8), np.zeros(5), [1], b"x"])
def test_what_is_no_photo_leaves_the_one_that_is_shown(recognizer, bad):
    reader = PhotoReader(sheet("31")[0], recognizer)
    shown = reader._sheet.photo, reader._sheet.boxes
    with pytest.raises((TypeError, ValueError), match="photo"):
        reader.read(bad)
    assert (reader.answers, (reader._sheet.photo, reader._sheet.boxes)) == ([3, 1], shown)


def test_a_traced_digit_fills_the_middle_of_the_canvas():
    for digit in range(10):
        points = np.concatenate(trace(255 - sheet(str(digit), light=255)[0]).strokes)
        low, high = points.min(axis=0), points.max(axis=0)
        assert np.abs((low + high) / 2 - 140).max() < 15
        assert 150 < (high - low).max() < 220


def test_the_reader_shows_a_photo_before_it_looks_for_digits(recognizer, monkeypatch):
    reader = PhotoReader(sheet("31")[0], recognizer)
    before, seen = reader._sheet.photo, []
    look = lambda photo, _: seen.append((reader._sheet.photo, reader._sheet.boxes)) or []  # noqa: E731
    monkeypatch.setattr("digitlab.reader.find_digits", look)
    reader.read(cv2.resize(sheet("47")[0], (4000, 3000)))
    assert len(seen) == 1
    assert seen[0][0] not in ("", before)
    assert len(seen[0][0]) < 200_000
    assert seen[0][1] == []


def test_the_photo_of_the_kit_is_small_and_read(recognizer):
    assert EXAMPLE_PHOTO.stat().st_size < 300_000
    predictions = recognizer.predict_many(one.image for one in find_digits(example_photo(), recognizer))
    assert len(predictions) > 30
    assert sum(prediction.digit is not None for prediction in predictions) > 0.8 * len(predictions)
