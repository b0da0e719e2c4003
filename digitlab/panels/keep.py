"""A panel that keeps the ten digits that one drew, so that another notebook can read the same drawings."""

from pathlib import Path

from digitlab.ink import Drawing, Ink, append_drawing
from digitlab.metrics import DIGITS
from digitlab.panels.teach import LabelPanel, kept_drawings
from digitlab.paths import TEN_DIGITS
from digitlab.widgets import button


class KeepPanel(LabelPanel):
    """A button that keeps the drawing with its label, and goes on to the next digit.

    Nothing learns from what it keeps.

    Parameters
    ----------
    drawings : path-like, optional
        The file of drawings; by default ``drawings/ten_digits.jsonl``.
    """

    def __init__(self, drawings: Path | str = TEN_DIGITS):
        self._drawings = drawings
        keep = button("Keep", "Keep this drawing, as the digit that you meant; then draw the next one", self._pressed)
        super().__init__("Keep the ten digits", "kept so far", "kept", [keep])
        kept = self._count_kept()
        missing = DIGITS - {drawing.label for drawing in kept}
        self.label = min(missing or DIGITS)

    def keep(self, label: int | str):
        """Keep the drawing; then clear the canvas and choose the next digit.

        Parameters
        ----------
        label : int or str
            The digit that was meant, 0 to 9.

        Raises
        ------
        ValueError
            Where nothing is drawn, the label is no digit, or the file is of another kind.
        OSError
            Where the file cannot be written; the drawing stays on the canvas.
        """
        append_drawing(self._drawings, self.labelled_ink(label), label)
        self.pad.clear()
        self.label = (int(label) + 1) % len(DIGITS)

    def _pressed(self):
        label = self.label
        try:
            self.keep(label)
        except ValueError as error:
            self.refuse(error)
        except OSError as error:
            self.say_not_kept(error, self._drawings)
        else:
            if kept := self._count_kept():  # Otherwise it has said that they cannot be read.
                missing = DIGITS - {drawing.label for drawing in kept}
                next_one = f"Now draw a {self.label}." if missing else "All ten are kept."
                self.say_kept(f"Kept as a {label}. {next_one}")

    def _count_kept(self):
        return self.count(lambda: kept_drawings(self._drawings))


def small_examples() -> list[Drawing]:
    """Return the kit's ten digits, made small and moved to the lower right, with their labels."""
    return [
        Drawing(Ink([stroke * 0.4 + 150 for stroke in Ink.example(digit).strokes]), str(digit)) for digit in range(10)
    ]
