"""The exact validation loss of models: one pass from the zero state, batch 1, and cold windows.

    python tests/benchmarks/eval_models.py tinyshakespeare.txt shakespeare-char shakespeare-rnn

`train.py` reads the validation text in 32 streams side by side, each warmed up on the text before
it; this script does it the plain way, as published figures are made.
"""

import json
import platform
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from lstm_lm import LanguageModel
from lstm_lm.text.corpus import TRAINING_SHARE
from lstm_lm.writing.evaluation import cold_window_loss, stateful_loss


def main(arguments: list[str]) -> int:
    text = Path(arguments[0]).read_text(encoding="utf-8")
    validation = text[int(TRAINING_SHARE * len(text)) :]
    rows: list[dict[str, object]] = []
    print(f"{platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{'model':22} {'tokens':>8} {'stateful':>9} {'a character':>12} {'cold':>8} {'s':>6}")
    for name in arguments[1:]:
        lm = LanguageModel.from_pretrained(name)
        tokens = lm.tokenizer.encode(validation)
        began = time.perf_counter()
        stateful, cold = stateful_loss(lm, tokens), cold_window_loss(lm, tokens)
        seconds = time.perf_counter() - began
        per_character = stateful * len(tokens) / len(validation)
        figures = f"{stateful:9.4f} {per_character:12.4f} {cold:8.4f} {seconds:6.1f}"
        print(f"{name:22} {len(tokens):8,} {figures}")
        rows.append(
            {
                "model": name,
                "tokens": len(tokens),
                "stateful": stateful,
                "nats_per_character": per_character,
                "cold_windows": cold,
            }
        )
    print(json.dumps({"torch": torch.__version__, "models": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
