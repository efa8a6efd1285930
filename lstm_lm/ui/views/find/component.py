"""The Find view: other places where the same units are on, and the units that follow marks.

Its Python face; the rest is find.html, find.css and the ES modules in static/.
"""

from lstm_lm.ui.component import Component


class Find(Component):
    """A text to choose and mark spans in; what it shows it fetches itself, once it is in view.

    Its value names the model, and may name a place: `model`, `layer`, `signal`, `start`, `stop`,
    `threshold`, `notes`. Its server functions are those of `ui.find_view`: text, places, follows
    and color.
    """

    NAME = "find"
    STYLES = ("workbench", "units")
