"""Serve the page: arguments in, load the models, launch; an error to its exit code.

Exit codes: 0 done; 2 the input is wrong (one line on stderr says what to do).
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from lstm_lm import startup  # first: it says what is missing to import the others
from lstm_lm.errors import ConfigError, UserError
from lstm_lm.hub.space import in_space
from lstm_lm.options import OneLineParser
from lstm_lm.surroundings.proxies import go_around
from lstm_lm.surroundings.serving import (
    HOST,
    USUAL_HOST,
    Address,
    as_gradio_writes,
    check_address,
    launching,
)
from lstm_lm.surroundings.streams import prepare_streams, say, write_line
from lstm_lm.surroundings.variables import prepare_page
from lstm_lm.visible_text import printable


def parser() -> argparse.ArgumentParser:
    """The options of `app.py`."""
    parser = OneLineParser(
        prog="app.py",
        description="Watch an LSTM write, with every gate of every unit at every step. "
        "With no arguments: the models that come with the project, offline.",
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="MODEL",
        help="a model that comes with the project, the folder of a run, or OWNER/NAME[@REVISION] "
        "on the Hub; repeat it for several (default: those that come with the project; a Space "
        "names others in LSTM_LM_MODELS)",
    )
    parser.add_argument("--host", default=None, help="address to serve on (default: 127.0.0.1)")
    parser.add_argument(
        "--port",
        type=_port,
        default=None,
        metavar="P",
        help="port (default: the first free from 7860)",
    )
    parser.add_argument(
        "--share", action="store_true", help="also make a public link through gradio's servers"
    )
    parser.add_argument(
        "--deploy",
        metavar="OWNER/SPACE",
        help="do not serve here: make this Space on the Hub, or bring it up to date, so that it "
        "serves these models",
    )
    parser.add_argument(
        "--hardware",
        metavar="NAME",
        help="with --deploy: what a new Space runs on, such as cpu-basic or zero-a10g (default: "
        "auto, what your account can have; one that is there keeps what it has)",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{port} is no port: choose 1 to 65535")
    return port


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted, and return the exit code."""
    options = parser().parse_args(argv)
    quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    os.environ.update({name: value for name, value in quiet.items() if name not in os.environ})
    try:
        if options.deploy:
            for name in ("host", "port", "share"):
                if getattr(options, name):
                    raise UserError(f"--deploy serves nothing here: leave out --{name}")
            return _deploy(options.deploy, options.model or [], options.hardware)
        if options.hardware is not None:
            raise UserError("--hardware is of a Space: add --deploy OWNER/SPACE")
        host, problems = _prepare(options)
        if in_space(os.environ):
            # Before torch: on ZeroGPU it brings what takes torch's CUDA over, and what is lent.
            importlib.import_module("lstm_lm.training.zero_gpu")
        models, notes = models_to_serve(options.model or [])
        for problem in problems:
            _say(f"{problem}; until then nothing is loaded from the Hub")

        from lstm_lm.ui.page import build_page, launch_settings
        from lstm_lm.ui.shelf.guests import rules_from

        guests = rules_from(os.environ, host=host, share=options.share)
        page, _ = build_page(models, guests=guests, notes=notes)
        with launching():
            page.launch(
                server_name=as_gradio_writes(host),
                server_port=options.port,
                share=options.share,
                **launch_settings(),
            )
    except UserError as error:
        return _say(str(error))
    return 0


def _prepare(options: argparse.Namespace) -> tuple[str, list[str]]:
    """Make the surroundings ready for the page, before gradio is imported.

    Returns:
        The host to serve on, and what is wrong with proxies that the page itself needs not.

    Raises:
        ConfigError: the page cannot be served in them, or not there.
    """
    prepare_page(os.environ)
    address = Address.chosen(options.host, options.port, os.environ)
    check_address(address, os.environ)
    problems = go_around(os.environ, [address.host])
    if problems and options.share:
        raise ConfigError(f"--share cannot go by the proxy: {'; '.join(problems)}")
    if ":" in address.host:  # gradio tries ports of this one as an address of IPv4
        os.environ[HOST] = USUAL_HOST
    return address.host, problems


def models_to_serve(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """The models to serve, and a line about each that a Space names but that cannot be had.

    A Space must not stay dark because a model of the Hub is gone: it opens with what is left, or
    with the models that come with the project.

    Raises:
        UserError: a model that was given on the command line cannot be had.
    """
    from lstm_lm.hub.names import is_local, model_folder
    from lstm_lm.hub.repository import is_repository_id, split_name
    from lstm_lm.language_model import load
    from lstm_lm.store.folder import bundled_models

    def announce(name: str) -> None:
        if not is_local(name) and is_repository_id(split_name(name)[0]):
            _say(f"asking the Hub for {name}")

    # As they can be sent to a browser; `model_folder` reads them either way.
    models, notes = list(dict.fromkeys(map(printable, given))), []
    for name in models:
        announce(name)
        model_folder(name)
    named = [] if models else os.environ.get("LSTM_LM_MODELS", "").split(",")
    for name in dict.fromkeys(printable(name.strip()) for name in named if name.strip()):
        announce(name)
        try:
            load(name)
            models.append(name)
        except UserError as error:
            notes.append(f"{name} is not on offer: {error}.")
    if notes and not models:
        notes.append("The page opens with the models that come with it.")
    for note in notes:
        _say(note)
    models = models or bundled_models()
    if not models:
        raise UserError("no model comes with this copy: train one, then give --model FOLDER")
    return models, notes


def _deploy(space: str, models: Sequence[str], hardware: str | None) -> int:
    """Make or update the Space, and say where it is."""
    from lstm_lm.hub.deploy import deploy
    from lstm_lm.hub.download import hub_api
    from lstm_lm.hub.hardware import AUTO
    from lstm_lm.store.folder import bundled_models

    hub_api()  # says what keeps the client from working here, before its token is asked for
    names = list(dict.fromkeys(models)) or bundled_models()
    deployed = deploy(space, names, hardware=AUTO if hardware is None else hardware)
    lines = [*deployed.notes, f"{deployed.told}: {deployed.url}"]
    if deployed.host:
        lines.append(f"the page itself, on {deployed.hardware}: {deployed.host}")
    for line in lines:
        write_line(sys.stdout, line)
    return 0


def _say(message: str) -> int:
    say(f"app.py: {message}")
    return 2


if __name__ == "__main__":
    prepare_streams()
    sys.exit(startup.run(main))
