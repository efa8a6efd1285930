"""What is written and said of a model while it trains: a row of the metrics, and the conclusion.

Knows nothing of steps, files or people: it gets a model and its text, and gives rows and lines.
"""

from typing import Any

import numpy as np

from lstm_lm.config import SamplingConfig
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.corpus import Corpus, Ids
from lstm_lm.training.trainer import EVALUATION_TOKENS
from lstm_lm.training.verdict import LARGEST_TEXT, longest_repetition, more_time, repeats
from lstm_lm.writing.evaluation import bits, cold_window_loss, quick_stateful_loss

WRITTEN_TOKENS = 5_000  # written at the end, to see whether the model repeats its text
SAMPLE = SamplingConfig(max_new_tokens=300, temperature=0.7, seed=1)
Row = dict[str, Any]


def evaluation_row(
    model: LanguageModel,
    corpus: Corpus,
    *,
    step: int,
    tokens: int,
    seconds: float,
    train_loss: float,
    learning_rate: float,
) -> tuple[float, Row]:
    """The validation loss (nats a token), and the row of metrics.jsonl with what the model writes.

    Args:
        model: in evaluation mode.
        corpus: the text.
        step: how many steps the model was trained.
        tokens: how many tokens it read in them.
        seconds: how long that took.
        train_loss: nats a token, the mean since the last evaluation.
        learning_rate: of the last step.
    """
    used = corpus.validation[:EVALUATION_TOKENS]
    loss = quick_stateful_loss(model, used)
    a_character = 1 / corpus.validation_characters_per_token
    return loss, {
        "step": step,
        "tokens": tokens,
        "seconds": round(seconds, 1),
        "train_loss": round(train_loss, 5),
        "val_loss": round(loss, 5),
        "val_bpc": round(bits(loss * a_character), 5),
        "val_nats_per_character": round(loss * a_character, 5),
        "val_tokens": len(used),
        "learning_rate": learning_rate,
        "sample": model.complete("", SAMPLE),
    }


def told(row: Row, *, characters: bool, is_best: bool) -> list[str]:
    """An evaluation in words: its losses, and what the model writes by now.

    Args:
        row: of `evaluation_row`.
        characters: whether a token is a character.
        is_best: whether no evaluation of the run was better.
    """
    per_character = "" if characters else f" ({row['val_nats_per_character']:.4f} nats a character)"
    return [
        f"step {row['step']:,}: train {row['train_loss']:.4f}, validation "
        f"{row['val_loss']:.4f} nats a token{per_character}, {row['val_bpc']:.4f} bits a "
        f"character{', the best so far' if is_best else ''}",
        "    " + row["sample"][:300].strip("\n").replace("\n", "\n    ") + "\n",
    ]


def conclusion(
    kept: LanguageModel,
    corpus: Corpus,
    rows: list[Row],
    *,
    steps: int,
    tokens_a_step: int,
    about: dict[str, Any],
) -> tuple[dict[str, Any], list[str]]:
    """What results.json says of the model that was kept, in both protocols, and the same in words.

    Args:
        kept: the model, in evaluation mode.
        corpus: the text.
        rows: of the run's metrics.
        steps: of the run.
        tokens_a_step: that one step read.
        about: what is known of the run besides: seconds, command, machine.
    """
    used = corpus.validation[:EVALUATION_TOKENS]
    stateful, cold = quick_stateful_loss(kept, used), cold_window_loss(kept, used)
    known = quick_stateful_loss(kept, corpus.training[:EVALUATION_TOKENS])
    a_character = 1 / corpus.validation_characters_per_token
    epochs = steps * tokens_a_step / len(corpus.training)
    verdict = [more_time(rows, epochs, stateful - known), _repeats(kept, corpus)]
    results = {
        "val_loss": round(stateful, 5),
        "val_nats_per_character": round(stateful * a_character, 5),
        "val_bpc": round(bits(stateful * a_character), 5),
        "val_loss_cold_windows": round(cold, 5),
        "train_loss": round(known, 5),
        "val_tokens": len(used),
        "verdict": verdict,
        "parameters": kept.config.parameter_count,
        "steps": steps,
        **about,
    }
    kept_line = (
        f"kept: {stateful:.4f} nats a token with the state carried over {len(used):,} "
        f"validation tokens ({results['val_bpc']:.4f} bits a character); "
        f"{cold:.4f} in cold windows of 256"
    )
    return results, [kept_line, *verdict]


def _repeats(kept: LanguageModel, corpus: Corpus) -> str:
    """Whether what the model writes stands in the training text: see verdict.py."""
    tokenizer, training = kept.tokenizer, corpus.training[:LARGEST_TEXT]
    steps = kept.generate("", SamplingConfig(max_new_tokens=WRITTEN_TOKENS, seed=1))
    written = np.array([step.token_id for step in steps], dtype=training.dtype)
    other = corpus.validation[: len(written)]

    def longest(sequence: Ids) -> int:
        found = longest_repetition(sequence, training)
        run = sequence[found.start : found.start + found.length]
        return len(tokenizer.decode(run.tolist()))

    characters = len(tokenizer.decode(written.tolist()))
    return repeats(f"{characters:,} characters", longest(written), longest(other))
