"""Panels: what a drawing pad can do besides reading. They are handed to it: ``DrawingPad(panels=[StepsPanel()])``."""

from digitlab.panels.inside import InsidePanel
from digitlab.panels.panel import Panel, SavePanel, StepsPanel
from digitlab.panels.teach import LabelPanel, TeachPanel

__all__ = ["InsidePanel", "LabelPanel", "Panel", "SavePanel", "StepsPanel", "TeachPanel"]
