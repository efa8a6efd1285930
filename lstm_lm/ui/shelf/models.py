"""The models that the page can show, loaded when first chosen, each with its opening text.

Knows nothing of gradio.
"""

import contextlib
import dataclasses
import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lstm_lm.cells.stepper import Array
from lstm_lm.config import SamplingConfig
from lstm_lm.errors import UserError
from lstm_lm.hub.names import is_local, model_folder
from lstm_lm.hub.repository import split_name
from lstm_lm.language_model import LanguageModel, load_folder
from lstm_lm.store.folder import WEIGHT_FILE, read_config, read_results
from lstm_lm.store.snapshots import FOLDER, snapshots
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench.meaning import meaning
from lstm_lm.ui.views.workbench.payload import cell_scale, columns, header
from lstm_lm.writing.generation import generate, read_prompt

OPENING_STEPS = 320
OPENING_SEED = 11
OPENING = SamplingConfig(max_new_tokens=OPENING_STEPS, temperature=0.6, seed=OPENING_SEED)


@dataclass(frozen=True, kw_only=True)
class ShownModel:
    """A model as the page uses it."""

    name: str
    """What people call it: a bundled name, or what they gave."""
    model: LanguageModel
    folder: Path
    """Where it was loaded from."""
    results: dict[str, float]
    """Of its training: the numbers of results.json, or empty."""
    scale: Array
    """(layers, units): the |cell state| painted at full colour, measured on the opening text."""
    opening: PageRun
    owners: bool = False
    """Whether it was loaded with the owner's token, and so is for the owner alone."""

    @property
    def about(self) -> str:
        """The model in a line."""
        config = self.model.config
        parts = [self.model.cell.label, f"{config.layers} × {config.hidden_size} units"]
        if "val_nats_per_character" in self.results:
            parts.append(f"{self.results['val_nats_per_character']:.2f} nats/character")
        return " · ".join(parts)

    @cached_property
    def weights(self) -> str:
        """The first digits of the sha256 of its weights: the same model has the same ones."""
        with (self.folder / WEIGHT_FILE).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]

    @property
    def revision(self) -> str | None:
        """The commit that it was loaded at; None where it is not from the Hub."""
        if is_local(self.name) or not re.fullmatch("[0-9a-f]{40}", self.folder.name):
            return None
        return self.folder.name

    def opening_payload(self) -> dict[str, Any]:
        """The opening text whole, as the workbench takes it."""
        return whole_payload(self, self.opening)


def public_name(name: str) -> str:
    """What a model is called on any machine: of a folder here only its last part.

    >>> public_name("ada/verse@v1.0")
    'ada/verse'
    """
    if is_local(name):
        return Path(name).expanduser().resolve().name if "/" in name else name
    return split_name(name)[0]


def whole_payload(shown: ShownModel, run: PageRun, **more: Any) -> dict[str, Any]:
    """A complete run: header, every column, findings."""
    return {
        **header(run, shown.scale, shown.model.config.tokenizer, shown.about),
        **columns(run, 0, run.steps, shown.scale),
        **meaning(run),
        "done": True,
        **more,
    }


def new_run(name: str, model: LanguageModel, capacity: int, session: str = "") -> PageRun:
    """An empty run of the model."""
    return PageRun(
        model=name,
        cell=model.config.cell,
        capacity=capacity,
        layers=model.config.layers,
        units=model.config.hidden_size,
        session=session,
    )


class ModelShelf:
    """The models on offer, by name; a model is loaded and its opening written when first asked for.

    Args:
        names: bundled names, folders or repository ids; the first is shown at the start.
        store: where the opening texts are kept.
        asked_from_this_machine: whether who is asking now is at this machine; else nobody is.
    """

    def __init__(
        self,
        names: list[str],
        store: RunStore,
        asked_from_this_machine: Callable[[], bool] = lambda: False,
    ) -> None:
        self.names = names
        self.asked_from_this_machine = asked_from_this_machine
        self._store = store
        self._shown: dict[str, ShownModel] = {}
        self._folders: dict[str, Path] = {}
        self._guests: OrderedDict[str, ShownModel] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: object) -> ShownModel:
        """The model of this name.

        Raises:
            UserError: the name is not on offer, or its folder is broken.
        """
        with self._lock:
            loaded = self._loaded()
            if isinstance(name, str) and name in loaded:
                self._guests.move_to_end(name)
                return self._guests[name]
            if not isinstance(name, str) or name not in self.names:
                again = ", or load it again" if loaded else ""
                raise UserError(
                    f"no model {str(name)[:80]!r} here: choose from {', '.join(self.names)}{again}"
                )
            if name not in self._shown:
                self._shown[name] = _read(name, self._folder(name))
                self._store.add(self._shown[name].opening, keep=True)
            return self._shown[name]

    def everywhere(self) -> list[str]:
        """The names on offer, then those that visitors have loaded."""
        with self._lock:
            return [*self.names, *self._loaded()]

    def _loaded(self) -> list[str]:
        """The names of what visitors loaded, as far as who is asking may know of it."""
        return [
            name
            for name, shown in self._guests.items()
            if not shown.owners or self.asked_from_this_machine()
        ]

    def early(self, name: str) -> list[str]:
        """Names of the early models that a run on offer kept, oldest first; none is loaded."""
        if name not in self.names or not is_local(name):  # nothing of them is ever on the Hub
            return []
        base = name.rstrip("/")
        return [f"{base}/{FOLDER}/{found.name}" for found in snapshots(self._folder(name))]

    def describe(self) -> list[dict[str, Any]]:
        """Each model for a program, from its small files alone; a broken one is left out."""
        found: list[dict[str, Any]] = []
        for name in self.names:
            with contextlib.suppress(UserError):
                folder = self._folder(name)
                config, results = read_config(folder), read_results(folder)
                found.append(
                    {
                        "name": name,
                        "tokenizer": config.tokenizer,
                        "cell": config.cell,
                        "layers": config.layers,
                        "units": config.hidden_size,
                        "parameters": config.parameter_count,
                        "val_bpc": results.get("val_bpc"),
                    }
                )
        return found

    def _folder(self, name: str) -> Path:
        """The folder of a model on offer, found once: to find one of the Hub may ask the Hub."""
        if name not in self._folders:
            self._folders[name] = model_folder(name)
        return self._folders[name]

    def find(self, name: str) -> ShownModel | None:
        """The model of a run; None where it was a visitor's and was dropped."""
        try:
            return self.get(name)
        except UserError:
            return None

    def add_guest(self, name: str, folder: Path, kept: int, *, owners: bool = False) -> None:
        """Take in what a visitor loaded; of more than `kept`, the one unused longest goes.

        Args:
            name: as it was asked for.
            folder: of the model.
            kept: how many there may be.
            owners: whether it is for the owner alone, having been loaded with the owner's token.

        Raises:
            ModelFolderError: the folder is broken, foreign or hostile.
        """
        shown = dataclasses.replace(_read(name, folder), owners=owners)
        with self._lock:
            while name in self._guests or len(self._guests) >= kept:
                old = name if name in self._guests else next(iter(self._guests))
                del self._guests[old]
                # Under the same name may come another revision, which knows nothing of these runs.
                self._store.forget_model(old)
            self._guests[name] = shown
            self._store.add(shown.opening, keep=True)


def _read(name: str, folder: Path) -> ShownModel:
    """The model in the folder, with the first text that it writes."""
    model = load_folder(folder)
    opening = written_alone(name, model, OPENING)
    return ShownModel(
        name=name,
        model=model,
        folder=folder,
        results=read_results(folder),
        scale=cell_scale(opening.values[: opening.steps], opening.cell),
        opening=opening,
    )


def written_alone(name: str, model: LanguageModel, sampling: SamplingConfig) -> PageRun:
    """What the model writes from a newline, as its opening text, the page's first picture."""
    prompt = read_prompt(model, "")
    run = new_run(name, model, len(prompt.token_ids) + sampling.max_new_tokens)
    trace = trace_tokens(model, prompt.token_ids)
    run.add_trace(trace)
    run.prompt_steps = trace.steps
    run.sampling = sampling
    run.add_steps(generate(model, "", sampling, state=trace.final_state, position=trace.steps))
    return run
