"""`train.py` as a person runs it: exit codes, one line for a mistake, and what a kill leaves."""

import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import train
from app import models_to_serve
from lstm_lm.console import Reporter
from lstm_lm.language_model import load, load_folder
from lstm_lm.store.folder import read_metrics
from lstm_lm.training.checkpoint import checkpoint_folder, load_checkpoint
from lstm_lm.training.claims import claim_new, claim_run

PROJECT = Path(train.__file__).parent
THREADS = str(torch.get_num_threads())  # of the processes: other numbers add in other orders
TEXT = "the early bird catches the worm, and the second mouse gets the cheese.\n" * 60
SIZES = ["--layers", "2", "--hidden-size", "16", "--embedding-size", "4", "--batch-size", "4",
         "--sequence-length", "8"]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with a text, a binary file and a folder that holds something."""
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "short.txt").write_text("Hi.")
    (tmp_path / "void.txt").touch()
    (tmp_path / "binary.txt").write_bytes(b"ab\0cd")
    (tmp_path / "latin1.txt").write_bytes("café ".encode("latin-1") * 50)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex.bak").write_text("do not write here")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


WRONG = {
    "unknown option": (["--optimizer", "sgd"], "unrecognized arguments: --optimizer"),
    "unknown choice": (["--cell", "transformer"], "argument --cell: invalid choice: 'transformer'"),
    "no number": (["--steps", "many"], "argument --steps: invalid int value: 'many'"),
    "missing value": (["--text"], "argument --text: expected one argument"),
    "steps and minutes": (
        ["--steps", "3", "--minutes", "1"],
        "both steps and minutes are given: choose one",
    ),
    "several at once": (
        ["--layers", "0", "--dropout", "2", "--seed=-1"],
        "--layers is 0: give a whole number from 1 to 16; --dropout is 2.0",
    ),
    "no finite number": (["--learning-rate", "nan"], "--learning-rate is nan: give a number"),
    "infinite minutes": (["--minutes", "inf"], "--minutes is inf: give a number"),
    "endless digits": (["--seed", "9" * 5000], "argument --seed: invalid int value"),
    "huge": (["--hidden-size", "9" * 30], "--hidden-size is a number of more than 18 digits"),
    "resume with settings": (
        ["--resume", "x", "--steps", "5"],
        "--resume goes on with the settings of the run: leave out --steps",
    ),
    "resume with a text": (["--resume", "x", "--text", "t"], "leave out --text"),
    "resume with out": (["--resume", "x", "--out", "y"], "leave out --out"),
    "resume of no run": (["--resume", "full"], r"full is no run: it has no checkpoint/run.json"),
    "resume of nothing": (["--resume", "nowhere"], "nowhere is no run"),
    "resume of a file": (["--resume", "text.txt"], "text.txt is no run"),
    "no such text": (["--text", "no.txt"], "no such file or folder: no.txt"),
    "name too long": (["--text", "x" * 300], "File name too long"),
    "no such home": (["--text", "~nobody-of-that-name/x"], "cannot read ~nobody-of-that-name/x"),
    "empty text": (["--text", "void.txt"], "void.txt is empty"),
    "empty name of a text": (
        ["--text", ""],
        "--text is empty: name a file, a folder, a URL, or - for stdin",
    ),
    "binary text": (["--text", "binary.txt"], "binary.txt is binary: byte offset 2 is zero"),
    "latin-1 text": (["--text", "latin1.txt"], "latin1.txt is not UTF-8: byte offset 3"),
    "short text": (["--text", "short.txt"], "the text has 3 characters: too short"),
    "too short for the batch": (
        ["--text", "text.txt", "--batch-size", "999"],
        "needs 64,935: give a text of at least 72,151 tokens, or lower --batch-size",
    ),
    "folder without text": (["--text", "full"], "no text files in the folder full"),
    "no URL": (["--text", "http://[::1"], "cannot fetch http://[::1: Invalid IPv6 URL"),
    "half a data set": (["--text", "hf://datasets/a"], "write hf://datasets/OWNER/NAME/FILE"),
    "data set offline": (["--text", "hf://datasets/a/b/c.txt"], "cannot reach the Hub"),
    "too few subwords": (
        ["--text", "text.txt", "--tokenizer", "sentencepiece", "--vocab-size", "100000"],
        "choose at most",
    ),
    "vocabulary too small": (
        ["--text", "text.txt", "--tokenizer", "sentencepiece", "--vocab-size", "258"],
        "choose at least",
    ),
    "out is full": (
        ["--text", "text.txt", *SIZES, "--steps", "2", "--out", "full"],
        "full is not empty: choose another --out, or go on with --resume full",
    ),
    "out is a file": (
        ["--text", "text.txt", *SIZES, "--steps", "2", "--out", "text.txt"],
        "cannot write into text.txt: Not a directory",
    ),
    "out is in a file": (
        ["--text", "text.txt", *SIZES, "--steps", "2", "--out", "text.txt/run"],
        "cannot write into text.txt/run: Not a directory",
    ),
    "giant model": (
        ["--text", "text.txt", "--batch-size", "2", "--hidden-size", "16384", "--layers", "16"],
        "at most 500,000,000 are supported; lower hidden_size or layers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(
    place: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, message = WRONG[name]
    before = sorted(place.rglob("*"))
    try:
        code: object = train.main(arguments)
    except SystemExit as left:
        code = left.code
    said = capsys.readouterr().err
    assert code == 2
    assert message in said
    assert said.startswith("train.py: ")
    assert said.count("\n") == said.endswith("\n") == 1
    after = {path for path in place.rglob("*") if "cache" not in path.parts}
    assert after <= set(before)  # nothing was begun


def test_a_missing_device_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    assert train.main(["--text", "text.txt", *SIZES, "--steps", "2", "--device", missing]) == 2
    assert f"--device {missing}: this machine has none that torch can use" in (
        capsys.readouterr().err
    )


def test_a_folder_in_use_is_refused_before_the_text_is_read(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--text", "binary.txt", "--out", "full"]) == 2
    assert "full is not empty: choose another --out" in capsys.readouterr().err
    assert not (place / "cache").exists()


def test_a_resumed_run_removes_what_a_kill_left_half_written(place: Path) -> None:
    assert train.main(["--text", "text.txt", *SIZES, "--steps", "2", "--out", "run"]) == 0
    whole = sorted(place.rglob("*"))
    (place / "run" / ".model.safetensors.partial-12").touch()
    (place / "run" / "checkpoint" / ".step-000000009.safetensors.partial-12").touch()
    (place / "run" / ".writing-x1").mkdir()
    assert train.main(["--resume", "run"]) == 0
    assert sorted(place.rglob("*")) == whole


def test_a_run_names_itself_and_is_resumed_by_its_folder(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--text", "text.txt", *SIZES, "--steps", "2"]
    assert train.main(command) == 0
    assert "python app.py --model runs/text-char" in capsys.readouterr().out
    assert train.main(command) == 0
    assert sorted(path.name for path in (place / "runs").iterdir()) == [
        "text-char",
        "text-char-2",
    ]
    shutil.rmtree(place / "cache")  # the text is read again
    assert train.main(["--resume", "runs/text-char"]) == 0
    shutil.rmtree(place / "cache")
    (place / "text.txt").write_text(TEXT + "changed")
    assert train.main(["--resume", "runs/text-char"]) == 2
    assert "the text is not the one that this run began with" in capsys.readouterr().err


# From here on: real processes, since they are killed. They share one cache and one text.


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("processes")
    (place / "text.txt").write_text(TEXT)
    return place


@pytest.fixture
def start(shared: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start train.py with these arguments; what still runs in the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, largest_file: int | None = None) -> "subprocess.Popen[str]":
        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        process = subprocess.Popen(
            [sys.executable, str(PROJECT / "train.py"), *arguments],
            cwd=shared,
            env={**os.environ, "LSTM_LM_CACHE": str(shared / "cache"), "OMP_NUM_THREADS": THREADS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


# A checkpoint after each step, and steps enough that a signal finds the run in its middle.
KILLS = 10
STEPS = 150
TRAINING = ["--text", "text.txt", *SIZES, "--steps", str(STEPS), "--evaluations", "5",
            "--checkpoint-seconds", "0"]  # fmt: skip


@pytest.fixture(scope="module")
def uninterrupted(shared: Path) -> Path:
    """The folder of a run of TRAINING that nothing stopped, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shared)
        patch.setenv("LSTM_LM_CACHE", str(shared / "cache"))
        assert train.main([*TRAINING, "--out", "whole"]) == 0
    return shared / "whole"


def wait_for_step(folder: Path, step: int, process: "subprocess.Popen[str]") -> None:
    """Return when a checkpoint of at least `step` steps is there."""
    for _ in range(6000):
        names = [path.stem for path in checkpoint_folder(folder).glob("step-*.safetensors")]
        if any(int(name.removeprefix("step-")) >= step for name in names):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    raise AssertionError("no checkpoint within half a minute")


def check_like(folder: Path, whole: Path) -> None:
    """The run ended as the uninterrupted one did, with no evaluation told twice."""
    ours, theirs = ((f / "model.safetensors").read_bytes() for f in (folder, whole))
    assert ours == theirs
    rows = [[{**row, "seconds": 0} for row in read_metrics(f)] for f in (folder, whole)]
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == [STEPS // 5 * n for n in range(1, 6)]


def test_a_run_killed_ten_times_at_random_moments_is_resumed_bit_for_bit(
    start: Callable[..., "subprocess.Popen[str]"],
    shared: Path,
    uninterrupted: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = sorted(random.sample(range(1, STEPS - 20), KILLS))  # any must do
    moments = [random.uniform(0.0, 0.02) for _ in steps]
    left = 0
    for kill, (step, moment) in enumerate(zip(steps, moments, strict=True)):
        process = start(*(("--resume", "killed") if kill else (*TRAINING, "--out", "killed")))
        wait_for_step(shared / "killed", max(step, left + 1), process)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        left = load_checkpoint(shared / "killed")[0]
    monkeypatch.chdir(shared)
    monkeypatch.setenv("LSTM_LM_CACHE", str(shared / "cache"))
    assert train.main(["--resume", "killed"]) == 0
    assert f"going on after step {left} of {STEPS}" in capsys.readouterr().out
    try:
        check_like(shared / "killed", uninterrupted)
    except AssertionError as error:
        raise AssertionError(f"killed {moments} s after steps {steps}, left {left}") from error


def test_a_run_goes_on_bit_for_bit_after_ctrl_c_and_after_a_full_disk(
    start: Callable[..., "subprocess.Popen[str]"],
    shared: Path,
    uninterrupted: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LSTM_LM_CACHE", str(shared / "cache"))
    process = start(*TRAINING, "--out", "stopped")
    wait_for_step(shared / "stopped", 30, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "everything saved; go on with\n  python train.py --resume stopped\n" in err
    run = json.loads((shared / "stopped" / "checkpoint" / "run.json").read_text())
    assert run["train"]["steps"] == STEPS
    assert run["command"].startswith("python train.py --text text.txt --layers 2")

    # The disk is full now: a file may not grow to the size of a checkpoint.
    step = load_checkpoint(shared / "stopped")[0]
    (newest, *_) = sorted(checkpoint_folder(shared / "stopped").glob("step-*"), reverse=True)
    full = start("--resume", "stopped", largest_file=newest.stat().st_size - 1000)
    _, err = full.communicate(timeout=60)
    assert full.returncode == 2, err
    assert err.split("\n")[-2].startswith(
        f"train.py: cannot save the checkpoint of step {step + 1}"
    )
    assert f"step {step} is still there; free some space and go on with --resume stopped" in err
    assert "Traceback" not in err
    assert load_checkpoint(shared / "stopped")[0] == step
    assert load_folder(shared / "stopped").config.layers == 2

    # And now it is not.
    monkeypatch.chdir(shared)
    assert train.main(["--resume", "stopped"]) == 0
    assert f"going on after step {step} of {STEPS}" in capsys.readouterr().out
    check_like(shared / "stopped", uninterrupted)


def test_help_and_mistakes_are_answered_at_once_without_torch() -> None:
    """Within a second, by contract; two are allowed here, for a busy machine."""
    for arguments, code in (["--help"], 0), (["--layers", "0"], 2), (["--what"], 2):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-X", "importtime", str(PROJECT / "train.py"), *arguments],
            check=False,
            capture_output=True,
            text=True,
        )
        assert time.perf_counter() - started < 2.0
        assert done.returncode == code
        assert "lstm_lm.config" in done.stderr
        assert not any(line.split("|")[-1].strip() == "torch" for line in done.stderr.split("\n"))
        if code == 0:
            assert "--resume FOLDER" in done.stdout


def test_text_is_read_from_standard_input(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert train.main(["--text", "-", *SIZES, "--steps", "2", "--out", "piped"]) == 0
    assert load_folder(place / "piped").complete("the ")
    assert train.main(["--resume", "piped"]) == 0
    shutil.rmtree(place / "cache")
    assert train.main(["--resume", "piped"]) == 2  # what came through a pipe is gone


# From here on: one process, which stands for the second of two.


@pytest.fixture
def quick(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place, where the end of a run writes a little text instead of much."""
    monkeypatch.setattr("lstm_lm.training.scoring.WRITTEN_TOKENS", 60)
    return place


def code_of(*arguments: str) -> int:
    return train.main(["--text", "text.txt", *SIZES, "--steps", "2", *arguments])


def test_a_second_process_is_refused_the_folder_of_a_run_that_is_trained(
    quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of("--out", "live") == 0
    (quick / "live" / ".model.safetensors.partial-12").touch()  # the first is just writing it
    before = sorted(quick.rglob("*"))
    capsys.readouterr()
    with claim_run(quick / "live", Reporter()):
        assert train.main(["--resume", "live"]) == 2
    said = f"live is being trained by process {os.getpid()}: wait for its end, or stop it with "
    assert capsys.readouterr() == ("", f"train.py: {said}Ctrl-C, which saves it\n")
    assert sorted(quick.rglob("*")) == before
    with claim_new(quick / "new", Reporter()):
        assert code_of("--out", "new") == 2
    assert "train.py: new is being trained by process" in capsys.readouterr().err


def test_a_run_that_cannot_begin_leaves_the_folder_that_it_claimed_as_it_was(place: Path) -> None:
    (place / "empty").mkdir()
    before = sorted(place.rglob("*"))
    for text in ("binary.txt", "short.txt"):
        for out in ("empty", "new/run"):
            assert train.main(["--text", text, "--steps", "2", "--out", out]) == 2
    assert [path for path in sorted(place.rglob("*")) if "cache" not in path.parts] == before


def test_a_home_is_expanded_and_printed_commands_can_be_pasted(
    quick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(quick / "my home"))
    assert code_of("--out=~/run") == 0
    out = capsys.readouterr().out
    folder = f"'{quick}/my home/run'"
    assert f"Ctrl-C saves it, --resume {folder} goes on" in out
    assert f"python app.py --model {folder}" in out
    assert train.main(["--resume", "~/run"]) == 0
    assert not (quick / "~").exists()
    assert train.main(["--resume", "~nobody-of-that-name/run"]) == 2
    assert "cannot find ~nobody-of-that-name/run: Could not determine" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_names_that_are_not_utf8_or_steer_a_terminal_are_trained_on_and_shown_safely(
    quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "caf\udce9\x1b[2J.txt"
    (quick / name).write_text(TEXT)
    options = [*SIZES, "--steps", "2"]
    assert train.main(["--text", name, *options, "--out", "l\udce9"]) == 0
    out, err = capsys.readouterr()
    assert "caf\\xe9\\x1b[2J.txt: 4,260 characters" in out
    assert "python app.py --model $'l\\xe9'" in out
    assert "\x1b" not in (out + err).replace("\x1b[A", "")  # how tqdm goes up a line
    assert json.loads((quick / "l\udce9" / "results.json").read_text())["command"].startswith(
        "python train.py --text $'caf\\xe9\\x1b[2J.txt' --layers 2"
    )
    assert train.main(["--resume", "l\udce9"]) == 0
    # What was printed names the model as well, for a page that could not send the name itself.
    models, notes = models_to_serve(["l\udce9"])
    assert (models, notes) == (["l\\xe9"], [])
    assert load("l\\xe9").name == "l\\xe9"


def test_an_argument_that_steers_a_terminal_is_shown_safely(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        train.main(["--what\x1b[2J\n"])
    err = capsys.readouterr().err
    assert err.startswith("train.py: unrecognized arguments: --what\\x1b[2J\\n; see")
    assert err.count("\n") == 1


def test_a_console_that_is_gone_costs_no_step_and_no_file(place: Path) -> None:
    """A real process whose stdout and stderr have no reader from the start."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, str(PROJECT / "train.py"), "--text", "text.txt", *SIZES,
         "--steps", "4", "--evaluations", "2", "--out", "run"],
        check=False, cwd=place, stdin=subprocess.DEVNULL, stdout=write, stderr=write, timeout=120,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 0
    assert [row["step"] for row in read_metrics(place / "run")] == [2, 4]
    assert (place / "run" / "results.json").exists()
    assert (place / "run" / "loss.png").exists()
