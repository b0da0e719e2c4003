"""Explore: what the notebooks let one turn and try by hand, each with its still picture."""

from digitlab.explore.knobs import STEPS, Knobs, knob_image
from digitlab.explore.scatter import scatter, scatter_images

__all__ = ["STEPS", "Knobs", "knob_image", "scatter", "scatter_images"]
