"""The curves: loss over training, several runs over each other, and what each wrote on the way.

Its Python face; the rest is training.html, training.css and the ES modules in static/.
"""

from lstm_lm.ui.component import Component


class Curves(Component):
    """The loss curves and samples of some runs.

    Its value is a payload of `ui/training_view.py`, whole each time.
    """

    NAME = "training"
    STYLES = ("workbench",)
