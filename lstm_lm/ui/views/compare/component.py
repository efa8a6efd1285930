"""The Compare view's component: two models over the same text, on one axis of characters.

Its Python face; the rest is compare.html, compare.css and the ES modules in static/. It draws with
the workbench's heatmap, switches and colours.
"""

from lstm_lm.ui.component import Component


class Compare(Component):
    """Two models side by side on a text.

    Its value only says which model is chosen on the page, {"model": name}: the rest it asks for
    when it comes into view. Its server functions are those of `ui.compare_view.CompareView`: offer,
    compare, paint and place.
    """

    NAME = "compare"
    STYLES = ("workbench",)
