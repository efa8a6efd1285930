"""Train a language model from the command line: arguments in, one call, an error to its exit code.

Exit codes: 0 done; 2 the input is wrong (one line on stderr says what to do); 130 interrupted,
with everything needed to go on saved.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from lstm_lm import startup  # first: it says what is missing to import the others
from lstm_lm.config import CELLS, DEVICES, PRECISIONS, TOKENIZERS, TrainConfig
from lstm_lm.errors import ConfigError, UserError
from lstm_lm.hub.repository import Target
from lstm_lm.options import OneLineParser, add_options, as_options, chosen
from lstm_lm.surroundings.files import expanded
from lstm_lm.surroundings.streams import prepare_streams, say
from lstm_lm.surroundings.variables import check_trainer
from lstm_lm.training.sizing import RULED
from lstm_lm.training.tracking import TRACKERS, check_tracker
from lstm_lm.visible_text import shell_path

CHOICES = {"tokenizer": TOKENIZERS, "cell": CELLS, "device": DEVICES, "precision": PRECISIONS}


def parser() -> argparse.ArgumentParser:
    """The options of `train.py`; those of the training come from the fields of TrainConfig."""
    parser = OneLineParser(
        prog="train.py",
        allow_abbrev=False,  # the command is written down: an option has one spelling
        description="Train a character or subword LSTM on your own text. With no arguments: ten "
        "minutes on the source code of the Python that runs this.",
    )
    parser.add_argument(
        "--text",
        action="append",
        metavar="SOURCE",
        help="file, folder (searched for text and source files), http(s) URL, "
        "hf://datasets/OWNER/NAME[@REVISION]/FILE, or - for standard input; repeat it to join "
        "several",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where the model, its checkpoints and up to four early models (snapshots) go "
        "(default: runs/NAME-OF-THE-TEXT)",
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FOLDER",
        help="go on with the run in this folder, with the settings it began with",
    )
    hub = parser.add_argument_group("the Hugging Face Hub")
    hub.add_argument(
        "--push-to-hub",
        metavar="OWNER/NAME",
        help="push the model there in the end; with --resume of a run that is finished, only push",
    )
    hub.add_argument("--revision", metavar="TAG", help="a tag for what is pushed, such as v1.0")
    hub.add_argument(
        "--private", action="store_true", help="make the repository private, if it is made now"
    )
    hub.add_argument(
        "--license", metavar="ID", help="what the model card states, such as mit or cc0-1.0"
    )
    parser.add_argument(
        "--track",
        choices=TRACKERS,
        help="log the metrics to this tracker too, if it is installed",
    )
    add_options(parser, TrainConfig, CHOICES, ruled=RULED)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Train, and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    command = shlex.join(["python", "train.py", *arguments])
    try:
        return _run(options, command)
    except ConfigError as error:
        fields = [*TrainConfig.__dataclass_fields__, "push_to_hub", "revision"]
        return _say(as_options(error, fields), 2)
    except UserError as error:
        return _say(str(error), 2)
    except KeyboardInterrupt:
        return _say("interrupted", 130)


def _run(options: argparse.Namespace, command: str) -> int:
    settings = chosen(options, TrainConfig)
    if options.resume and (settings or options.text or options.out):
        given = next(iter([*settings, *(["text"] if options.text else []), "out"]))
        raise ConfigError(
            f"--resume goes on with the settings of the run: leave out --{given.replace('_', '-')}"
        )
    config = TrainConfig(**settings)
    out, resume = (path and expanded(path) for path in (options.out, options.resume))
    check_trainer(os.environ)
    check_tracker(options.track)
    target = _target(options)

    # The heavy imports wait until the input is known to be right.
    from lstm_lm.console import Console
    from lstm_lm.training.loop import Interrupted
    from lstm_lm.training.session import begin_run, resume_run

    console = Console()
    try:
        if resume:
            resume_run(resume, console, options.track, target)
        else:
            begin_run(
                config,
                settings,
                options.text or [],
                out,
                command,
                console,
                options.track,
                target,
            )
    except Interrupted as stopped:
        push = f" {target.options()}" if target else ""
        return _say(
            f"interrupted after step {stopped.step:,}, everything saved; go on with\n"
            f"  python train.py --resume {shell_path(stopped.folder)}{push}",
            130,
        )
    return 0


def _target(options: argparse.Namespace) -> Target | None:
    """Where to push, if the person wants that."""
    given = {"revision": options.revision, "private": options.private, "license": options.license}
    if options.push_to_hub is not None:
        return Target(repo_id=options.push_to_hub, **given)
    for name in (name for name, value in given.items() if value):
        raise ConfigError(f"--{name} goes with what is pushed: add --push-to-hub OWNER/NAME")
    return None


def _say(message: str, code: int) -> int:
    say(f"train.py: {message}")
    return code


if __name__ == "__main__":
    prepare_streams()
    sys.exit(startup.run(main))
