"""Print what is found in a model and a text, a line a finding.

python -m lstm_lm.insight MODEL [TEXT]... [--compare MODEL] [--steps N]
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lstm_lm import startup  # first: it says what is missing to import the others
from lstm_lm.errors import UserError
from lstm_lm.options import OneLineParser
from lstm_lm.surroundings.streams import prepare_streams, say


def parser() -> argparse.ArgumentParser:
    """The options of `python -m lstm_lm.insight`."""
    parser = OneLineParser(
        prog="python -m lstm_lm.insight",
        description="One real finding of each kind, a line each, in the last tenth of a text, "
        "which training leaves out.",
    )
    parser.add_argument("model", help="a bundled model, a run's folder or a repository id")
    parser.add_argument(
        "text",
        nargs="*",
        help="what train.py takes as --text (default: the source code of this Python's library)",
    )
    parser.add_argument(
        "--compare", metavar="MODEL", help="another model whose memory is measured as well"
    )
    parser.add_argument(
        "--steps", type=int, default=12_000, metavar="N", help="tokens traced (default: 12000)"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the findings, and return the exit code."""
    options = parser().parse_args(argv)
    try:
        from lstm_lm.console import Console
        from lstm_lm.hub.datasets import dataset_file
        from lstm_lm.insight.report import held_out, report
        from lstm_lm.language_model import LanguageModel
        from lstm_lm.text.sources import read_text, standard_library, text_files

        if options.steps < 1:
            raise UserError(f"--steps is {options.steps}: give at least 1")
        names = [options.model, *([options.compare] if options.compare else [])]
        models = [(name, LanguageModel.from_pretrained(name)) for name in names]
        with tempfile.TemporaryDirectory() as spool:
            files = standard_library()
            if options.text:
                files = text_files(options.text, Path(spool), dataset_file)
            text = held_out(list(read_text(files)))
        console = Console()
        for line in report(models, text, traced=options.steps):
            console.line(f"{line.kind:10}  {line.sentence}")
            lost = getattr(sys.stdout, "lost", None)
            if isinstance(lost, BrokenPipeError):  # the reader has what it wanted, as in `| head`
                break
            if lost:
                raise UserError(f"cannot write the findings: {lost.strerror}")
    except UserError as error:
        say(f"lstm_lm.insight: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    prepare_streams()
    sys.exit(startup.run(main))
