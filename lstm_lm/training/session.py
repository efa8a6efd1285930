"""A training session from end to end: text -> corpus -> run folder -> training -> the Hub.

What `train.py` calls once it has read its arguments.
"""

import contextlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from lstm_lm.addresses import is_cut, told_address, told_command
from lstm_lm.config import TrainConfig
from lstm_lm.console import Reporter, unfailing
from lstm_lm.errors import HubError, HubOfflineError, PushError, TextError
from lstm_lm.hub.datasets import dataset_file
from lstm_lm.hub.push import check_target, push_folder
from lstm_lm.hub.repository import Target
from lstm_lm.store.folder import RESULTS_FILE
from lstm_lm.store.snapshots import snapshots
from lstm_lm.surroundings.files import remove_partial_files
from lstm_lm.text.corpus import Corpus, build_corpus, cache_folder, cached_corpus
from lstm_lm.text.sources import source_name, standard_library, text_files
from lstm_lm.training.checkpoint import Run, checkpoint_folder, newest_step, read_run
from lstm_lm.training.claims import claim_free, claim_new, claim_run
from lstm_lm.training.loop import Interrupted, begin, train
from lstm_lm.training.processes import Processes, join, leave
from lstm_lm.visible_text import shell_path

RUNS = Path("runs")
LONGEST_NAME = 90  # characters: room for what is added to it where a name may have 255


def begin_run(
    config: TrainConfig,
    given: Collection[str],
    sources: list[str],
    out: Path | None,
    command: str,
    reporter: Reporter,
    track: str | None = None,
    target: Target | None = None,
) -> None:
    """Train a new model on the sources, or on the standard library's source if there are none.

    Args:
        config: the settings.
        given: names of those that the person chose; sizes that are not among them follow from the
            text and the time (`sizing.py`).
        sources: files, folders, addresses or `-`.
        out: the run folder; None: one named after the text.
        command: what the person typed.
        reporter: told of progress.
        track: a tracker that gets the metrics too.
        target: where the model is pushed in the end; whether it can be is looked into before.
    """
    reporter = unfailing(reporter)
    processes = join(config.device)
    told: list[Any] = [None]
    with contextlib.ExitStack() as claims:
        if processes.first:
            _check(target)
            if out:
                claims.enter_context(claim_new(out, reporter))  # before the work on the text
            files = _files(sources)
            corpus = build_corpus(files, config.tokenizer, config.vocab_size, reporter=reporter)
            folder = out
            if folder is None:
                claim = claim_free(RUNS / _name(sources, config), reporter)
                folder = claims.enter_context(claim).folder
            _introduce(corpus, files, folder, reporter)
            begin(
                config,
                corpus,
                folder,
                sources=[told_address(source) for source in sources],
                files=[str(file.resolve()) for file in files],
                command=told_command(command),
                reporter=reporter,
                given=given,
                processes=processes,
            )
            told = [str(folder)]
        _go_on(Path(processes.tell(told)[0]), processes, reporter, track, target)


def resume_run(
    folder: Path, reporter: Reporter, track: str | None = None, target: Target | None = None
) -> None:
    """Go on with the run in the folder; one that is finished is only pushed, if there is where."""
    reporter = unfailing(reporter)
    run = read_run(folder)
    processes = join(run.train.device)
    finished = newest_step(folder) == run.train.steps and (folder / RESULTS_FILE).exists()
    if finished and target:
        leave()
        if processes.first:
            _push(folder, run, target, reporter)
        return
    with contextlib.ExitStack() as claims:
        if processes.first:
            claims.enter_context(claim_run(folder, reporter))
            for place in (folder, checkpoint_folder(folder), *snapshots(folder)):
                remove_partial_files(place)
            _check(target)
        _go_on(folder, processes, reporter, track, target)


def _check(target: Target | None) -> None:
    """Raise HubError if it can be known by now that a model cannot be pushed to the target."""
    try:
        if target:
            check_target(target)
    except HubOfflineError as error:
        raise HubOfflineError(
            f"{error}; train without --push-to-hub, and push later with --resume"
        ) from None


def _push(folder: Path, run: Run, target: Target, reporter: Reporter) -> None:
    try:
        push_folder(folder, target, reporter)
    except HubError as error:
        again = f"python train.py --resume {shell_path(folder)} {target.options()}"
        raise PushError(
            f"{error}; the model is whole in {folder}: once that is mended, push it with  {again}"
        ) from None
    except KeyboardInterrupt:
        raise Interrupted(run.train.steps or 0, folder) from None


def _go_on(
    folder: Path,
    processes: Processes,
    reporter: Reporter,
    track: str | None,
    target: Target | None,
) -> None:
    """Train the run in the folder to its end; only the first process speaks, and pushes."""
    run = read_run(folder)
    if not processes.first:
        reporter = Reporter()
    train(run, _corpus_of(run, reporter), folder, reporter, processes, track)
    leave()
    reporter.line(f"done: the model is in {folder}")
    if target and processes.first:
        _push(folder, run, target, reporter)
        return
    reporter.line(f"look inside it:  python app.py --model {shell_path(folder)}")


def _corpus_of(run: Run, reporter: Reporter) -> Corpus:
    """The run's text, from the cache or read again."""
    corpus = cached_corpus(run.fingerprint)
    if corpus is not None:
        return corpus
    reporter.line("the token cache is gone: reading the text again")
    files = [Path(file) for file in run.files]
    missing = [file for file in files if not file.exists()]
    if missing:
        if "-" in run.sources:
            raise TextError(
                f"the text came from standard input and is no longer in the cache "
                f"({missing[0]}): start a new run"
            )
        for source in filter(is_cut, run.sources):
            raise TextError(
                f"the text came from {source}, whose password or query a run does not keep, and "
                f"is no longer in the cache: save it again as {missing[0]}, then --resume"
            )
        files = _files(run.sources)
    return build_corpus(files, run.train.tokenizer, run.train.vocab_size, reporter=reporter)


def _files(sources: list[str]) -> list[Path]:
    if not sources:
        return standard_library()
    return text_files(sources, cache_folder() / "texts", dataset_file)


def _name(sources: list[str], config: TrainConfig) -> str:
    """A folder's name for the run: the text's own, and the tokenizer's."""
    stem = source_name(sources[0]) if sources else "python"
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem)[:LONGEST_NAME].strip("-.") or "text"
    return f"{stem}-{'char' if config.tokenizer == 'char' else 'subword'}"


def _introduce(corpus: Corpus, files: list[Path], folder: Path, reporter: Reporter) -> None:
    shown = str(files[0]) if len(files) == 1 else f"{len(files)} files"
    reporter.line(
        f"{shown}: {corpus.characters:,} characters, {corpus.tokenizer.vocab_size} different "
        f"tokens; {len(corpus.training):,} tokens train, {len(corpus.validation):,} validate"
    )
    reporter.line(
        f"the run goes to {folder}; Ctrl-C saves it, --resume {shell_path(folder)} goes on"
    )
