"""Write digits drawn by code into a file of drawings: uv run python tools/made_drawings.py FILE [COUNT].

They are drawn like those that the kit's network was trained on, but with another random seed. Pictures of what it
misreads among them may be shown anywhere; people's drawings may not.
"""

import sys
from pathlib import Path

import numpy as np

from digitlab.training.synthesis import draw_digit

SEED = 20_000


def main():
    """Write the file."""
    file, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    rng = np.random.default_rng(SEED)
    lines = [draw_digit(number % 10, rng).to_json(number % 10) for number in range(count)]
    file.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
