"""LanguageModel: embedding, stacked LSTM (or tanh RNN), decoder, and the tokenizer beside them.

Knows nothing of optimizers, files of text or pages. `forward` is the fused way through the cell
(torch.nn.LSTM's own kernel, one call over all steps); `trace.py` and `engine.py` hold the other
two, and the tests hold the three against each other.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lstm_lm.config import ModelConfig, SamplingConfig
from lstm_lm.surroundings.files import expanded
from lstm_lm.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from lstm_lm.cells.interventions import Change
    from lstm_lm.cells.stepper import Engine
    from lstm_lm.traces.trace import GateTrace
    from lstm_lm.writing.generation import Step

State = tuple[Tensor, Tensor]
"""Hidden and cell state, each (layers, batch, units) float32; an RNN's cell state stays zero."""


class LanguageModel(nn.Module):
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
        self.rnn = recurrent_module(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self._weight_names = [name for name, _ in self.rnn.named_parameters()]
        self.folder: Path | None = None
        """Where it was loaded from."""
        self._engine: Engine | None = None
        self._engine_lock = threading.Lock()
        if seed is not None:
            self.reset_parameters(seed)

    def reset_parameters(self, seed: int) -> None:
        """First weights: orthogonal recurrent ones, and forget gates that begin by keeping.

        Saxe, McClelland and Ganguli 2014 for the former; a forget bias of 1: Jozefowicz, Zaremba
        and Sutskever 2015.
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
                    if name.startswith("bias_ih") and self.config.cell == "lstm":
                        weight[H : 2 * H] = 1.0
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
        h, c = state
        if self.config.cell == "lstm":
            # The call below nn.LSTM.forward: it takes weights that dropout has touched.
            outputs, h, c = torch._VF.lstm(x, (h, c), weights, *how)
        else:
            outputs, h = torch._VF.rnn_tanh(x, h, weights, *how)
        return functional.dropout(outputs, self.dropout, self.training), (h, c)

    def _embed(self, token_ids: Tensor) -> Tensor:
        weight = self.embedding.weight
        if self.training and self.embedding_dropout:
            # Whole tokens are dropped: one draw a row (Gal and Ghahramani 2016).
            rows = functional.dropout(
                weight.new_ones(len(weight), 1), self.embedding_dropout, training=True
            )
            weight = weight * rows
        return functional.embedding(token_ids, weight)

    # What a trained model is used for. Each is a thin door to the module that does it.

    @property
    def engine(self) -> "Engine":
        """The one-token step over this model's weights, as they are when first asked for."""
        from lstm_lm.cells.stepper import Engine

        with self._engine_lock:
            if self._engine is None:
                self._engine = Engine(self)
            return self._engine

    def train(self, mode: bool = True) -> "LanguageModel":
        """Switch dropout on or off; weights that may change make the engine stale."""
        self._engine = None
        return super().train(mode)

    def generate(
        self,
        prompt: str,
        sampling: SamplingConfig | None = None,
        *,
        state: State | None = None,
        position: int = 0,
        first: int | None = None,
        interventions: "Sequence[Change]" = (),
    ) -> Iterator["Step"]:
        """Write after the prompt, lazily, one step a token; see `generation.generate`."""
        from lstm_lm.writing.generation import generate

        return generate(
            self,
            prompt,
            sampling or SamplingConfig(),
            state=state,
            position=position,
            first=first,
            interventions=interventions,
        )

    def branch(
        self,
        step: "Step",
        token_id: int,
        sampling: SamplingConfig | None = None,
        *,
        interventions: "Sequence[Change]" = (),
    ) -> Iterator["Step"]:
        """Write this token after the step, and go on from there; see `generation.branch`."""
        from lstm_lm.writing.generation import branch

        sampling = sampling or SamplingConfig()
        return branch(self, step, token_id, sampling, interventions=interventions)

    def complete(
        self,
        prompt: str,
        sampling: SamplingConfig | None = None,
        *,
        interventions: "Sequence[Change]" = (),
    ) -> str:
        """The text that the model writes after the prompt, without the prompt."""
        steps = self.generate(prompt, sampling, interventions=interventions)
        return self.tokenizer.decode(step.token_id for step in steps)

    def trace(
        self, text: str, state: State | None = None, *, interventions: "Sequence[Change]" = ()
    ) -> "GateTrace":
        """Every signal of every unit at every step of the text; see `trace.trace_text`."""
        from lstm_lm.traces.trace import trace_text

        return trace_text(self, text, state, interventions)

    def score(self, text: str, *, interventions: "Sequence[Change]" = ()) -> float:
        """Total log-probability, nats, of every token but the first; see `evaluation.score`."""
        from lstm_lm.writing.evaluation import score

        return score(self, text, interventions)

    def effect(self, text: str, interventions: "Sequence[Change]") -> float:
        """What they do to the text's log-probability, nats; see `evaluation.effect`."""
        from lstm_lm.writing.evaluation import effect

        return effect(self, text, interventions)

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None) -> "LanguageModel":
        """The model of this bundled name, folder or Hub repository id; see `loading.load`."""
        from lstm_lm.store.loading import load

        return load(name, revision=revision)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config, weights and tokenizer into the folder; see `loading.save`."""
        from lstm_lm.store.loading import save

        save(self, expanded(folder))

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        revision: str | None = None,
        license: str | None = None,
    ) -> str:
        """Push the model to the Hub's repository OWNER/NAME and return its address.

        Args:
            repo_id: OWNER/NAME; it is made if it is not there.
            private: whether only its owner may see it.
            revision: a tag to give to the commit, such as "v1.0".
            license: what its card states, as the Hub names it, such as "mit".

        Raises:
            ConfigError: no name of a repository, or no tag.
            HubError: it could not be pushed, and why; see `push.push_folder`.
        """
        from lstm_lm.hub.push import push_model
        from lstm_lm.hub.repository import Target

        target = Target(repo_id=repo_id, private=private, revision=revision, license=license)
        return push_model(self, target).url

    def weights(self) -> dict[str, Tensor]:
        """Name -> weight, detached and contiguous, as the weight file holds them."""
        return {name: weight.detach().contiguous() for name, weight in self.named_parameters()}


def recurrent_module(config: ModelConfig) -> nn.LSTM | nn.RNN:
    """The torch module that holds the recurrent weights, under its own names."""
    kind: Any = nn.LSTM if config.cell == "lstm" else nn.RNN
    return kind(config.embedding_size, config.hidden_size, config.layers)
