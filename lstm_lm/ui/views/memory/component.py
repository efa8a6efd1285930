"""The Memory view's component: a text coloured by what still matters, and the charts beside it.

Its Python face; the rest is memory.html, memory.css and the ES modules in static/. It shares the
curves' scales.
"""

from lstm_lm.ui.component import Component


class Memory(Component):
    """How far back a model remembers, on a text.

    Its value only says which model is chosen, {"model": name}: the rest it asks for when it comes
    into view. Its server functions are those of `ui.memory_view.MemoryView`: overview, influences,
    fading, gates and contexts.
    """

    NAME = "memory"
    STYLES = ("workbench",)
