"""LanguageModel: the front door. Load a model, write with it, look inside, keep it, push it.

Each method is a thin door to the module that does the work; what a network is stands in
`cells/network.py`, which knows nothing of this.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lstm_lm.cells.cell import State
from lstm_lm.cells.interventions import Change
from lstm_lm.cells.network import Network
from lstm_lm.config import SamplingConfig
from lstm_lm.hub.names import model_folder, readings
from lstm_lm.hub.push import push_model
from lstm_lm.hub.repository import Target
from lstm_lm.store.loading import read_network, save
from lstm_lm.surroundings.files import expanded
from lstm_lm.traces.reading import trace_text
from lstm_lm.traces.trace import GateTrace
from lstm_lm.writing import evaluation, generation
from lstm_lm.writing.generation import Step


class LanguageModel(Network):
    """A recurrent language model over the tokens of its tokenizer, with all that one does with it.

    `LanguageModel.from_pretrained(name)` is how one comes by it.
    """

    def generate(
        self,
        prompt: str,
        sampling: SamplingConfig | None = None,
        *,
        state: State | None = None,
        position: int = 0,
        first: int | None = None,
        interventions: Sequence[Change] = (),
    ) -> Iterator[Step]:
        """Write after the prompt, lazily, one step a token; see `generation.generate`."""
        return generation.generate(
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
        step: Step,
        token_id: int,
        sampling: SamplingConfig | None = None,
        *,
        interventions: Sequence[Change] = (),
    ) -> Iterator[Step]:
        """Write this token after the step, and go on from there; see `generation.branch`."""
        sampling = sampling or SamplingConfig()
        return generation.branch(self, step, token_id, sampling, interventions=interventions)

    def complete(
        self,
        prompt: str,
        sampling: SamplingConfig | None = None,
        *,
        interventions: Sequence[Change] = (),
    ) -> str:
        """The text that the model writes after the prompt, without the prompt."""
        return generation.complete(
            self, prompt, sampling or SamplingConfig(), interventions=interventions
        )

    def trace(
        self, text: str, state: State | None = None, *, interventions: Sequence[Change] = ()
    ) -> GateTrace:
        """Every signal of every unit at every step of the text; see `reading.trace_text`."""
        return trace_text(self, text, state, interventions)

    def score(self, text: str, *, interventions: Sequence[Change] = ()) -> float:
        """Total log-probability, nats, of every token but the first; see `evaluation.score`."""
        return evaluation.score(self, text, interventions)

    def effect(self, text: str, interventions: Sequence[Change]) -> float:
        """What they do to the text's log-probability, nats; see `evaluation.effect`."""
        return evaluation.effect(self, text, interventions)

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None) -> "LanguageModel":
        """The model of this bundled name, folder or Hub repository id; see `load`."""
        return load(name, revision=revision)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config, weights and tokenizer into the folder; see `loading.save`."""
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
        target = Target(repo_id=repo_id, private=private, revision=revision, license=license)
        return push_model(self, target).url


def load(name: str | Path, *, revision: str | None = None) -> LanguageModel:
    """The model of a bundled name, a folder or a Hub repository id, in evaluation mode.

    Args:
        name: what `bundled_models` lists, a folder, OWNER/NAME or OWNER/NAME@REVISION.
        revision: of a repository: a branch, a tag or a commit; None: main.

    Raises:
        ModelNotFoundError: nothing answers to the name.
        ModelFolderError: the folder is broken, foreign or hostile.
        HubError: the Hub cannot be reached, does not let us in, or sent something damaged.
    """
    folder = model_folder(name, revision=revision)
    model = load_folder(folder)
    if folder not in readings(name):  # not a folder that was given, but a name
        model.name = str(name)
    return model


def load_folder(folder: Path) -> LanguageModel:
    """The model in this folder, checked before it is used, in evaluation mode.

    Raises:
        ModelFolderError: names the file and what is wrong with it.
    """
    return read_network(folder, LanguageModel)
