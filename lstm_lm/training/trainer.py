"""The trainer: a model with its optimizer and streams, and the step that moves them on.

Where a step reads, what dropout drops and how large the learning rate is depend on the seed and
the step's number alone, so a resumed run needs no random state and repeats the uninterrupted one
bit for bit. Knows nothing of evaluation, files or people.
"""

import inspect
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lstm_lm.config import TrainConfig
from lstm_lm.errors import CheckpointError
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.corpus import Corpus, Streams
from lstm_lm.training.device import autocast
from lstm_lm.training.processes import Processes

WARM_UP = 0.05  # of the steps, the learning rate rises
LAST_RATE = 0.02  # of the largest learning rate, at the end of the cosine
BETAS = (0.9, 0.99)
EVALUATION_TOKENS = 120_000  # a longer validation text is evaluated over its first so many
MOST_EVALUATIONS = 12  # within a run, unless more are asked for


class _AdamW(torch.optim.AdamW):
    """AdamW that does not import torch's compiler: two seconds of every start, and never used.

    torch's own decorators import it at the first call of these methods, unless the method under
    them says that it is what to call. A test holds the import away.
    """

    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        for method in (torch.optim.Optimizer.add_param_group, torch.optim.Optimizer.zero_grad):
            plain: Any = inspect.unwrap(method)
            plain.__dict__.setdefault("__dynamo_disable", plain)
        super().__init__(*arguments, **settings)


class Trainer:
    """A model with its optimizer, streams and state, and the step that moves them on.

    Args:
        config: the settings, with `steps` filled in.
        corpus: the text.
        device: where to train.
        dtype: of the fused pass: float32, or bfloat16 for mixed precision.
        processes: those that share the run; each reads its share of the streams.
    """

    def __init__(
        self,
        config: TrainConfig,
        corpus: Corpus,
        device: torch.device,
        dtype: torch.dtype,
        processes: Processes | None = None,
    ) -> None:
        self.config = config
        self.processes = processes or Processes()
        self.share = self.processes.share(config.batch_size)
        self.device = device
        self.dtype = dtype
        self.model = LanguageModel(
            config.model_config(corpus.tokenizer.vocab_size),
            corpus.tokenizer,
            dropout=config.dropout,
            weight_dropout=config.weight_dropout,
            embedding_dropout=config.embedding_dropout,
            seed=config.seed,
        ).to(device)
        self.streams = Streams(
            corpus.training, config.batch_size, config.sequence_length, config.seed
        )
        named = list(self.model.named_parameters())
        self.optimizer = _AdamW(
            [
                {
                    "params": [weight for _, weight in named if weight.dim() > 1],
                    "weight_decay": config.weight_decay,
                },
                # Biases are left alone: decay would pull the forget gates shut.
                {
                    "params": [weight for _, weight in named if weight.dim() < 2],
                    "weight_decay": 0.0,
                },
            ],
            lr=config.learning_rate,
            betas=BETAS,
            fused=device.type in ("cpu", "cuda"),
        )
        # What is called to train: the model, or the model whose gradients are averaged.
        self.replica: nn.Module = self.model
        if self.processes.count > 1:
            self.replica = nn.parallel.DistributedDataParallel(self.model)
        self.state = self._zero_state()
        self.next_step = 0

    def _zero_state(self) -> tuple[Tensor, Tensor]:
        """The state of this process's streams before any text."""
        return self.model.zero_state(self.share.stop - self.share.start)

    @property
    def tokens_a_step(self) -> int:
        """Tokens that one step reads."""
        return self.config.batch_size * self.config.sequence_length

    def learning_rate(self, step: int) -> float:
        """A linear rise over 5 % of the steps, times a cosine from 1 down to 2 %."""
        steps = self.config.steps or 1
        rise = min(1.0, (step + 1) / max(1.0, WARM_UP * steps))
        fall = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * step / steps))
        return self.config.learning_rate * rise * fall

    def train_step(self) -> Tensor:
        """Read the next tokens of every stream, move the weights, and return the loss.

        Returns:
            Mean loss, nats a token, a scalar on the device.
        """
        step = self.next_step
        # Dropout's randomness: of the seed, the step and the process, and of nothing before.
        seed = self.config.seed * 1_000_003 + step + self.processes.rank * 2**40
        torch.manual_seed(seed % 2**63)
        inputs, targets, fresh = self.streams.batch(step)
        inputs, targets = inputs[self.share], targets[self.share]
        if fresh:
            self.state = self._zero_state()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        with autocast(self.device, self.dtype):
            x = torch.from_numpy(inputs).to(self.device)
            logits, state = self.replica(x, self.state)  # (T, B, V)
        y = torch.from_numpy(targets).to(self.device).t().reshape(-1)
        loss = functional.cross_entropy(logits.flatten(0, 1).float(), y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        h, c = state
        self.state = h.detach().float(), c.detach().float()
        self.next_step += 1
        return loss.detach()

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, besides the settings and the text.

        Every process must ask for it at the same step: the state is put together from all.
        """
        tensors = {f"model.{name}": weight for name, weight in self.model.weights().items()}
        h, c = self.state
        tensors["state.h"], tensors["state.c"] = self.processes.gather(h), self.processes.gather(c)
        for name, weight in self.model.named_parameters():
            for key, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        return tensors

    def restore(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Go back to where `tensors` was taken, after `step` steps.

        Raises:
            CheckpointError: the tensors belong to another model.
        """
        try:
            with torch.no_grad():
                for name, weight in self.model.named_parameters():
                    weight.copy_(tensors[f"model.{name}"])
                    self.optimizer.state[weight] = {
                        # AdamW's own count of steps stays on the CPU.
                        key: tensors[f"optimizer.{key}.{name}"].to(
                            "cpu" if key == "step" and self.device.type == "cpu" else self.device
                        )
                        for key in ("step", "exp_avg", "exp_avg_sq")
                    }
            h, c = (tensors[name][:, self.share].contiguous() for name in ("state.h", "state.c"))
            self.state = h.to(self.device), c.to(self.device)
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint is of another model ({error})") from None
        self.next_step = step
