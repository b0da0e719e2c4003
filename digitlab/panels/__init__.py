"""Panels: what a drawing pad can do besides reading. They are handed to it: ``DrawingPad(panels=[StepsPanel()])``."""

from digitlab.panels.inside import InsidePanel
from digitlab.panels.keep import KeepPanel, small_examples
from digitlab.panels.panel import Panel, SavePanel, StepsPanel
from digitlab.panels.teach import LabelPanel, TeachPanel, kept_drawings

__all__ = [
    "InsidePanel",
    "KeepPanel",
    "LabelPanel",
    "Panel",
    "SavePanel",
    "StepsPanel",
    "TeachPanel",
    "kept_drawings",
    "small_examples",
]
