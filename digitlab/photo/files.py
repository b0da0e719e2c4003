"""Load photos."""

import contextlib
import io
import struct
import warnings
from pathlib import Path

import numpy as np
import PIL.Image

from digitlab.paths import expand, shown

MAX_PIXELS = 50_000_000
"""Maximum size of a photo, in pixels."""

MAX_SIDE = 32_766
"""Maximum width and height of a photo, in pixels: OpenCV turns no longer ones."""

EXAMPLE_PHOTO = Path(__file__).parent / "example.jpg"
"""A photo that comes with the kit: drawings of `digitlab.people`, put on paper by ``benchmarks/paper.py --example``."""

_SIGNS = {b"ftypheic": "HEIC", b"ftypheix": "HEIC", b"ftypmif1": "HEIC", b"ftypmsf1": "HEIC", b"ftypavif": "AVIF"}


def load_photo(path: Path | str | bytes) -> np.ndarray:
    """Load a photo, turned upright as the phone says.

    Parameters
    ----------
    path : path-like or bytes
        A JPEG, PNG or WebP file of up to `MAX_PIXELS`; or what is in such a file.

    Returns
    -------
    uint8 array (h, w, 3)
        Red, green and blue.

    Raises
    ------
    ValueError
        If the file is not such a photo, is damaged, or too large.
    FileNotFoundError
        If there is no such file.
    """
    name = "This" if isinstance(path, bytes) else shown(path)
    if not isinstance(path, bytes) and expand(path).is_dir():
        raise ValueError(f"{name} is a folder, not a photo.")
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            _opened(path) as file,
            PIL.Image.open(file, formats=["JPEG", "PNG", "WEBP"]) as image,
        ):
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ValueError(_too_large(width, height))
            image.load()
            turned = _orientation(image)
            photo = np.empty((height, width, 3), np.uint8)
            for top in range(0, height, 256):  # Strip by strip: a second copy of a large photo is 200 MB.
                strip = image.crop((0, top, width, min(top + 256, height)))
                if strip.has_transparency_data:
                    strip = strip.convert("RGBA")
                    strip = PIL.Image.alpha_composite(PIL.Image.new("RGBA", strip.size, "white"), strip)
                elif strip.mode.startswith("I"):  # 16 bits a pixel.
                    strip = PIL.Image.fromarray((np.asarray(strip) >> 8).astype(np.uint8))
                photo[top : top + 256] = strip.convert("RGB")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no photo {name}; is its name spelt right?") from None
    except PIL.Image.DecompressionBombError:
        raise ValueError(f"The photo is too large: at most {MAX_PIXELS // 10**6} megapixels can be read.") from None
    except PermissionError:
        raise
    except (OSError, SyntaxError):
        with _opened(path) as file:
            start = file.read(32)
        raise ValueError(_why_not(name, start)) from None
    # By EXIF's numbers: mirrored or not, then turned by quarters. Views, not copies.
    if turned in (2, 4, 5, 7):
        photo = photo[:, ::-1]
    return np.rot90(photo, {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(turned, 0))


def example_photo() -> np.ndarray:
    """Return the photo that comes with the kit: people's drawings, put on paper by code; uint8 (h, w, 3)."""
    return load_photo(EXAMPLE_PHOTO)


def read_photo(photo: np.ndarray | Path | str | bytes) -> np.ndarray:
    """Return a photo, uint8 (h, w) or (h, w, 3), from a file or as it is. Raises as `load_photo` and `check_photo`."""
    return check_photo(load_photo(photo) if isinstance(photo, (Path, str, bytes)) else photo)


def check_photo(photo: np.ndarray) -> np.ndarray:
    """Return the photo; raise TypeError or ValueError, which says what to do, if it is not one."""
    if not isinstance(photo, np.ndarray):
        raise TypeError(f"A photo must be a NumPy array or the path of a file, not {type(photo).__name__}.")
    if photo.dtype != np.uint8 or photo.ndim not in (2, 3) or (photo.ndim == 3 and photo.shape[2] != 3):
        raise ValueError(
            f"A photo must be uint8, of shape (h, w) or (h, w, 3), not {photo.dtype} of shape {photo.shape}; "
            "load_photo(path) makes one."
        )
    height, width = photo.shape[:2]
    if not height * width:
        raise ValueError("This photo has no pixels.")
    if height * width > MAX_PIXELS:
        raise ValueError(_too_large(width, height))
    if max(height, width) > MAX_SIDE:
        raise ValueError(
            f"The photo is too long: {width:,} x {height:,} pixels, and no side may have more than {MAX_SIDE:,}. "
            "Cut it first."
        )
    return photo


def _too_large(width, height):
    return (
        f"The photo is too large: {width:,} x {height:,} pixels are {width * height / 1e6:.0f} megapixels, and at most "
        f"{MAX_PIXELS // 10**6} can be read. Make it smaller first."
    )


def _orientation(image):
    with contextlib.suppress(SyntaxError, struct.error):  # Damaged EXIF: the photo itself may be whole.
        return image.getexif().get(0x0112, 1)
    return 1


def _opened(path):
    return io.BytesIO(path) if isinstance(path, bytes) else expand(path).open("rb")


def _why_not(name, start):
    kind = next((kind for sign, kind in _SIGNS.items() if sign in start), None)
    if kind:
        return (
            f"{name} is a {kind} photo, which cannot be read here. Export or send it as JPEG: iPhones do that "
            "with Settings > Camera > Formats > Most Compatible."
        )
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    if is_webp or start[:3] == b"\xff\xd8\xff" or start[:8] == b"\x89PNG\r\n\x1a\n":
        return f"{name} is damaged: only a part of the photo is there. Copy it again."
    return f"{name} is not a photo that can be read here: use JPEG or PNG."
