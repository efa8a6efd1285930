"""Training speed: our whole step against a bare torch.nn.LSTM loop and against the sgemm peak.

    python tests/benchmarks/bench_training.py [--threads 2] [--rounds 5]

The bare loop is what one would write first: nn.LSTM, a decoder, cross entropy, clipping and fused
AdamW on the same shapes, with no dropout. Ours is `Trainer.train_step` with the weight dropout
switched off, so that both do the same arithmetic; evaluation and checkpoints are left out. FLOP a
token are counted as 6 x parameters. The two loops take turns, so that a noisy machine slows both.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parents[2]))

from lstm_lm.config import TrainConfig
from lstm_lm.text.corpus import Corpus
from lstm_lm.text.tokenizer import CharTokenizer
from lstm_lm.training.trainer import BETAS, Trainer

CHARACTERS = [chr(ord(" ") + k) for k in range(65)]


def our_step(config: TrainConfig, corpus: Corpus) -> Callable[[], Tensor]:
    trainer = Trainer(config, corpus, torch.device("cpu"), torch.float32)
    trainer.model.train()
    return trainer.train_step


def bare_step(config: TrainConfig, corpus: Corpus) -> Callable[[], Tensor]:
    B, T, V = config.batch_size, config.sequence_length, corpus.tokenizer.vocab_size
    embedding = nn.Embedding(V, config.embedding_size)
    lstm = nn.LSTM(config.embedding_size, config.hidden_size)
    decoder = nn.Linear(config.hidden_size, V)
    parameters = [*embedding.parameters(), *lstm.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=BETAS, fused=True)
    tokens = torch.from_numpy(corpus.training[: B * (T + 1)].astype(np.int64)).view(T + 1, B)
    zero = torch.zeros(1, B, config.hidden_size)
    state = [(zero, zero)]

    def step() -> Tensor:
        outputs, (h, c) = lstm(embedding(tokens[:-1]), state[0])
        loss = functional.cross_entropy(decoder(outputs).flatten(0, 1), tokens[1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state[0] = h.detach(), c.detach()
        return loss.detach()

    return step


def sgemm_peak(size: int = 1024) -> float:
    """GFLOP/s of the best of several square products."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(12):
        began = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best / 1e9


def seconds(step: Callable[[], Tensor], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        loss = step()
        assert torch.isfinite(loss)
    return (time.perf_counter() - began) / count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--hidden-size", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = TrainConfig(
        hidden_size=options.hidden_size,
        batch_size=options.batch_size,
        dropout=0.0,
        weight_dropout=0.0,
        steps=10_000,
        device="cpu",
    )
    tokens = np.random.default_rng(1).integers(65, size=200_000).astype(np.uint16)
    corpus = Corpus(
        tokenizer=CharTokenizer(CHARACTERS),
        training=tokens,
        validation=tokens[:1000],
        characters=len(tokens),
        fingerprint="",
    )
    ways = {"train_step": our_step(config, corpus), "bare nn.LSTM": bare_step(config, corpus)}
    for step in ways.values():
        seconds(step, 3)
    times: dict[str, list[float]] = {name: [] for name in ways}
    peaks: list[float] = []
    for _ in range(options.rounds):
        peaks.append(sgemm_peak())
        for name, step in ways.items():
            times[name].append(seconds(step, options.steps))
    parameters = config.model_config(65).parameter_count
    flop = 6 * parameters * config.batch_size * config.sequence_length
    peak = max(peaks)
    print(f"{options.threads} threads, torch {torch.__version__}, sgemm peak {peak:.1f} GFLOP/s")
    print(f"{parameters:,} parameters, batch {config.batch_size} x {config.sequence_length}")
    print(f"{'way':14} {'tokens/s':>9} {'spread':>7} {'GFLOP/s':>8} {'of peak':>8}")
    report: dict[str, dict[str, float]] = {}
    for name, taken in times.items():
        median = statistics.median(taken)
        rate = config.batch_size * config.sequence_length / median
        spread = (max(taken) - min(taken)) / median
        gflops = flop / median / 1e9
        print(f"{name:14} {rate:9,.0f} {spread:7.0%} {gflops:8.1f} {gflops / peak:8.2f}")
        report[name] = {"tokens_per_second": rate, "of_peak": gflops / peak, "spread": spread}
    pairs = [bare / ours for ours, bare in zip(*times.values(), strict=True)]
    ratio = statistics.median(pairs)
    print(f"train_step runs at {ratio:.3f} of the bare loop's speed (median of pairs)")
    print(json.dumps({"threads": options.threads, "ratio": ratio, "peak": peak, "ways": report}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
