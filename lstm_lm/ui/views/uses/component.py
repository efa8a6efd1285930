"""The Try view's component: complete a word, compare two sentences, tell two authors apart.

Its Python face; the rest is uses.html, uses.css and the ES modules in static/.
"""

from lstm_lm.ui.component import Component


class Tryout(Component):
    """What a language model is used for, with something to try.

    Its value only says which model is chosen, {"model": name}: the rest it asks for when it comes
    into view. Its server functions are those of `ui.try_view.TryView`: opening, complete, keys,
    likelier, train and tell.
    """

    NAME = "uses"
    STYLES = ("workbench",)
