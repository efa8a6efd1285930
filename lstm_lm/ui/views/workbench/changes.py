"""What a person changed, in words; and a state that is that of a text, which a link can name.

Knows nothing of gradio.
"""

import dataclasses
from dataclasses import KW_ONLY, dataclass

from lstm_lm.cells.interventions import Change, Intervention, StateChange
from lstm_lm.cells.signals import VOCABULARY
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.ui.views.workbench.branches import quoted

NAMED_UNITS = 6  # units that a sentence names


@dataclass(frozen=True, eq=False)
class StateOfText(StateChange):
    """The state that reading another text leaves, in place before a step."""

    _: KW_ONLY
    text: str
    """The text as the person gave it."""

    def read(self, model: LanguageModel, token_ids: TokenIds) -> "StateOfText":
        """The same with the state that the text leaves in this model.

        Args:
            model: reads the text.
            token_ids: (T,), the text as far as the model can read it.
        """
        return dataclasses.replace(self, state=trace_tokens(model, token_ids).final_state)


def words_of(change: Change, units: int) -> str:
    """A change as it stands after "with": the forget gate of unit 3 of layer 1 held at 0.

    Args:
        change: what is changed.
        units: how many a layer has.
    """
    if isinstance(change, Intervention):
        signal = VOCABULARY[change.signal]
        return f"the {signal.label.lower()} of {_whom(change, units)} held at {plain(change.value)}"
    of = "" if change.layer is None else f" of layer {change.layer + 1}"
    if not isinstance(change, StateOfText):
        return f"the state{of} zeroed"
    text = quoted(change.text)
    if len(change.text) > 40:
        text = f"{quoted(change.text[:18])[:-1]} … {quoted(change.text[-18:])[1:]}"
    return f"the state{of} after reading {text} put in place"


def when(change: Change) -> str:
    """From which step on, counted from 1 as on the page: before step 9, or from step 9 on."""
    if not isinstance(change, Intervention):
        return f"before step {change.start + 1}"
    until = "on" if change.stop is None else f"to step {change.stop}"
    return f"from step {change.start + 1} {until}"


def plain(value: float, digits: int | None = None) -> str:
    """A number with a true minus sign."""
    return (f"{value:g}" if digits is None else f"{value:.{digits}f}").replace("-", "−")


def _whom(held: Intervention, count: int) -> str:
    """The units in words."""
    units = held.units
    if units is None:
        return f"all {count} units of layer {held.layer + 1}"
    if len(units) == 1:
        named = f"unit {units[0]}"
    elif len(units) <= NAMED_UNITS:
        named = f"units {', '.join(map(str, units[:-1]))} and {units[-1]}"
    else:
        named = f"{len(units)} units"
    return f"{named} of layer {held.layer + 1}"
