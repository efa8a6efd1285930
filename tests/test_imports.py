"""What loads what: the core works without gradio, and a typing error is answered without torch."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";', re.MULTILINE)
EXPORT = re.compile(r"^export (?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)

SPACE = {"SPACE_ID": "ada/page", "SYSTEM": "spaces"}

CORE = """
import importlib, pkgutil, sys
import lstm_lm
left, found = [("lstm_lm", lstm_lm.__path__)], []
while left:
    package, path = left.pop()
    for module in pkgutil.iter_modules(path, f"{package}."):
        if module.name == "lstm_lm.ui":
            continue
        loaded = importlib.import_module(module.name)
        assert "gradio" not in sys.modules, f"{module.name} loads gradio"
        found.append(module.name)
        if module.ispkg:
            left.append((module.name, loaded.__path__))
wanted = {"lstm_lm.language_model", "lstm_lm.training.loop", "lstm_lm.traces.trace"}
assert wanted <= set(found), found
"""

LIGHT = """
import importlib, sys
for name in ("lstm_lm", "lstm_lm.config", "lstm_lm.options", "lstm_lm.errors",
             "lstm_lm.cells.signals", "lstm_lm.console", "train"):
    importlib.import_module(name)
    for heavy in ("torch", "numpy", "gradio", "sentencepiece", "huggingface_hub"):
        assert heavy not in sys.modules, f"{name} loads {heavy}"
for name in ("lstm_lm.text.sources", "lstm_lm.text.tokenizer", "lstm_lm.text.corpus",
             "lstm_lm.writing.sampling"):
    importlib.import_module(name)
    for heavy in ("torch", "gradio", "sentencepiece", "huggingface_hub"):
        assert heavy not in sys.modules, f"{name} loads {heavy}"
"""

START = """
import sys
import numpy as np, torch
from tests.conftest import tiny_training
from lstm_lm.text.corpus import Corpus
from lstm_lm.text.tokenizer import CharTokenizer
from lstm_lm.training.trainer import Trainer
tokens = np.arange(500, dtype=np.int64) % 3
corpus = Corpus(tokenizer=CharTokenizer("abc"), training=tokens, validation=tokens,
                characters=1000, fingerprint="")
trainer = Trainer(tiny_training(), corpus, torch.device("cpu"), torch.float32)
before = trainer.model.decoder.weight.clone()
trainer.train_step()
assert not torch.equal(before, trainer.model.decoder.weight)
assert "torch._dynamo" not in sys.modules, "a training step loads torch's compiler"
"""

SERVING = """
import sys
import app
from lstm_lm.errors import UserError
def models_to_serve(given):
    print("spaces" in sys.modules, "torch" in sys.modules)
    raise UserError("that is far enough")
app.models_to_serve = models_to_serve
assert app.main([]) == 2
"""


@pytest.mark.parametrize(
    "program",
    [CORE, LIGHT, START],
    ids=["core-no-gradio", "light-no-torch", "training-no-compiler"],
)
def test_a_fresh_process_loads_no_more_than_it_needs(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("space", [SPACE, {}], ids=["space", "elsewhere"])
def test_spaces_is_there_before_torch_and_only_in_a_space(space: dict[str, str]) -> None:
    around = {name: value for name, value in os.environ.items() if name not in SPACE}
    done = subprocess.run(
        [sys.executable, "-c", SERVING],
        env=around | space, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{bool(space)} False\n"


def test_public_names_are_all_there() -> None:
    import lstm_lm

    for name in lstm_lm.__all__:
        assert getattr(lstm_lm, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Transformer'"):
        lstm_lm.Transformer  # noqa: B018


def test_every_module_of_the_page_exports_what_others_import() -> None:
    """A browser would only say so in its console, in the view that needs it."""
    files = list((ROOT / "lstm_lm/ui").rglob("*.js"))
    wrong: list[str] = []
    for path in files:
        for names, source in IMPORT.findall(path.read_text(encoding="utf-8")):
            target = (path.parent / source).resolve()
            exported = EXPORT.findall(target.read_text(encoding="utf-8")) if target.exists() else []
            wanted = [name.split(" as ")[0].strip() for name in names.split(",") if name.strip()]
            wrong += [f"{path.name}: {name} of {source}" for name in wanted if name not in exported]
    assert len(files) > 40
    assert not wrong
