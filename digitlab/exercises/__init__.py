"""The exercises of the notebooks: guesses, checks that know the usual mistakes, a quiz, and a page to hand in.

A check takes the reader's answer, prints "Right." or "Not yet." and what to try, and returns nothing. It never raises,
whatever the answer is. How to write one: see `digitlab.exercises.checking`. The checks are in one module for each
notebook, and their words in hints.toml.
"""

from digitlab.exercises.guesses import compare, guess
from digitlab.exercises.notebook_1 import check_accuracy_of_each, check_black_share, check_closest_means
from digitlab.exercises.notebook_2 import check_slope_filter, check_weights_of_convolution
from digitlab.exercises.notebook_3 import check_mean_loss, check_step, check_updates, check_when_to_stop
from digitlab.exercises.notebook_4 import check_mixed_up, check_most_lost, check_ninety
from digitlab.exercises.notebook_5 import check_gains, check_scale_factor, check_shift
from digitlab.exercises.notebook_6 import check_four, check_no_digit
from digitlab.exercises.questions import quiz, test
from digitlab.exercises.results import progress, report

__all__ = [
    "check_accuracy_of_each",
    "check_black_share",
    "check_closest_means",
    "check_four",
    "check_gains",
    "check_mean_loss",
    "check_mixed_up",
    "check_most_lost",
    "check_ninety",
    "check_no_digit",
    "check_scale_factor",
    "check_shift",
    "check_slope_filter",
    "check_step",
    "check_updates",
    "check_weights_of_convolution",
    "check_when_to_stop",
    "compare",
    "guess",
    "progress",
    "quiz",
    "report",
    "test",
]
