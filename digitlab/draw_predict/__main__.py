"""Run as ``python -m digitlab.draw_predict``."""

import sys

from digitlab.draw_predict import main

if __name__ == "__main__":
    sys.exit(main())
