"""The units' pages: one unit of a model at a time, and links to those worth a look.

Its Python face; the rest is units.html, units.css and the ES modules in static/.
"""

from lstm_lm.ui.component import Component


class UnitPages(Component):
    """The units of one model; what it shows it fetches itself, once it is in view.

    Its value names the model, and may name a place: `model`, `layer`, `unit`, `notes`. Its server
    functions are those of `ui.unit_view`: survey, unit, color, hold and sway.
    """

    NAME = "units"
    STYLES = ("workbench",)
