"""The Training view's rows, payload and sentences, without a page."""

import json
import math
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.store.folder import BUNDLED, METRICS_FILE, RESULTS_FILE, read_metrics
from lstm_lm.ui.page import label_of
from lstm_lm.ui.views.training import view as training_view
from lstm_lm.ui.views.training.view import (
    Evaluation,
    TrainingRun,
    TrainingRuns,
    comparison,
    fall,
    places,
    read_evaluations,
    sentences,
)

NATS = math.log(2)  # nats in a bit


def row(step: int, bits: float, **changes: object) -> dict[str, object]:
    """A row of a character model's metrics.jsonl, as train.py writes it."""
    written: dict[str, object] = {
        "step": step, "tokens": step * 1024, "seconds": step / 10, "train_loss": bits * NATS + 0.1,
        "val_loss": bits * NATS, "val_bpc": bits, "val_nats_per_character": bits * NATS,
        "val_tokens": 5000, "learning_rate": 0.001, "sample": f"wrote at {step}",
    }  # fmt: skip
    return written | changes


def run_of(label: str, *bits: float, finished: bool = True, tokens: int = 5000) -> TrainingRun:
    """A run scored every 100 steps."""
    rows = [row(100 * (at + 1), value, val_tokens=tokens) for at, value in enumerate(bits)]
    found = [Evaluation.of(each) for each in rows]
    evaluations = tuple(each for each in found if each)
    return TrainingRun(name=label, label=label, finished=finished, evaluations=evaluations)


def write_rows(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows)
    path = folder / METRICS_FILE
    path.write_text(text, encoding="utf-8")
    return path


# Sentences


def test_a_fall_names_its_ends_and_the_evaluation_by_which_half_was_won() -> None:
    # 4 -> 2: half is won at 3, which is first reached at the second of five evaluations.
    run = run_of("plays", 4.0, 2.9, 2.5, 2.1, 2.0)
    assert fall(run) == (
        "plays fell from 4.00 to 2.00 bits a character; half of that drop came in the first 40 % "
        "of its steps."
    )


def test_a_run_still_being_trained_is_told_so_far() -> None:
    assert fall(run_of("plays", 4.0, 2.9, 2.0, finished=False)).endswith("its steps so far.")
    # Nothing is said of halves where a single step down is all there is.
    assert fall(run_of("plays", 4.0, 2.0, finished=False)) == (
        "plays fell from 4.00 to 2.00 bits a character so far."
    )


def test_a_fall_that_turned_is_told_with_its_turning_point() -> None:
    assert fall(run_of("plays", 4.0, 3.0, 2.0, 2.5)) == (
        "plays fell from 4.00 to 2.00 bits a character by step 300, then rose to 2.50; half of "
        "that drop came in the first 50 % of its steps."
    )


def test_a_run_that_never_fell_is_not_said_to_have_fallen() -> None:
    assert fall(run_of("plays", 2.0, 2.3)) == (
        "plays has not fallen: 2.00 bits a character at step 100, 2.30 at step 200."
    )
    assert fall(run_of("plays", 2.0)) == (
        "plays was scored once so far: 2.00 bits a character at step 100."
    )


def test_two_runs_are_compared_by_their_last_values() -> None:
    assert comparison([run_of("a", 3.0, 2.0), run_of("b", 3.0, 2.8, 2.5)]) == (
        "After 200 steps a stands at 2.00, after 300 b at 2.50: 20 % fewer bits a character in a."
    )
    assert comparison([run_of("a", 2.0), run_of("b", 2.001)]).endswith(": as good as the same.")


def test_three_runs_are_compared_by_the_lowest_and_the_highest() -> None:
    runs = [run_of("a", 2.2), run_of("b", 2.0), run_of("c", 2.5)]
    assert comparison(runs) == (
        "Of these 3 runs b stands lowest, at 2.00 after 100 steps, c highest, at 2.50 after 100: "
        "20 % fewer bits a character in b."
    )


def test_runs_scored_on_different_texts_are_not_ranked_in_percent() -> None:
    text = comparison([run_of("a", 2.0), run_of("b", 2.5, tokens=9000)])
    assert text == (
        "After 100 steps a stands at 2.00, after 100 b at 2.50; not all were scored on the same "
        "text, so this compares the texts as well."
    )


def test_one_run_has_one_sentence_and_none_has_none() -> None:
    assert len(sentences([run_of("a", 3.0, 2.0)])) == 1
    assert len(sentences([run_of("a", 3.0, 2.0), run_of("b", 3.0)])) == 2
    assert sentences([]) == []


# Reading


ROWS = [row(100, 3.0), row(200, 2.5, sample="é\u2028ü\x85\n"), row(300, 2.25)]


@given(cut=st.integers(0, 2000))
def test_a_file_cut_anywhere_gives_the_rows_before_the_cut(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_rows(tmp_path_factory.mktemp("run"), ROWS)
    whole = read_evaluations(path)
    assert [each.step for each in whole] == [100, 200, 300]
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    found = read_evaluations(path)
    assert found == whole[: len(found)]
    assert len(found) >= content.count(b"\n")


@pytest.mark.parametrize(
    "line",
    [
        b"[1, 2]",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        json.dumps(row(150, float("nan"))).encode(),
        json.dumps(row(150, 0.0)).encode(),
        json.dumps(row(150, 2.0) | {"step": "150"}).encode(),
        json.dumps(row(150, 2.0) | {"step": 10**400}).encode(),
        b'{"step": 150}',
    ],
)
def test_a_line_that_is_no_evaluation_is_left_out(tmp_path: Path, line: bytes) -> None:
    path = write_rows(tmp_path, ROWS)
    path.write_bytes(line + b"\n" + path.read_bytes())
    assert [each.step for each in read_evaluations(path)] == [100, 200, 300]


def test_a_file_that_is_not_there_or_too_large_has_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_evaluations(tmp_path / METRICS_FILE) == ()
    path = write_rows(tmp_path, ROWS)
    monkeypatch.setattr(training_view, "LARGEST_FILE", 100)
    assert read_evaluations(path) == ()


def test_losses_are_in_bits_a_character_for_characters_and_for_subwords() -> None:
    characters = Evaluation.of(row(1, 2.0, train_loss=3 * NATS))
    # Four characters a token: a token's loss in nats is four times a character's.
    subwords = Evaluation.of(row(1, 2.0, train_loss=12 * NATS, val_loss=8 * NATS, val_tokens=1250))
    for found in (characters, subwords):
        assert found is not None
        assert found.train == pytest.approx(3.0)
        assert found.val == 2.0
        assert found.characters == pytest.approx(5000)


# Payload


def test_the_payload_holds_the_rows_of_the_bundled_models() -> None:
    runs = TrainingRuns(["shakespeare-char"], label=label_of)
    chosen = runs.opening()
    assert chosen[0] == "shakespeare-char"
    assert 1 < len(chosen) <= 3
    payload = runs.payload(chosen)
    json.dumps(payload, allow_nan=False)
    for run in payload["runs"]:
        rows = read_metrics(BUNDLED / run["name"])
        assert [point["val"] for point in run["points"]] == [each["val_bpc"] for each in rows]
        assert [point["step"] for point in run["points"]] == [each["step"] for each in rows]
        assert run["samples"] == [each["sample"] for each in rows]
    assert payload["sentences"][0].startswith("shakespeare-char fell from ")


def test_the_slider_begins_and_ends_with_every_run() -> None:
    runs = [run_of("a", 3.0, 2.5, 2.2, 2.1), run_of("b", 3.0, 2.0), run_of("c", 3.0)]
    found = places([run.evaluations for run in runs])
    assert [place["percent"] for place in found] == [25, 50, 75, 100]
    assert found[0]["rows"] == [0, 0, 0]
    assert found[-1]["rows"] == [3, 1, 0]


def test_a_run_is_read_again_only_when_its_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runs" / "live"
    write_rows(folder, ROWS[:1])
    runs = TrainingRuns([], runs_folder=tmp_path / "runs")
    name = folder.as_posix()
    before = runs.version([name])
    assert len(runs.evaluations(name)) == 1
    with monkeypatch.context() as patch:
        patch.setattr(training_view, "read_evaluations", lambda path: pytest.fail("read again"))
        assert len(runs.evaluations(name)) == 1
        assert runs.version([name]) == before
    write_rows(folder, ROWS)
    assert runs.version([name]) != before
    assert len(runs.evaluations(name)) == 3
    (folder / RESULTS_FILE).write_text("{}")
    assert not runs.payload([name])["sentences"][0].endswith("so far.")


def test_a_run_that_appears_is_offered_and_one_that_vanishes_does_no_harm(tmp_path: Path) -> None:
    runs = TrainingRuns([], label=label_of, runs_folder=tmp_path / "runs")
    offered = runs.choices()
    path = write_rows(tmp_path / "runs" / "new", ROWS)
    runs.look()
    name = path.parent.as_posix()
    assert runs.choices() == [*offered, ("new", name)]
    path.unlink()
    runs.look()
    assert runs.payload([name])["notes"] == ["new has no evaluation yet."]
    assert runs.payload(["../../etc"])["runs"] == []


def test_a_folder_is_offered_once_and_two_of_one_name_by_their_whole_names(tmp_path: Path) -> None:
    write_rows(tmp_path / "runs" / "same", ROWS)
    write_rows(tmp_path / "else" / "same", ROWS)
    names = [str(tmp_path / "runs" / "same"), str(tmp_path / "else" / "same")]
    runs = TrainingRuns(names, label=label_of, runs_folder=tmp_path / "runs")
    labels = [label for label, name in runs.choices() if name in names]
    assert labels == names
    assert [name for _, name in runs.choices()].count(names[0]) == 1


def test_without_any_metrics_it_says_how_to_make_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_view, "bundled_models", list)
    runs = TrainingRuns([], runs_folder=tmp_path / "runs")
    assert runs.opening() == []
    payload = runs.payload([])
    assert payload["runs"] == payload["places"] == []
    assert "python train.py" in payload["sentences"][0]
    write_rows(tmp_path / "runs" / "a", ROWS)
    runs.look()
    assert runs.payload([])["sentences"] == [training_view.NONE_CHOSEN]


def test_at_most_six_runs_are_drawn_and_the_rest_is_told(tmp_path: Path) -> None:
    for letter in "abcdefgh":
        write_rows(tmp_path / letter, ROWS)
    runs = TrainingRuns([], runs_folder=tmp_path)
    payload = runs.payload([(tmp_path / letter).as_posix() for letter in "abcdefgh"])
    assert len(payload["runs"]) == 6
    assert payload["notes"] == ["6 runs are drawn at most: the first of those chosen."]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes, and a pipe")
def test_whatever_lies_among_the_runs_the_view_opens_and_can_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    for name in ("good", "caf\udce9", "esc\x1b[2J\u202e"):
        (runs / name).mkdir(parents=True)
        (runs / name / METRICS_FILE).write_text(json.dumps(row(100, 2.0)) + "\n")
    (runs / "file").touch()
    (runs / "loop").symlink_to("loop")
    (runs / "nowhere").symlink_to("gone")
    for name in ("pipe", "folder", "locked", "void"):
        (runs / name).mkdir()
    os.mkfifo(runs / "pipe" / METRICS_FILE)
    (runs / "folder" / METRICS_FILE).mkdir()
    (runs / "locked" / METRICS_FILE).write_text(json.dumps(row(100, 2.0)) + "\n")
    exists, locked = Path.exists, set[str]()

    def refuse(path: Path, **more: bool) -> bool:
        if path.parent.name in locked:
            raise PermissionError(13, "Permission denied", str(path))
        return exists(path, **more)

    monkeypatch.setattr(Path, "exists", refuse)
    training = TrainingRuns([], label=label_of, runs_folder=runs)
    names = [name for _, name in training.choices()]
    for name in ("nothing", "locked"):  # a folder may be locked while the page is open
        locked.add(name)
        training.look()
        sent = json.dumps([training.choices(), training.payload(names)], ensure_ascii=False)
        sent.encode()
        assert training.version(names)
        assert not re.search("[\\ud800-\\udfff\x1b\u202e]", sent)
    labels = [label for label, _ in training.choices()]
    assert {"good", "caf\\xe9", "esc\\x1b[2J\\u202e", "locked"} <= set(labels)
