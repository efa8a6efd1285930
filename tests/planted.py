"""Models whose weights are set by hand, so that what is to be found in them is known."""

import numpy as np
import torch

from lstm_lm.config import ModelConfig
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import CharTokenizer
from lstm_lm.traces.trace import GateTrace

ALPHABET = "\n.ab"
OPEN, SHUT = 20.0, -20.0  # sigmoid(20) is 1 in float32
STEP = 0.05  # what the counting unit adds a token
COUNTER, LATCH, HALVER, IDLE = range(4)


def hand_set_lstm() -> LanguageModel:
    """Four units over ALPHABET.

    COUNTER adds 0.05 a token and is emptied at a newline; LATCH becomes 1 at the first "a" and
    stays; HALVER's forget gate is 0.5 at every step and it writes 1 at "b"; IDLE never moves.
    """
    V = H = len(ALPHABET)
    model = _blank("lstm", V, H)
    newline, _, a, b = range(V)
    i, f, g, o = (row * H for row in range(4))
    with torch.no_grad():
        model.embedding.weight.copy_(torch.eye(V))
        weights = dict(model.rnn.named_parameters())
        bias, W = weights["bias_ih_l0"], weights["weight_ih_l0"]
        bias[o : o + H] = OPEN
        bias[[i + COUNTER, f + COUNTER, f + LATCH]] = OPEN
        bias[[i + LATCH, i + HALVER, i + IDLE]] = SHUT
        bias[g + COUNTER] = float(np.arctanh(STEP))
        bias[[g + LATCH, g + HALVER]] = OPEN
        W[f + COUNTER, newline] = 2 * SHUT
        W[g + COUNTER, newline] = -float(np.arctanh(STEP))
        W[i + LATCH, a] = 2 * OPEN
        W[i + HALVER, b] = 2 * OPEN
        # COUNTER makes a line's end likelier, LATCH makes "b" likelier and "a" less likely.
        model.decoder.weight[newline, COUNTER] = 4.0
        model.decoder.weight[b, LATCH] = 2.0
        model.decoder.weight[a, LATCH] = -2.0
    return model


def delay_rnn(delay: int = 3) -> LanguageModel:
    """A tanh RNN that says again what it read `delay` tokens before the one that comes.

    Its units are a shift register: a block of V units for each of the last `delay` tokens.
    """
    V = len(ALPHABET)
    H = delay * V
    model = _blank("rnn", V, H)
    with torch.no_grad():
        model.embedding.weight.copy_(torch.eye(V))
        weights = dict(model.rnn.named_parameters())
        weights["weight_ih_l0"][:V] = 2 * torch.eye(V)
        for block in range(1, delay):
            here = slice(block * V, (block + 1) * V)
            weights["weight_hh_l0"][here, (block - 1) * V : block * V] = 2 * torch.eye(V)
        model.decoder.weight[:, -V:] = 10 * torch.eye(V)
    return model


def _blank(cell: str, vocab_size: int, hidden_size: int) -> LanguageModel:
    """A model of one layer whose weights are all zero."""
    config = ModelConfig(
        vocab_size=vocab_size,
        cell=cell,
        layers=1,
        hidden_size=hidden_size,
        embedding_size=vocab_size,
    )
    model = LanguageModel(config, CharTokenizer(ALPHABET), seed=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    return model.requires_grad_(False).eval()


def trace_of(signals: dict[str, np.ndarray], tokens: list[str]) -> GateTrace:
    """A trace of one layer with these signals, each (steps, units)."""
    return GateTrace(
        tokens=tokens,
        token_ids=np.zeros(len(tokens), np.int64),
        signals={name: values[None].astype(np.float32) for name, values in signals.items()},
        log_probs=np.zeros(len(tokens), np.float32),
    )
