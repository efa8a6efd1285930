"""A Space on ZeroGPU: it starts there, writes without the GPU, and trains on what it is lent."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from lstm_lm.config import SamplingConfig
from lstm_lm.hub.space import ROOT, ZERO, ZERO_PYTHON
from lstm_lm.language_model import load_folder
from lstm_lm.training.zero_gpu import AROUND_SECONDS
from tests.conftest import PROVERBS
from tests.hub.client import Person
from tests.hub.deployed import block, deploys, model_files, run_app, running
from tests.hub.device_api import ANY_BUILD, DeviceApi
from tests.hub.server import LoopbackHub

NAME = "bob/page"

# Trains as a handler of a page would, in the process that `spaces` forks for it. What needs a card
# is left out of it: the card's own start, and the moving of tensors that were put there before.
TRAINING = """
import json, sys
from lstm_lm.training.zero_gpu import train_for
import torch
from spaces.zero import wrappers
wrappers.torch.init = lambda uuid: None
wrappers.torch.move = lambda callback=None: None
assert torch.cuda.is_available(), "spaces has not taken torch over"
torch.set_num_threads(2)
torch.ones(600, 600) @ torch.ones(600, 600)  # on threads that the fork will not have
text, folder = sys.argv[1:]
print(json.dumps([train_for(text, folder, 0.02), train_for(text, folder, 0.02)]))
"""


@pytest.fixture
def lender() -> Iterator[DeviceApi]:
    with DeviceApi() as api:
        yield api


def test_a_free_accounts_space_starts_on_zero_gpu_and_writes_without_it(
    hub: LoopbackHub, person: Callable[..., Person], lender: DeviceApi, tmp_path: Path
) -> None:
    hub.add("bob/small", model_files(tmp_path / "small"))
    bob = person("t-bob")
    assert bob.run(run_app, deploys("bob/small", to=NAME)) == [0], bob.said
    space = hub.repository(NAME, "space")
    assert space.hardware == ZERO
    assert block(space.files()["README.md"])["python_version"] == ZERO_PYTHON
    zero = {"more": lender.environment, "before": ANY_BUILD}
    with running(hub, NAME, person(), tmp_path / "files", **zero) as started:
        assert lender.requests == ["POST /startup-report"]
        client = Client(started.url, verbose=False)
        answer = client.predict("bad", 40, 0.6, api_name="/generate")
        log = started.log.read_text()
    expected = load_folder(tmp_path / "small").complete(
        "bad", SamplingConfig(max_new_tokens=40, temperature=0.6, seed=1)
    )
    assert (answer["text"], answer["model"]) == (expected, "bob/small")
    assert lender.requests == ["POST /startup-report"], "writing was on somebody's quota"
    assert re.findall("^app.py: .*", log, re.MULTILINE) == ["app.py: asking the Hub for bob/small"]


def test_a_training_runs_in_the_process_that_is_lent_the_gpu(
    lender: DeviceApi, tmp_path: Path
) -> None:
    text, folder = tmp_path / "text.txt", tmp_path / "run"
    text.write_text(PROVERBS * 40)
    space = {"SPACE_ID": NAME, "LSTM_LM_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", ANY_BUILD + TRAINING, str(text), str(folder)],
        cwd=ROOT,
        env={**os.environ, **space, **lender.environment, "PYTHONPATH": str(ROOT)},
        check=False, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trained, refused = json.loads(done.stdout.splitlines()[-1])
    assert trained["val_nats_per_character"] > 0
    assert load_folder(folder).config.hidden_size > 0
    # What goes wrong is told in its own words, though only a class's name comes from the fork.
    assert str(folder) in refused["error"]
    assert lender.seconds == [2 + AROUND_SECONDS] * 2
    assert lender.requests == ["POST /schedule", "POST /allow", "POST /release"] * 2
