"""How well a network reads: accuracy, calibration, and how well confidence tells digits from other things."""

import numpy as np

CALIBRATION_BINS = 15
DIGITS = frozenset("0123456789")


def evaluate(drawings, predictions):
    """Measure how well a network reads drawings.

    Parameters
    ----------
    drawings : sequence of Drawing
        Each with its label. Those whose label is no digit only enter ``others`` and ``auroc``.
    predictions : sequence of Prediction
        What a network made of each.

    Returns
    -------
    dict
        ``drawings``
            How many digits there are.
        ``accuracy``
            Share of them whose label has the largest probability, accepted or not; an empty drawing is never right.
        ``accepted``, ``accepted_accuracy``
            Share of them that a digit was read in, and the accuracy among those (None where there are none).
        ``ece``
            Expected calibration error: how far confidence and accuracy are apart, averaged over 15 equal bins of
            confidence, each weighted with its drawings (C. Guo et al., "On Calibration of Modern Neural Networks",
            2017).
        ``per_digit``
            For each digit that occurs: ``drawings``, ``accuracy``, ``accepted``.
        ``confusion``
            10 x 10 counts: the row is the label, the column the digit with the largest probability.
        ``others``, ``auroc``
            Only where some labels are no digits: how many, and the area under the ROC curve of confidence, the chance
            that a digit gets a higher confidence than something else.

    Raises
    ------
    ValueError
        Where no drawing is labelled with a digit.
    """
    is_digit = np.array([drawing.label in DIGITS for drawing in drawings], bool)
    if not is_digit.any():
        raise ValueError("There is nothing to measure: no drawing is labelled with a digit, 0 to 9.")
    confidence = np.array([prediction.confidence for prediction in predictions])
    digits = [prediction for prediction, keep in zip(predictions, is_digit, strict=True) if keep]
    labels = np.array([int(drawing.label) for drawing, keep in zip(drawings, is_digit, strict=True) if keep])
    likeliest = np.array([prediction.probabilities.argmax() for prediction in digits])
    accepted = np.array([prediction.digit is not None for prediction in digits])
    right = np.array([is_right(*pair) for pair in zip(drawings, predictions, strict=True)])[is_digit]
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (labels, likeliest), 1)
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
            }
            for digit in np.unique(labels)
        },
        "confusion": confusion.tolist(),
    }
    if not is_digit.all():
        figures["others"] = int((~is_digit).sum())
        figures["auroc"] = roc_area(confidence[is_digit], confidence[~is_digit])
    return figures


def is_right(drawing, prediction):
    """Tell whether a drawing's label has the largest probability, accepted or not; an empty drawing is never right."""
    return prediction.reason != "empty" and str(prediction.probabilities.argmax()) == drawing.label


def misread(drawings, predictions):
    """Return the drawings of digits whose largest probability is another digit's, each with its prediction.

    Parameters
    ----------
    drawings : sequence of Drawing
    predictions : sequence of Prediction

    Returns
    -------
    list of (Drawing, Prediction)
        The largest confidence first.
    """
    pairs = [
        (drawing, prediction)
        for drawing, prediction in zip(drawings, predictions, strict=True)
        if drawing.label in DIGITS and prediction.probabilities.argmax() != int(drawing.label)
    ]
    return sorted(pairs, key=lambda pair: -pair[1].confidence)


def calibration_error(confidence, right, bins=CALIBRATION_BINS):
    """Return the expected calibration error, 0..1.

    Parameters
    ----------
    confidence : float array (n,)
        0..1.
    right : bool array (n,)
    bins : int, optional
        How many equal parts 0..1 is cut into.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def roc_area(positives, negatives):
    """Return the area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    Parameters
    ----------
    positives, negatives : float array (n,), (m,)
        The scores of what should score high, and of what should score low.
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / 2 / len(ordered))


def _share(flags):
    return float(flags.mean()) if len(flags) else None
