"""A text read by a model, every signal of every step kept: how a GateTrace of a text is made.

How a text is read is in `cells/scan.py`. Knows nothing of files or pages.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.cell import State
from lstm_lm.cells.interventions import Change, plan_of
from lstm_lm.cells.network import Network
from lstm_lm.cells.scan import read_stretches
from lstm_lm.errors import UserError
from lstm_lm.traces.trace import GateTrace


def trace_text(
    model: Network,
    text: str,
    state: State | None = None,
    interventions: Sequence[Change] = (),
) -> GateTrace:
    """Every signal of every unit at every step of the text.

    Args:
        model: the model that reads.
        text: at least one token.
        state: (h, c) before the first token, each (layers, 1, units); None: zero.
        interventions: what is held or replaced on the way (`interventions.py`).

    Raises:
        UnknownCharacterError: the tokenizer does not know a character.
        InterventionError: the model has no such layer, unit or signal.
        UserError: the text is empty.
    """
    return trace_tokens(model, model.tokenizer.encode(text), state, interventions)


def trace_tokens(
    model: Network,
    token_ids: npt.NDArray[np.int64],
    state: State | None = None,
    interventions: Sequence[Change] = (),
    position: int = 0,
) -> GateTrace:
    """As `trace_text`, for token ids (steps,) whose first stands at `position` of a whole text."""
    if not len(token_ids):
        raise UserError("the text is empty: give at least one character")
    engine, config = model.engine, model.config
    plan = plan_of(interventions, config)
    shape = (config.layers, len(token_ids), config.hidden_size)
    signals = {name: np.empty(shape, np.float32) for name in engine.signal_names}
    log_probs = np.empty(len(token_ids), np.float32)
    for stretch in read_stretches(engine, token_ids, state, plan, position=position):
        steps = slice(stretch.start, stretch.start + len(stretch.log_probs))
        for layer, of_layer in enumerate(stretch.layers):
            for name, values in signals.items():
                values[layer, steps] = of_layer[name].numpy()
        log_probs[steps] = stretch.log_probs
        state = stretch.state
    return GateTrace(
        tokens=[model.tokenizer.token(token_id) for token_id in token_ids.tolist()],
        token_ids=token_ids,
        signals=signals,
        log_probs=log_probs,
        final_state=state,
        model=model.name,
    )
