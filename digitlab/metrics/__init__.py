"""How well a network reads: accuracy, by writer too, calibration, and how well its confidence finds what is no digit.

An empty drawing is never right: it counts as an error in the accuracy, and `misread` returns it. Only the confusion
matrix leaves it out, because no digit is read in it.
"""

from collections.abc import Sequence

import numpy as np

from digitlab.ink import Drawing
from digitlab.metrics.intervals import roc_interval, wilson_interval
from digitlab.recognizer import Prediction

CALIBRATION_BINS = 15
"""Number of equal parts of 0..1 in which confidence is compared with accuracy."""

DIGITS = frozenset("0123456789")
"""The labels of digits."""


def evaluate(drawings: Sequence[Drawing], predictions: Sequence[Prediction]) -> dict:
    """Measure how well a network reads drawings.

    Parameters
    ----------
    drawings : sequence of Drawing
        Each with its label. Those whose label is no digit count only for ``others`` and ``auroc``.
    predictions : sequence of Prediction
        What a network reads in each.

    Returns
    -------
    dict
        ``drawings``
            Number of drawings whose label is a digit.
        ``accuracy``
            Share of them that are right (`is_right`).
        ``accepted``, ``accepted_accuracy``
            Share of them that a digit is read in, and the accuracy among those (None if there are none).
        ``ece``
            Expected calibration error: the difference between confidence and accuracy, averaged over 15 equal bins of
            confidence, weighted with the number of drawings in each (C. Guo et al., "On Calibration of Modern Neural
            Networks", 2017).
        ``per_digit``
            For each digit that occurs: ``drawings``, ``accuracy``, ``accepted``, ``interval`` (of the accuracy).
        ``confusion``
            10 x 10 counts: the row is the label, the column the most probable digit. Empty drawings are left out.
        ``empty``
            Only if there are any: number of empty drawings among ``drawings``. They count as errors.
        ``others``, ``auroc``
            Only if some labels are no digits: number of those drawings, and the area under the ROC curve of confidence,
            the probability that a digit gets a higher confidence than another drawing.
        ``intervals``
            The 95 % interval, two numbers or None, of each of the figures above that is a single share or area.
        ``writers``
            Only if writers are known: as `per_writer` returns it.
        ``per_source``
            Only if the drawings come from several collections: for each of them ``drawings``, ``accuracy``,
            ``accepted``, ``interval`` (of the accuracy) and ``writers``.

    Raises
    ------
    ValueError
        If no drawing is labelled with a digit.
    """
    is_digit = np.array([drawing.label in DIGITS for drawing in drawings], bool)
    if not is_digit.any():
        raise ValueError("There is nothing to measure: no drawing is labelled with a digit, 0 to 9.")
    confidence = np.array([prediction.confidence for prediction in predictions])
    digits = [prediction for prediction, keep in zip(predictions, is_digit, strict=True) if keep]
    labels = np.array([int(drawing.label) for drawing, keep in zip(drawings, is_digit, strict=True) if keep])
    most_probable = np.array([prediction.probabilities.argmax() for prediction in digits])
    accepted = np.array([prediction.digit is not None for prediction in digits])
    right = np.array([is_right(*pair) for pair in zip(drawings, predictions, strict=True)])[is_digit]
    empty = np.array([prediction.reason == "empty" for prediction in digits])
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels[~empty], most_probable[~empty]), 1)
    figures = {
        "drawings": len(digits),
        "accuracy": _share(right),
        "accepted": _share(accepted),
        "accepted_accuracy": _share(right[accepted]),
        "ece": calibration_error(confidence[is_digit], right),
        "per_digit": {
            str(digit): {
                "drawings": int((labels == digit).sum()),
                "accuracy": _share(right[labels == digit]),
                "accepted": _share(accepted[labels == digit]),
                "interval": wilson_interval(right[labels == digit].sum(), (labels == digit).sum()),
            }
            for digit in np.unique(labels)
        },
        "confusion": confusion.tolist(),
        "intervals": {
            "accuracy": wilson_interval(right.sum(), len(right)),
            "accepted": wilson_interval(accepted.sum(), len(right)),
            "accepted_accuracy": wilson_interval(right[accepted].sum(), accepted.sum()),
        },
    }
    if empty.any():
        figures["empty"] = int(empty.sum())
    if not is_digit.all():
        figures["others"] = int((~is_digit).sum())
        figures["auroc"] = roc_area(confidence[is_digit], confidence[~is_digit])
        figures["intervals"]["auroc"] = roc_interval(figures["auroc"], len(digits), figures["others"])
    its_drawings = [drawing for drawing, keep in zip(drawings, is_digit, strict=True) if keep]
    if any(drawing.writer is not None for drawing in its_drawings):
        figures["writers"] = per_writer(its_drawings, right)
    sources = np.array([drawing.source or "" for drawing in its_drawings])
    if len(set(sources)) > 1:
        figures["per_source"] = {
            str(source): _of_source(its_drawings, sources == source, right, accepted) for source in np.unique(sources)
        }
    return figures


def per_writer(drawings: Sequence[Drawing], right: np.ndarray) -> dict:
    """Measure how well each writer is read. Those of two collections are different writers.

    Parameters
    ----------
    drawings : sequence of Drawing
        Those whose writer is not known are left out.
    right : bool array (n,)
        Whether each of them is read right.

    Returns
    -------
    dict
        ``count``
            Number of writers.
        ``worst``
            The five that are read worst, the worst first: ``source``, ``writer``, ``drawings``, ``accuracy``,
            ``interval``. Of several with the same accuracy, those with more drawings come first.
        ``worst_tenth``
            The tenth of the writers (rounded up) that is read worst, together: number of ``writers`` and of their
            ``drawings``, ``accuracy``, ``interval``. They were picked for their errors, so some of it is bad luck.
    """
    counts = {}
    for drawing, is_it in zip(drawings, right, strict=True):
        if drawing.writer is not None:
            count, count_right = counts.get((drawing.source, drawing.writer), (0, 0))
            counts[drawing.source, drawing.writer] = count + 1, count_right + int(is_it)
    worst_first = sorted(counts.items(), key=lambda item: (item[1][1] / item[1][0], -item[1][0], str(item[0])))
    tenth = worst_first[: -(-len(worst_first) // 10)]
    count, count_right = np.sum([pair for _, pair in tenth], axis=0).tolist() if tenth else (0, 0)
    return {
        "count": len(counts),
        "worst": [
            {"source": source, "writer": writer, **_of_counts(*pair)} for (source, writer), pair in worst_first[:5]
        ],
        "worst_tenth": {"writers": len(tenth), **_of_counts(count, count_right)},
    }


def is_right(drawing: Drawing, prediction: Prediction) -> bool:
    """Return whether a drawing's label is the most probable digit, accepted or not; an empty drawing is never right."""
    return prediction.reason != "empty" and str(prediction.probabilities.argmax()) == drawing.label


def misread(drawings: Sequence[Drawing], predictions: Sequence[Prediction]) -> list[tuple[Drawing, Prediction]]:
    """Return the drawings of digits that are not right (`is_right`), each with its prediction.

    Parameters
    ----------
    drawings : sequence of Drawing
    predictions : sequence of Prediction

    Returns
    -------
    list of (Drawing, Prediction)
        The highest confidence first.
    """
    pairs = [
        (drawing, prediction)
        for drawing, prediction in zip(drawings, predictions, strict=True)
        if drawing.label in DIGITS and not is_right(drawing, prediction)
    ]
    return sorted(pairs, key=lambda pair: -pair[1].confidence)


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Return the expected calibration error, 0..1.

    Parameters
    ----------
    confidence : float array (n,)
        0..1.
    right : bool array (n,)
    bins : int, optional
        Number of equal parts of 0..1.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def roc_area(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Return the area under the ROC curve: the probability that a positive scores above a negative; ties are half.

    Parameters
    ----------
    positives, negatives : float array (n,), (m,)
        Scores that should be high, and scores that should be low.
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / 2 / len(ordered))


def _share(flags):
    return float(flags.mean()) if len(flags) else None


def _of_counts(count, count_right):
    accuracy = count_right / count if count else None
    return {"drawings": count, "accuracy": accuracy, "interval": wilson_interval(count_right, count)}


def _of_source(drawings, chosen, right, accepted):
    """Return the figures of one collection: of the drawings that are chosen, bool (n,)."""
    its_drawings = [drawing for drawing, keep in zip(drawings, chosen, strict=True) if keep]
    return {
        **_of_counts(int(chosen.sum()), int(right[chosen].sum())),
        "accepted": _share(accepted[chosen]),
        "writers": per_writer(its_drawings, right[chosen]),
    }
