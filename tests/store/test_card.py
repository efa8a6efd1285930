"""The model card and its picture: what they say stands in the folder, and the Hub takes it."""

import json
import shlex
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, metadata_load

from lstm_lm.errors import ModelFolderError
from lstm_lm.store.card import card, public_command, write_card
from lstm_lm.store.folder import BUNDLED, CURVE_FILE, METRICS_FILE, bundled_models, read_metrics
from lstm_lm.store.loading import save
from lstm_lm.store.loss_curve import write_loss_curve
from tests.conftest import tiny_model
from tests.hostile.side_files import SIDE
from tests.hub.repositories import card_errors

COMMAND = "python train.py --text hf://datasets/ada/verse/all.txt --steps 2"


def row(step: int, **changes: Any) -> dict[str, Any]:
    return {"step": step, "train_loss": 3.0 / step, "val_loss": 2.0 / step, "val_bpc": 2.9 / step,
            "val_nats_per_character": 2.0 / step, "sample": "the cheese", **changes}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run that was evaluated three times and is not finished."""
    place = tmp_path / "my run: part 1"
    save(tiny_model(), place)
    text = "".join(json.dumps(row(step)) + "\n" for step in (1, 2, 3))
    (place / METRICS_FILE).write_text(text)
    return place


@pytest.mark.parametrize("name", bundled_models())
def test_a_bundled_card_is_what_its_folder_makes(name: str) -> None:
    folder = BUNDLED / name
    written = (folder / "README.md").read_text(encoding="utf-8")
    assert written == card(folder)
    assert card_errors(written, "model") == []
    results = json.loads((folder / "results.json").read_text())
    data = ModelCard(written).data.to_dict()
    assert data["license"] == "mit"
    assert data["pipeline_tag"] == "text-generation"
    metrics = {metric["name"]: metric for metric in data["model-index"][0]["results"][0]["metrics"]}
    assert metrics["nats a character, state carried"] == {
        "name": "nats a character, state carried",
        "type": "loss",
        "value": results["val_nats_per_character"],
    }
    bits = metrics["bits a character, state carried"]
    assert (bits["type"], bits["value"]) == ("bits_per_character", results["val_bpc"])
    assert f"({CURVE_FILE})" in written
    assert f"\n    {results['command']}\n" in written


def test_an_unfinished_run_says_so_and_names_its_data_set(folder: Path) -> None:
    write_card(folder, COMMAND)
    text = (folder / "README.md").read_text()
    data = metadata_load(folder / "README.md") or {}
    assert data["datasets"] == ["ada/verse"]
    assert "- ada/verse\n" in card(folder, command=COMMAND.replace("verse/", "verse@v1.0/"))
    assert data["model-index"][0]["name"] == "my run: part 1"
    results = data["model-index"][0]["results"][0]
    assert results["dataset"]["type"] == "ada/verse"
    assert [metric["value"] for metric in results["metrics"]] == [2.0 / 3, 2.9 / 3]
    assert "Not finished: this is step 3." in text
    assert CURVE_FILE not in text  # it is not drawn yet
    assert 'from_pretrained("path/to/this/folder")' in text
    assert card_errors(text, "model") == []


def test_a_pushed_card_has_the_name_of_its_repository(folder: Path) -> None:
    text = card(folder, command=COMMAND, repo_id="ada/verse", license="cc0-1.0")
    assert "\n# verse\n" in text
    assert 'LanguageModel.from_pretrained("ada/verse")' in text
    assert "python app.py --model ada/verse\n" in text
    assert ModelCard(text).data["license"] == "cc0-1.0"


def test_a_licence_that_a_card_states_is_kept_when_it_is_written_again(folder: Path) -> None:
    write_card(folder, COMMAND)
    path = folder / "README.md"
    assert "license" not in (metadata_load(path) or {})
    path.write_text(path.read_text().replace("---\n", "---\nlicense: mit\n", 1))
    write_card(folder, COMMAND)
    assert (metadata_load(path) or {})["license"] == "mit"


@pytest.mark.parametrize("name", SIDE)
def test_a_card_is_written_or_refused_in_one_line_whatever_lies_in_the_folder(
    folder: Path, name: str
) -> None:
    SIDE[name][0](folder)
    try:
        text = card(folder)
    except ModelFolderError as error:
        message = str(error)
    else:
        assert card_errors(text, "model") == []
        text.encode()
        return
    assert message.isprintable()
    assert len(message) < 200


def test_results_that_train_py_did_not_write_are_named(folder: Path) -> None:
    (folder / "results.json").write_text('{"steps": "many"}')
    with pytest.raises(ModelFolderError, match=r"results\.json was .*: steps is 'many'"):
        card(folder)


def test_a_model_without_metrics_has_a_card_without_figures(tmp_path: Path) -> None:
    save(tiny_model(cell="rnn"), tmp_path / "model")
    text = card(tmp_path / "model")
    assert card_errors(text, "model") == []
    assert "model-index" not in text
    assert "## Trained with" not in text
    assert "## It writes" not in text
    assert "plain tanh RNN, 2 x 8 units, 10 tokens" in text


def test_a_sample_cannot_break_out_of_its_frame(folder: Path) -> None:
    sample = "a\n```\n# not a heading\n````\n"
    (folder / METRICS_FILE).write_text(json.dumps(row(1, sample=sample)) + "\n")
    assert f"`````text\n{sample.rstrip()}\n`````\n" in card(folder)


def test_a_long_run_has_a_short_table_that_ends_with_its_last_step(folder: Path) -> None:
    text = "".join(json.dumps(row(step)) + "\n" for step in range(1, 102))
    (folder / METRICS_FILE).write_text(text)
    steps = [line.split(" ")[1] for line in card(folder).splitlines() if line.startswith("| ")]
    assert len(steps) <= 26
    assert steps[-1] == "101"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("python train.py", "python train.py"),
        ("python train.py --text a/b.txt", "python train.py --text a/b.txt"),
        ("python train.py --text '/home/a/my verse.txt'", "python train.py --text 'my verse.txt'"),
        ("python train.py --text=~/verse/ --out=/tmp/x", "python train.py --text=verse --out=x"),
        (r"python train.py --text 'C:\Users\ada\verse.txt'", "python train.py --text verse.txt"),
        (
            "python train.py --text 'https://ada:pw@host/a.txt?key=secret#x' --seed 2",
            "python train.py --text https://host/a.txt --seed 2",
        ),
        ("python train.py --text hf://datasets/a/b/c.txt", "python train.py --text hf://datasets/a/b/c.txt"),
        (
            "train.py --push-to-hub a/b --revision v --private --license=mit --track x --seed 3",
            "train.py --seed 3",
        ),
    ],
)  # fmt: skip
def test_a_command_is_shown_without_what_is_nobodys_business(command: str, shown: str) -> None:
    assert public_command(command) == shown
    assert public_command(shown) == shown


def test_the_same_metrics_draw_the_same_picture(folder: Path, tmp_path: Path) -> None:
    rows = read_metrics(BUNDLED / "shakespeare-rnn")
    pictures = []
    for shown in (rows, rows, rows[:1]):
        write_loss_curve(folder, shown)
        pictures.append((folder / CURVE_FILE).read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    assert pictures[0].startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", pictures[0][16:24]) == (960, 480)  # the header's width and height
    assert len(pictures[0]) < 100_000
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError):
        write_loss_curve(folder, rows)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_card_can_be_written_and_shown_whatever_its_names_and_samples_hold(
    folder: Path,
) -> None:
    place = folder.rename(folder.with_name("caf\udce9 \x1b[2J"))
    (place / METRICS_FILE).write_text(json.dumps(row(1, sample="a\r\n\tb\x1b]0;x\x07\u202e")))
    command = shlex.join(["python", "train.py", "--text", "/home/ada/b\udcff \x9b.txt"])
    write_card(place, command)
    written = (place / "README.md").read_bytes().decode()
    assert "# caf\\xe9 \\x1b[2J\n" in written
    assert "\n    python train.py --text $'b\\xff \\u009b.txt'\n" in written
    assert "a\r\n\tb\\x1b]0;x\\x07\\u202e\n" in written
    assert card_errors(written, "model") == []
