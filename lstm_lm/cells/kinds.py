"""The cells there are, by name: one line each. A test holds them to `config.CELLS`."""

from lstm_lm.cells.cell import Cell
from lstm_lm.cells.gru import GRU
from lstm_lm.cells.lstm import LSTM
from lstm_lm.cells.rnn import RNN

CELLS: dict[str, Cell] = {cell.name: cell for cell in (LSTM(), GRU(), RNN())}


def cell_of(name: str) -> Cell:
    """The cell of this name, which a checked config holds."""
    return CELLS[name]
