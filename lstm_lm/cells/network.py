"""Network: embedding, stacked recurrent cells, decoder, and the tokenizer beside them.

A plain network that knows no doors: nothing of optimizers, files, writing or pages. `forward` is
the fused way through the cell (torch's own kernel, one call over all steps); `scan.py` and
`stepper.py` are the other two, and the tests hold the three against each other.
"""

import threading
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from lstm_lm.cells.cell import State
from lstm_lm.cells.kinds import cell_of
from lstm_lm.cells.stepper import Engine
from lstm_lm.config import ModelConfig
from lstm_lm.text.tokenizer import Tokenizer


class Network(nn.Module):
    """A recurrent language model over the tokens of its tokenizer.

    Args:
        config: the sizes; its vocab_size is the tokenizer's.
        tokenizer: turns text into token ids and back.
        dropout: fraction of each layer's outputs set to zero while training (not of the embeddings:
            that was tried, and cost 0.07 nats a character at equal time).
        weight_dropout: fraction of the recurrent weights set to zero at each training step
            (Merity, Keskar and Socher 2018, "Regularizing and Optimizing LSTM Language Models").
        embedding_dropout: fraction of the tokens whose embedding is zero at a training step.
        seed: of the first weights; None leaves them to be loaded.
    """

    def __init__(
        self,
        config: ModelConfig,
        tokenizer: Tokenizer,
        *,
        dropout: float = 0.0,
        weight_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        seed: int | None = 1,
    ) -> None:
        super().__init__()
        assert config.vocab_size == tokenizer.vocab_size
        self.config = config
        self.tokenizer = tokenizer
        self.name = ""  # what it was loaded as, for titles
        self.dropout = dropout
        self.weight_dropout = weight_dropout
        self.embedding_dropout = embedding_dropout
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.cell = cell_of(config.cell)
        self.rnn = self.cell.module(config.embedding_size, config.hidden_size, config.layers)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.folder: Path | None = None
        """Where it was loaded from."""
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()
        if seed is not None:
            self.reset_parameters(seed)

    def reset_parameters(self, seed: int) -> None:
        """First weights: orthogonal recurrent ones, and forget gates that begin by keeping.

        Saxe, McClelland and Ganguli 2014 for the former; the latter is the cell's own.
        """
        generator = torch.Generator().manual_seed(seed)
        H = self.config.hidden_size
        with torch.no_grad():
            self.embedding.weight.normal_(0.0, 1.0, generator=generator)
            for name, weight in self.rnn.named_parameters():
                if name.startswith("weight_hh"):
                    for gate in weight.split(H):
                        nn.init.orthogonal_(gate, generator=generator)
                elif name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(weight, generator=generator)
                else:
                    weight.zero_()
                    if name.startswith("bias_ih"):
                        self.cell.first_biases(weight)
            nn.init.xavier_uniform_(self.decoder.weight, generator=generator)
            self.decoder.bias.zero_()

    def zero_state(self, batch_size: int = 1) -> State:
        """The state before any text: two zero tensors (layers, batch_size, units)."""
        shape = (self.config.layers, batch_size, self.config.hidden_size)
        zeros = torch.zeros(shape, device=self.decoder.weight.device)
        return zeros, zeros.clone()

    def forward(self, token_ids: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits of the next token after each token, and the state after the last.

        Args:
            token_ids: (batch, steps) int64.
            state: from `zero_state` or an earlier call.

        Returns:
            Logits (steps, batch, V), time first as the recurrence makes them, and the new state.
        """
        outputs, state = self.hidden_states(token_ids, state)
        return self.decoder(outputs), state

    def hidden_states(self, token_ids: Tensor, state: State) -> tuple[Tensor, State]:
        """The last layer's hidden state after each token, (steps, batch, units), and the state."""
        x = self._embed(token_ids.t())  # (T, B, E)
        weights = [
            functional.dropout(weight, self.weight_dropout, self.training)
            if name.startswith("weight_hh")
            else weight
            for name, weight in self.rnn.named_parameters()
        ]
        between = self.dropout if self.training and self.config.layers > 1 else 0.0
        how = (True, self.config.layers, between, self.training, False, False)
        outputs, state = self.cell.fused(x, state, weights, how)
        return functional.dropout(outputs, self.dropout, self.training), state

    def _embed(self, token_ids: Tensor) -> Tensor:
        weight = self.embedding.weight
        if self.training and self.embedding_dropout:
            # Whole tokens are dropped: one draw a row (Gal and Ghahramani 2016).
            rows = functional.dropout(
                weight.new_ones(len(weight), 1), self.embedding_dropout, training=True
            )
            weight = weight * rows
        return functional.embedding(token_ids, weight)

    @property
    def engine(self) -> Engine:
        """The one-token step over this model's weights, as they are when first asked for."""
        with self._engine_lock:
            if self._engine is None:
                self._engine = Engine(self.config, self.weights())
            return self._engine

    def train(self, mode: bool = True) -> Self:
        """Switch dropout on or off; weights that may change make the engine stale."""
        self._engine = None
        return super().train(mode)

    def weights(self) -> dict[str, Tensor]:
        """Name -> weight, detached and contiguous, as the weight file holds them."""
        return {name: weight.detach().contiguous() for name, weight in self.named_parameters()}
