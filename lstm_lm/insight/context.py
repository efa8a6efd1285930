"""How the loss at a position depends on how much context the model was allowed.

The behavioural answer to how long a model remembers: the same targets, predicted from the zero
state after reading only the last n tokens, for n = 1, 2, 4 ... So that 512 tokens need not be read
anew for every single target, a window scores several targets, n / 8 (down to a power of two): what
is said of n tokens is measured with n to n + n / 8 of them, and below 16 with exactly n. Targets
lie in blocks of 64, the same for all n and for all models that are compared; the standard errors
are those over blocks, since neighbours are alike. Knows nothing of what happens inside the cells.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from lstm_lm.errors import UserError
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel
from lstm_lm.writing.evaluation import evaluation_mode

CONTEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
BLOCK = 64  # targets that lie together
TOKENS_AT_ONCE = 32_768  # of a batch, which bounds its memory
NEAR = 0.01  # nats a token: what is left to gain where the reach ends

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LossByContext(Result):
    """Nats a token by the number of tokens that the model was allowed to read before."""

    contexts: tuple[int, ...]
    """Numbers of tokens, rising."""
    loss: Floats
    """(contexts,) nats a token: the mean over all targets."""
    standard_error: Floats
    """(contexts,) of the loss, over blocks of targets."""
    gain: Floats
    """(contexts,) nats a token that the longest context gains over this one."""
    gain_standard_error: Floats
    """(contexts,) of the gain: far smaller, since the targets are the same."""
    targets: int
    """Number of tokens predicted."""

    @property
    def reach(self) -> int:
        """The fewest tokens of context from which on less than 0.01 nats are left to gain."""
        short = np.flatnonzero(self.gain >= NEAR)
        return self.contexts[int(short[-1]) + 1 if len(short) else 0]

    def sentence(self) -> str:
        """How much context is worth having, with numbers."""
        last = self.contexts[-1]
        if self.gain[0] <= 3 * self.gain_standard_error[0]:
            return (
                f"More context than {self.contexts[0]} token makes no difference that stands out: "
                f"{self.loss[0]:.3f} nats a token with it, {self.loss[-1]:.3f} with {last}."
            )
        return (
            f"Context is worth having up to {self.reach} tokens: {self.loss[0]:.3f} nats a token "
            f"after reading {self.contexts[0]}, {self.loss[self.contexts.index(self.reach)]:.3f} "
            f"after {self.reach}, {self.loss[-1]:.3f} ± {self.standard_error[-1]:.3f} after {last}."
        )


@torch.no_grad()
def loss_by_context(
    model: LanguageModel,
    token_ids: npt.NDArray[np.int64],
    *,
    contexts: tuple[int, ...] = CONTEXTS,
    blocks: int = 24,
) -> LossByContext:
    """The loss on the same targets after reading more and more of what stands before them.

    Args:
        model: LSTM or plain RNN.
        token_ids: (steps,) a text that the model was not trained on.
        contexts: numbers of tokens, rising; those that do not fit the text are left out.
        blocks: blocks of 64 targets, spread evenly over the text.

    Raises:
        UserError: the text is too short for two blocks after two different contexts.
    """
    ids = np.asarray(token_ids, dtype=np.int64)
    fitting = tuple(n for n in contexts if n + scored_at_once(n) + 2 * BLOCK <= len(ids))
    if len(fitting) < 2:
        raise UserError(
            f"the text has {len(ids)} tokens, too few to compare contexts in: "
            f"give {contexts[1] + scored_at_once(contexts[1]) + 2 * BLOCK} or more"
        )
    # The first target of each block; blocks do not overlap.
    first, last = fitting[-1] + scored_at_once(fitting[-1]), len(ids) - BLOCK
    count = min(blocks, (last - first) // BLOCK + 1)
    starts = np.linspace(first, last, count).astype(np.int64)
    with evaluation_mode(model):
        by_block = np.stack([_losses(model, ids, starts, n).mean(axis=1) for n in fitting])
    gains = by_block - by_block[-1]  # (contexts, blocks)
    return LossByContext(
        contexts=fitting,
        loss=by_block.mean(axis=1),
        standard_error=_standard_error(by_block),
        gain=gains.mean(axis=1),
        gain_standard_error=_standard_error(gains),
        targets=count * BLOCK,
    )


def scored_at_once(context: int) -> int:
    """How many targets a window of this context scores: a power of two, at most a block.

    >>> [scored_at_once(n) for n in (1, 15, 16, 512)]
    [1, 1, 2, 64]
    """
    return min(BLOCK, 2 ** (max(1, context // 8).bit_length() - 1))


def _losses(
    model: LanguageModel, ids: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], context: int
) -> Floats:
    """Nats of each target, (blocks, BLOCK), each read after `context` tokens or an eighth more."""
    scored = scored_at_once(context)
    targets = (starts[:, None] + np.arange(0, BLOCK, scored)).ravel()  # first ones of the windows
    windows = torch.from_numpy(ids[targets[:, None] + np.arange(-context, scored)])
    device = model.decoder.weight.device
    result = []
    for rows in windows.split(max(1, TOKENS_AT_ONCE // windows.shape[1])):
        rows = rows.to(device)
        outputs, _ = model.hidden_states(rows[:, :-1], model.zero_state(len(rows)))
        logits = model.decoder(outputs[-scored:])  # (scored, B, V)
        losses = functional.cross_entropy(
            logits.flatten(0, 1).float(), rows[:, -scored:].t().reshape(-1), reduction="none"
        )
        result.append(losses.view(scored, len(rows)).t().double().cpu())
    return torch.cat(result).reshape(len(starts), BLOCK).numpy()


def _standard_error(by_block: Floats) -> Floats:
    blocks = by_block.shape[1]
    if blocks < 2:
        return np.full(len(by_block), np.nan)
    return by_block.std(axis=1, ddof=1) / np.sqrt(blocks)
