"""The vocabulary of signals: what a cell computes at each step, named once for every cell.

A cell (`lstm.py`, `rnn.py`, `gru.py`) picks from here what it has, and says in which order and by
which equations. Arrays, exports, the API and the page all spell the names from here. Knows nothing
of tensors.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One of a cell's signals, as people and plots need it."""

    name: str
    """The name in arrays, the API and exports."""
    symbol: str
    """The letter in the equations."""
    label: str
    """The term, as a person reads it."""
    plain: str
    """The plain word beside the term; empty where the term says it."""
    low: float
    """Smallest possible value; -inf where there is none."""
    high: float
    """Largest possible value; inf where there is none."""
    row: int | None
    """Which block of H rows of the weights computes it, as in torch's module; None for a state."""

    @property
    def is_gate(self) -> bool:
        """Whether it is a share, 0 to 1, by which something else is multiplied."""
        return (self.low, self.high) == (0.0, 1.0)


INFINITE = float("inf")

INPUT_GATE = Signal(
    name="input_gate", symbol="i", label="Input gate", plain="write", low=0.0, high=1.0, row=0
)
FORGET_GATE = Signal(
    name="forget_gate", symbol="f", label="Forget gate", plain="keep", low=0.0, high=1.0, row=1
)
CANDIDATE = Signal(
    name="candidate", symbol="g", label="Candidate", plain="new value", low=-1.0, high=1.0, row=2
)
OUTPUT_GATE = Signal(
    name="output_gate", symbol="o", label="Output gate", plain="show", low=0.0, high=1.0, row=3
)
CELL_STATE = Signal(
    name="cell_state", symbol="c", label="Cell state", plain="memory",
    low=-INFINITE, high=INFINITE, row=None,
)  # fmt: skip
HIDDEN_STATE = Signal(
    name="hidden_state", symbol="h", label="Hidden state", plain="output",
    low=-1.0, high=1.0, row=None,
)  # fmt: skip
RESET_GATE = Signal(
    name="reset_gate", symbol="r", label="Reset gate", plain="look back", low=0.0, high=1.0, row=0
)
UPDATE_GATE = Signal(
    name="update_gate", symbol="z", label="Update gate", plain="keep", low=0.0, high=1.0, row=1
)

LSTM_SIGNALS: tuple[Signal, ...] = (
    INPUT_GATE, FORGET_GATE, CANDIDATE, OUTPUT_GATE, CELL_STATE, HIDDEN_STATE,
)  # fmt: skip
"""In the order of the arrays: the four blocks of the weights, then the two states."""

RNN_SIGNALS: tuple[Signal, ...] = (HIDDEN_STATE,)
"""A plain tanh RNN has one signal."""

GRU_SIGNALS: tuple[Signal, ...] = (
    RESET_GATE, UPDATE_GATE, replace(CANDIDATE, symbol="n"), HIDDEN_STATE,
)  # fmt: skip
"""In the order of the arrays: the three blocks of the weights, then the state."""

SIGNALS_OF_CELL: dict[str, tuple[Signal, ...]] = {
    "lstm": LSTM_SIGNALS,
    "gru": GRU_SIGNALS,
    "rnn": RNN_SIGNALS,
}
"""Cell -> its signals, in the order of its arrays."""

SIGNAL_NAMES: tuple[str, ...] = tuple(signal.name for signal in LSTM_SIGNALS)
"""The six signals of an LSTM."""

VOCABULARY: dict[str, Signal] = {
    signal.name: signal for signal in (*LSTM_SIGNALS, RESET_GATE, UPDATE_GATE)
}
"""Name -> signal, of all cells; one that several have is here as the LSTM has it."""
