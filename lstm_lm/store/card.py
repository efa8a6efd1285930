"""The model card: a README.md whose YAML block the Hub reads, and what a person wants to know.

Written from the files of the folder, so that no number on it comes from anywhere else; of the
machine it tells nothing but what results.json does. Knows nothing of the network.
"""

import re
import shlex
import urllib.parse
from pathlib import Path
from typing import Any

from lstm_lm.cells.kinds import cell_of
from lstm_lm.checks import LARGEST_JSON, is_number, is_text, read_file, read_json
from lstm_lm.config import ModelConfig
from lstm_lm.errors import ModelFolderError, shown
from lstm_lm.store.folder import CARD_FILE, CURVE_FILE, RESULTS_FILE, read_config, read_metrics
from lstm_lm.surroundings.files import write_atomically
from lstm_lm.visible_text import printable, shell_word

PLACEHOLDER = "path/to/this/folder"
"""What a card says to load where it does not know its repository."""
MOST_ROWS = 24  # of the table
KEPT = "\n\t"  # control characters of a text that stand as they are
NUMBERS = (
    "steps", "seconds", "val_tokens", "val_loss", "val_nats_per_character", "val_bpc",
    "val_loss_cold_windows", "train_loss",
)  # fmt: skip
"""What results.json holds besides texts."""
YAML_BLOCK = re.compile(r"---\r?\n(.*?)\n---", re.DOTALL)
LICENSE = re.compile(r"""^license: *['"]?([\w.-]+)['"]? *\r?$""", re.MULTILINE)
DATASET = re.compile(r"hf://datasets/([^/\s]+/[^/\s@]+)[@/]")
"""A dataset in a command, without its revision."""
UNTOLD = {"--push-to-hub": 1, "--revision": 1, "--license": 1, "--private": 0, "--track": 1}
"""Options that shape no model -> how many values they take."""


def write_card(folder: Path, command: str = "") -> None:
    """Write the card of the model folder; a licence that its card states is kept.

    Raises:
        OSError: the folder cannot be written.
    """
    text = card(folder, command=command)
    write_atomically(folder / CARD_FILE, lambda path: path.write_text(text, encoding="utf-8"))


def card(
    folder: Path, *, command: str = "", repo_id: str | None = None, license: str | None = None
) -> str:
    """The text of the card, from the folder's config, metrics and results.

    Args:
        folder: the model folder.
        command: what trained it; empty: what results.json says.
        repo_id: OWNER/NAME where it will be found; None: in a folder.
        license: its id on the Hub, such as mit; None: the one that the folder's card states.
    """
    config, rows, results = read_config(folder), read_metrics(folder), _results(folder)
    command = public_command(command) or str(results.get("command", ""))
    title = (repo_id or printable(folder.resolve().name)).rpartition("/")[2]
    place = repo_id or PLACEHOLDER
    stated = license or stated_license(folder)
    parts = [
        _metadata(title, config, results or _best(rows), command, stated),
        f"# {title}\n\n{_introduction(config)}",
        _trained(command, results, rows, (folder / CURVE_FILE).exists()),
        _samples(rows),
        f"""## Use it

```python
from lstm_lm import LanguageModel

lm = LanguageModel.from_pretrained("{place}")
print(lm.complete("\\n"))
```

To see every gate of it, from the folder of lstm-lm:

    python app.py --model {place}

Loading it runs no code and unpickles nothing: the weights are safetensors, with the names and the
row order of `torch.nn.LSTM`.""",
        """## Not meant for

Facts, advice, programs to be run, or text that anybody relies on: it is a small model that has seen
its training text and nothing else, whose faults it repeats, and nothing was done to make it safe.
It is there to look at how a recurrent network works.""",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def stated_license(folder: Path) -> str | None:
    """The licence that the folder's card states in a line of its YAML block."""
    try:
        text = read_file(folder / CARD_FILE, LARGEST_JSON).decode("utf-8", "replace")
    except ModelFolderError:  # none, or none of ours, which we only replace
        return None
    block = YAML_BLOCK.match(text)
    stated = LICENSE.search(block[1]) if block else None
    return stated[1] if stated else None


def public_command(command: str) -> str:
    """The command without what is nobody's business: folders of a machine, keys in addresses.

    It can be pasted, and holds only what can be shown.

    >>> public_command("python train.py --text /home/ada/verse.txt --private --steps 9")
    'python train.py --text verse.txt --steps 9'
    """
    told: list[str] = []
    skip = 0
    for argument in shlex.split(command):
        option, equals, value = argument.partition("=")
        if skip:
            skip -= 1
        elif option in UNTOLD:
            skip = 0 if equals else UNTOLD[option]
        elif equals and option.startswith("--"):
            told.append(f"{option}={_public(value)}")
        else:
            told.append(_public(argument))
    return " ".join(map(shell_word, told))


def _public(argument: str) -> str:
    if argument.startswith(("http://", "https://")):
        url = urllib.parse.urlsplit(argument)
        host = url.netloc.rpartition("@")[2]
        return urllib.parse.urlunsplit((url.scheme, host, url.path, "", ""))
    if argument.startswith(("/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", argument):
        return re.split(r"[\\/]", argument.rstrip("\\/"))[-1]
    return argument


def _metadata(
    title: str, config: ModelConfig, measured: dict[str, Any], command: str, license: str | None
) -> str:
    """The YAML block, as the Hub's own classes write it."""
    from huggingface_hub import EvalResult, ModelCardData

    datasets = list(dict.fromkeys(re.findall(DATASET, command)))
    figures = [
        ("loss", "nats a character, state carried", "val_nats_per_character"),
        ("bits_per_character", "bits a character, state carried", "val_bpc"),
        ("loss", "nats a token, cold windows of 256 tokens", "val_loss_cold_windows"),
    ]
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type=datasets[0] if len(datasets) == 1 else "text",
            dataset_name="the last tenth of the characters of its text",
            dataset_split="validation",
            metric_type=kind,
            metric_name=name,
            metric_value=measured[key],
        )
        for kind, name, key in figures
        if key in measured
    ]
    data = ModelCardData(
        license=license,
        library_name="lstm-lm",
        pipeline_tag="text-generation",
        tags=["lstm-lm", config.cell, f"{_unit(config)}-level", "recurrent-neural-network"],
        datasets=datasets or None,
        model_name=title,
        eval_results=results or None,
    )
    if not results:
        data.pop("model_name")
    return f"---\n{data.to_yaml()}\n---"


def _unit(config: ModelConfig) -> str:
    return "character" if config.tokenizer == "char" else "subword"


def _introduction(config: ModelConfig) -> str:
    layers = f"{config.layers} x {config.hidden_size} units"
    return (
        f"A {_unit(config)}-level language model: {cell_of(config.cell).term}, {layers}, "
        f"{config.vocab_size} tokens,\n{config.parameter_count:,} parameters, trained from scratch "
        "with lstm-lm. Made to be looked into: every\ngate of every unit at every step."
    )


def _trained(
    command: str, results: dict[str, Any], rows: list[dict[str, Any]], picture: bool
) -> str:
    if not rows:
        return ""
    told = _told(results) if results else f"Not finished: this is step {rows[-1]['step']:,}."
    every = -(-len(rows) // MOST_ROWS)
    chosen = [row for number, row in enumerate(rows, 1) if number % every == 0 or row is rows[-1]]
    table = "\n".join(
        f"| {row['step']:,} | {row['train_loss']:.4f} | {row['val_loss']:.4f} "
        f"| {row['val_bpc']:.4f} |"
        for row in chosen
    )
    curve = f"![Training and validation loss over the steps]({CURVE_FILE})\n\n" if picture else ""
    return f"""## Trained with

    {command}

{told}

{curve}| step | training loss | validation loss (nats a token) | bits a character |
|---:|---:|---:|---:|
{table}

The validation text is the last tenth of the characters; the state is carried over all that is read
of it, which the count above says. The training loss is with dropout, and so above what the model
does without."""


def _samples(rows: list[dict[str, Any]]) -> str:
    """What it wrote at its first evaluation and at its last."""
    ends = rows[:1] + rows[1:][-1:]
    texts = [f"After {row['step']:,} steps:\n\n{_fenced(row['sample'])}" for row in ends]
    return "\n\n".join(["## It writes", *texts]) if texts else ""


def _fenced(text: str) -> str:
    """The text as it stands, whatever it holds; what a terminal would obey is made visible."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{printable(text.strip(chr(10)), keep=KEPT)}\n{fence}"


def _results(folder: Path) -> dict[str, Any]:
    """The final results with their texts; empty where the run is not finished.

    Raises:
        ModelFolderError: results.json is not as train.py writes it.
    """
    path = folder / RESULTS_FILE
    if not path.exists():
        return {}
    results = read_json(read_file(path, LARGEST_JSON), RESULTS_FILE)
    verdict = results.get("verdict")
    wrong = [name for name in NUMBERS if not is_number(results.get(name))]
    wrong += [name for name in ("machine", "command") if not is_text(results.get(name, ""))]
    if not isinstance(verdict, list) or not all(is_text(sentence) for sentence in verdict):
        wrong.append("verdict")
    if wrong:
        raise ModelFolderError(
            f"{RESULTS_FILE} was not written by train.py: {wrong[0]} is "
            f"{shown(results.get(wrong[0]))}"
        )
    return results


def _best(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return min(rows, key=lambda row: row["val_loss"], default={})


def _told(results: dict[str, Any]) -> str:
    seconds = results["seconds"]
    took = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    return (
        f"{results['steps']:,} steps, {took} on {results['machine']}.\n\n"
        f"Validation over {results['val_tokens']:,} tokens:\n\n"
        f"- state carried: **{results['val_loss']:.4f}** nats a token, or "
        f"{results['val_nats_per_character']:.4f} nats a character "
        f"({results['val_bpc']:.4f} bits)\n"
        f"- cold windows of 256 tokens: {results['val_loss_cold_windows']:.4f} nats a token\n"
        f"- state carried, on the training text: {results['train_loss']:.4f} nats a token\n\n"
        + "\n".join(results["verdict"])
    )
