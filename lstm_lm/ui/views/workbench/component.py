"""The workbench: token strip, heatmap, one unit's line and the numbers of one step.

Its Python face; the rest is workbench.html, workbench.css and the ES modules in static/.
"""

from lstm_lm.ui.component import Component


class Workbench(Component):
    """One text with every gate of every unit at every step.

    Its value is a payload (`ui/payload.py`): a header with the first columns of a run, then
    columns as they are written. Its server functions are those of `ui.handlers`: exact, inside,
    ladder, branch, whatif, columns, order, saturation, line, link and take.
    """

    NAME = "workbench"
