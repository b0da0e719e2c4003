"""Explore: what the notebooks let one turn and try by hand, each with its still picture."""

from digitlab.explore.knobs import STEPS, Knobs, knob_image
from digitlab.explore.layers import inside_picture
from digitlab.explore.lens import Lens, feature_map, lens_picture
from digitlab.explore.scatter import scatter, scatter_images
from digitlab.explore.slope import Slope, slope_picture

__all__ = [
    "STEPS",
    "Knobs",
    "Lens",
    "Slope",
    "feature_map",
    "inside_picture",
    "knob_image",
    "lens_picture",
    "scatter",
    "scatter_images",
    "slope_picture",
]
