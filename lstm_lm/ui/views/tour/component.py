"""The tour: short stops on the real page, each done when the person has done the thing.

Its Python face; the rest is tour.html, tour.css and the ES modules in static/. It reads the
workbench of the Write view; what it says of the model are the model's own numbers, as the
workbench and the server have them.
"""

from lstm_lm.ui.component import Component


class Tour(Component):
    """A button that begins the tour, and the card that leads through it.

    Its server function is that of `ui.guide`: keeper.
    """

    NAME = "tour"
