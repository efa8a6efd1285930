"""The model card: a README.md whose YAML block the Hub reads, and what a person wants to know.

Written from the files of the folder, so that no number on it comes from anywhere else.
"""

import json
from pathlib import Path
from typing import Any

from lstm_lm.config import TrainConfig
from lstm_lm.loading import CARD_FILE, CONFIG_FILE, RESULTS_FILE, read_metrics, write_atomically

CELL_NAMES = {"lstm": "LSTM", "rnn": "plain tanh RNN"}


def write_card(folder: Path, config: TrainConfig, command: str) -> None:
    """Write the card of the model folder.

    Raises:
        OSError: the folder cannot be written.
    """
    text = card(folder, config, command)
    write_atomically(folder / CARD_FILE, lambda path: path.write_text(text, encoding="utf-8"))


def card(folder: Path, config: TrainConfig, command: str) -> str:
    """The text of the card, from the folder's config, metrics and results."""
    sizes = json.loads((folder / CONFIG_FILE).read_text())
    rows = read_metrics(folder)
    results = _results(folder, rows)
    kind = f"{CELL_NAMES[config.cell]}, {config.layers} x {config.hidden_size} units"
    unit = "character" if config.tokenizer == "char" else "subword"
    curve = "\n".join(
        f"| {row['step']:,} | {row['train_loss']:.4f} | {row['val_loss']:.4f} "
        f"| {row['val_bpc']:.4f} |"
        for row in rows
    )
    return f"""---
library_name: lstm-lm
pipeline_tag: text-generation
tags:
- lstm-lm
- {config.cell}
- {unit}-level
model-index:
- name: {folder.resolve().name}
  results:
  - task:
      type: text-generation
    dataset:
      name: validation text (the last tenth of the characters)
      type: text
    metrics:
    - type: loss
      name: nats a token, state carried
      value: {results["val_loss"]}
    - type: bits_per_character
      name: bits a character, state carried
      value: {results["val_bpc"]}
---

# {folder.resolve().name}

A {unit}-level language model: {kind}, {sizes["vocab_size"]} tokens, trained from scratch with
lstm-lm. Made to be looked into: every gate of every unit at every step.

## Trained with

    {command}

{_told(results)}

| step | training loss | validation loss (nats a token) | bits a character |
|---:|---:|---:|---:|
{curve}

The validation text is the last tenth of the characters; the state is carried over all that is read
of it, which the count above says. The training loss is with dropout, and so above what the model
does without.

## It writes

```
{rows[-1]["sample"].strip(chr(10)) if rows else ""}
```

## Use it

```python
from lstm_lm import LanguageModel

lm = LanguageModel.from_pretrained("path/to/this/folder")
print(lm.complete("\\n"))
```

Not meant for: facts, advice, or anything but looking at how a recurrent network works.
"""


def _results(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The final results, or those of the best evaluation so far."""
    path = folder / RESULTS_FILE
    if path.exists():
        return json.loads(path.read_text())
    return min(rows, key=lambda row: row["val_loss"])


def _told(results: dict[str, Any]) -> str:
    if "machine" not in results:
        return f"Not finished: these are the results of step {results['step']:,}."
    minutes = results["seconds"] / 60
    return (
        f"{results['steps']:,} steps, {minutes:.0f} minutes on {results['machine']}; "
        f"{results['parameters']:,} parameters.\n\n"
        f"Validation over {results['val_tokens']:,} tokens:\n\n"
        f"- state carried: **{results['val_loss']:.4f}** nats a token, or "
        f"{results['val_nats_per_character']:.4f} nats a character "
        f"({results['val_bpc']:.4f} bits)\n"
        f"- cold windows of 256 tokens: {results['val_loss_cold_windows']:.4f} nats a token\n"
        f"- state carried, on the training text: {results['train_loss']:.4f} nats a token\n\n"
        + "\n".join(results["verdict"])
    )
