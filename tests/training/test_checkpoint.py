import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lstm_lm.errors import CheckpointError
from lstm_lm.training import checkpoint
from lstm_lm.training.checkpoint import (
    Run,
    checkpoint_folder,
    has_checkpoint,
    is_run,
    load_checkpoint,
    read_run,
    refuse_folder_in_use,
    save_checkpoint,
    write_run,
)
from tests.conftest import tiny_training

RUN = Run(
    train=tiny_training(), sources=["a", "-"], files=["/a"], fingerprint="f", command="train it"
)


def tensors(step: int) -> dict[str, torch.Tensor]:
    return {"w": torch.full((3, 2), float(step)), "step": torch.tensor(step)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with checkpoints of steps 10 and 20."""
    write_run(tmp_path / "run", RUN)
    for step in (10, 20):
        save_checkpoint(tmp_path / "run", step, tensors(step), {"best": 0.1, "note": "ü"})
    return tmp_path / "run"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in checkpoint_folder(folder).iterdir())


def test_a_run_comes_back_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    assert is_run(folder)
    assert read_run(folder) == RUN
    assert not is_run(tmp_path)
    assert not has_checkpoint(tmp_path)


def test_a_checkpoint_comes_back_bit_for_bit(folder: Path) -> None:
    step, loaded, info, warnings = load_checkpoint(folder)
    assert step == 20
    assert loaded.keys() == tensors(20).keys()
    assert all(torch.equal(loaded[name], value) for name, value in tensors(20).items())
    assert info == {"best": 0.1, "note": "ü"}
    assert warnings == []


def test_the_two_newest_checkpoints_are_kept(folder: Path) -> None:
    for step in (30, 1_000_000_040):
        save_checkpoint(folder, step, tensors(step), {})
    assert files(folder) == [
        "run.json",
        "step-000000030.safetensors",
        "step-1000000040.safetensors",
    ]
    assert load_checkpoint(folder)[0] == 1_000_000_040


def newest(folder: Path) -> Path:
    return checkpoint_folder(folder) / "step-000000020.safetensors"


@pytest.mark.parametrize("kept_bytes", [0, 5, 100, -1])
def test_a_checkpoint_cut_short_is_passed_over_and_said(folder: Path, kept_bytes: int) -> None:
    size = newest(folder).stat().st_size
    os.truncate(newest(folder), kept_bytes % size)
    step, loaded, _, warnings = load_checkpoint(folder)
    assert step == 10
    assert torch.equal(loaded["w"], tensors(10)["w"])
    assert len(warnings) == 1
    assert warnings[0].startswith("the checkpoint step-000000020.safetensors is damaged (")
    assert warnings[0].endswith("): using the one before")


def test_a_flipped_bit_in_a_weight_is_noticed(folder: Path) -> None:
    content = bytearray(newest(folder).read_bytes())
    content[-3] ^= 1
    newest(folder).write_bytes(content)
    step, _, _, warnings = load_checkpoint(folder)
    assert step == 10
    assert "its checksum is wrong" in warnings[0]


def with_header(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Rewrite the JSON header of the weight file, the data left as it is."""

    def rewrite(path: Path) -> None:
        content = path.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        text = change(content[8:end])
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])

    return rewrite


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_header(lambda text: text + b" " * 2**20), "its header would be 1,04"),
        (with_header(lambda _: b"[" * 10**5), "is nested too deeply"),
        (with_header(lambda text: text.replace(b'"step":"20"', b'"step":"x"')), "invalid literal"),
        (with_header(lambda text: text.replace(b'"info":"{', b'"info":"[{')), "its info is not J"),
        (with_header(lambda text: text.replace(b'"info":"', b'"info":"' + b"[" * 10**5)), "deeply"),
        (lambda path: (path.unlink(), path.mkdir()), "is no plain file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "leads out of the folder"),
        (lambda path: os.truncate(path, 10**11), "is damaged"),
    ],
    ids=["large", "deep", "step", "info", "deep-info", "folder", "device", "sparse"],
)
def test_a_hostile_checkpoint_is_passed_over(
    folder: Path, change: Callable[[Path], object], message: str
) -> None:
    change(newest(folder))
    step, _, _, warnings = load_checkpoint(folder)
    assert step == 10
    assert re.search(message, warnings[0]), warnings


def test_without_a_whole_checkpoint_there_is_no_going_on(folder: Path) -> None:
    for path in checkpoint_folder(folder).glob("step-*"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="has no whole checkpoint: start again from its com"):
        load_checkpoint(folder)


def test_a_checkpoint_that_cannot_be_written_leaves_those_before_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(folder)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_tensors", full)
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint(folder, 30, tensors(30), {})
    assert str(caught.value) == (
        "cannot save the checkpoint of step 30: No space left on device; step 20 is still there; "
        f"free some space and go on with --resume {folder}"
    )
    assert files(folder) == before
    assert load_checkpoint(folder)[0] == 20


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(CheckpointError, match=r"is no run: it has no checkpoint/run\.json"):
            read_run(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"train": {}, "train": {}}',
        json.dumps({"train": {"layers": 0}}).encode(),
        json.dumps({"train": {"wings": 0}}).encode(),
        json.dumps({"train": {}, "sources": 3, "files": [], "fingerprint": 1}).encode(),
    ],
)
def test_a_damaged_description_of_a_run_is_named(folder: Path, content: bytes) -> None:
    (checkpoint_folder(folder) / "run.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"run\.json is damaged \(.*\): start a new run"):
        read_run(folder)


def test_a_run_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"cannot write into .*: Not a directory"):
        write_run(tmp_path / "file" / "run", RUN)


def deny(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the system refuse to open or list what has this name, whoever runs the tests."""

    def refusing(allowed: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(path: Path, *arguments: object, **more: object) -> Any:
            if path.name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return allowed(path, *arguments, **more)

        return refuse

    for method in ("open", "iterdir"):
        monkeypatch.setattr(Path, method, refusing(getattr(Path, method)))


@pytest.mark.parametrize("name", ["step-000000020.safetensors", "checkpoint"])
def test_a_checkpoint_that_may_not_be_read_is_named_and_none_before_it_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    deny(monkeypatch, name)
    place = checkpoint_folder(folder)
    path = place if name == "checkpoint" else place / name
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    assert str(caught.value) == (
        f"cannot read {path}: Permission denied; nothing is lost: go on once you may read it, or "
        "as the account that it belongs to"
    )


def test_a_description_of_a_run_that_may_not_be_read_is_no_damaged_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, "run.json")
    with pytest.raises(CheckpointError, match=r"cannot read .*run\.json: Permission denied; nothi"):
        read_run(folder)


def test_where_no_checkpoint_is_whole_the_last_reason_is_said(folder: Path) -> None:
    for path in checkpoint_folder(folder).glob("step-*"):
        os.truncate(path, 5)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    assert str(caught.value).startswith(
        f"{folder} has no whole checkpoint: start again from its command (checkpoint/run.json); "
        "the checkpoint step-000000010.safetensors is damaged ("
    )


def test_a_folder_that_only_holds_a_claim_is_empty(tmp_path: Path) -> None:
    place = checkpoint_folder(tmp_path / "run")
    place.mkdir(parents=True)
    (place / "lock").touch()
    refuse_folder_in_use(tmp_path / "run")
    (place / "notes").touch()
    with pytest.raises(CheckpointError, match="is not empty"):
        refuse_folder_in_use(tmp_path / "run")


def test_a_command_to_go_on_can_be_pasted(tmp_path: Path) -> None:
    write_run(tmp_path / "my run", RUN)
    with pytest.raises(CheckpointError, match=r"go on with --resume '/.*/my run'\Z"):
        refuse_folder_in_use(tmp_path / "my run")


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_a_run_may_lie_in_a_folder_whose_name_is_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / "caf\udce9"
    write_run(folder, RUN)
    save_checkpoint(folder, 10, tensors(10), {})
    step, loaded, _, _ = load_checkpoint(folder)
    assert step == 10
    assert torch.equal(loaded["w"], tensors(10)["w"])
