"""The six signals of an LSTM cell: their names, in one place, and what each one is.

At step t a layer has input x_t, previous hidden state h_{t-1} and previous cell state c_{t-1}:

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)
    f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    g_t = tanh   (W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
    o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

(Hochreiter and Schmidhuber 1997; the forget gate: Gers, Schmidhuber and Cummins 2000.)
Knows nothing of tensors: arrays, exports, the API and the page all spell the names from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One of the cell's signals, as people and plots need it."""

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
    """Which quarter of the weight rows (i, f, g, o as in torch.nn.LSTM); None for a state."""


INFINITE = float("inf")

LSTM_SIGNALS: tuple[Signal, ...] = (
    Signal(name="input_gate", symbol="i", label="Input gate", plain="write",
           low=0.0, high=1.0, row=0),
    Signal(name="forget_gate", symbol="f", label="Forget gate", plain="keep",
           low=0.0, high=1.0, row=1),
    Signal(name="candidate", symbol="g", label="Candidate", plain="new value",
           low=-1.0, high=1.0, row=2),
    Signal(name="output_gate", symbol="o", label="Output gate", plain="show",
           low=0.0, high=1.0, row=3),
    Signal(name="cell_state", symbol="c", label="Cell state", plain="memory",
           low=-INFINITE, high=INFINITE, row=None),
    Signal(name="hidden_state", symbol="h", label="Hidden state", plain="output",
           low=-1.0, high=1.0, row=None),
)  # fmt: skip
"""In the order of the arrays: the four rows of the weights, then the two states."""

RNN_SIGNALS: tuple[Signal, ...] = (LSTM_SIGNALS[-1],)
"""A plain tanh RNN has one signal, h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)."""

SIGNAL_NAMES: tuple[str, ...] = tuple(signal.name for signal in LSTM_SIGNALS)

SIGNALS_OF_CELL: dict[str, tuple[Signal, ...]] = {"lstm": LSTM_SIGNALS, "rnn": RNN_SIGNALS}
