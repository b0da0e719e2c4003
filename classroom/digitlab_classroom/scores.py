"""How well a network reads the drawings of a class, also for each writer."""

from collections.abc import Sequence

from digitlab.ink import Drawing
from digitlab.metrics import DIGITS, evaluate, is_right
from digitlab.recognizer import Prediction


def scores(drawings: Sequence[Drawing], predictions: Sequence[Prediction]) -> dict:
    """Measure how well a network reads the submissions, also for each writer.

    Parameters
    ----------
    drawings : sequence of Drawing
        Each with its label and its writer.
    predictions : sequence of Prediction
        The network's prediction for each drawing.

    Returns
    -------
    dict
        The figures of `digitlab.metrics.evaluate`; besides them ``right``, the number of drawings that were read
        right, and ``per_writer``: for each pseudonym ``drawings``, ``right`` and ``accuracy``. If no drawing has a
        digit as its label, there are 0 ``drawings`` and the accuracy is None.
    """
    right_of = {}
    for drawing, prediction in zip(drawings, predictions, strict=True):
        if drawing.label in DIGITS:
            right_of.setdefault(drawing.writer, []).append(is_right(drawing, prediction))
    if not right_of:
        return {"drawings": 0, "right": 0, "accuracy": None, "per_digit": {}, "per_writer": {}}
    per_writer = {
        writer: {"drawings": len(right), "right": sum(right), "accuracy": sum(right) / len(right)}
        for writer, right in right_of.items()
    }
    right = sum(map(sum, right_of.values()))
    return {**evaluate(drawings, predictions), "right": right, "per_writer": per_writer}
