"""What the environment must be like for the page, the trainer and the Hub, looked at in one place.

Libraries read their variables when they are imported, and end in a traceback where one makes no
sense: so these are checked before, and everything that is wrong is said at once. Knows nothing of
what is done with them.
"""

import errno
import os
import ssl
import tempfile
import urllib.parse
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path

from lstm_lm.addresses import told_address
from lstm_lm.errors import ConfigError, shown
from lstm_lm.surroundings import proxies

YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
PORTS = (1, 65535)
MANY = 10**6
WHOLE_NUMBERS: dict[str, tuple[int, int]] = {
    "GRADIO_SERVER_PORT": PORTS,
    "GRADIO_NUM_PORTS": (1, 65535),
    "GRADIO_NODE_NUM_PORTS": (1, 65535),
    "GRADIO_NUM_WORKERS": (0, 64),
    "GRADIO_DEBUG": (0, MANY),
    "GRADIO_ANALYTICS_MAX_EVENTS": (0, MANY),
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": (1, MANY),
    "WEB_CONCURRENCY": (1, 1024),
}
"""What gradio and uvicorn read, with the least and the most that makes sense."""
HUB_WHOLE_NUMBERS = {
    "HF_HUB_ETAG_TIMEOUT": (0, MANY),  # seconds
    "HF_HUB_DOWNLOAD_TIMEOUT": (0, MANY),
}
HUB_FOLDERS = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
OPEN = "LSTM_LM_OPEN"
CERTIFICATES = "SSL_CERT_FILE"
GRADIO_FOLDER = "GRADIO_TEMP_DIR"
ROOT_PATH = "GRADIO_ROOT_PATH"


def check_trainer(environment: Mapping[str, str]) -> None:
    """Raise ConfigError, with all that is wrong, unless a training can begin here."""
    _refuse(_numbers(environment, HUB_WHOLE_NUMBERS))  # a model's card needs the Hub's client


def prepare_page(environment: MutableMapping[str, str]) -> None:
    """Make the environment one that the page can be served in; raise ConfigError where it cannot.

    To be called before gradio is imported.
    """
    problems = _numbers(environment, WHOLE_NUMBERS | HUB_WHOLE_NUMBERS)
    limit = environment.get("GRADIO_DEFAULT_CONCURRENCY_LIMIT", "")
    if limit and limit.lower() != "none":
        problems += _numbers(environment, {"GRADIO_DEFAULT_CONCURRENCY_LIMIT": (1, MANY)})
    opened = environment.get(OPEN, "").strip().lower()
    if opened not in YES + NO:
        problems.append(f"{OPEN} is {shown(environment[OPEN])}: give 1 or 0")
    root = environment.get(ROOT_PATH, "")
    if root and not root.startswith("/") and not _is_address(root):
        problems.append(
            f"{ROOT_PATH} is {shown(told_address(root))}: give the path below which a proxy serves "
            "the page, such as /lstm, or the whole address"
        )
    problems += _certificates(environment)
    problems += _prepare_folder(environment)
    _refuse(problems)
    if OPEN in environment:
        environment[OPEN] = "1" if opened in YES else "0"


def check_hub(environment: Mapping[str, str]) -> None:
    """Raise ConfigError, with all that is wrong, unless the Hub's client can be used here."""
    problems = _numbers(environment, HUB_WHOLE_NUMBERS)
    endpoint = environment.get("HF_ENDPOINT")
    if endpoint is not None and not _is_address(endpoint):
        problems.append(
            f"HF_ENDPOINT is {shown(told_address(endpoint))}: write https:// and the Hub's host, "
            "or unset it"
        )
    for name in TOKENS:
        token = environment.get(name, "").strip().replace("\r", "").replace("\n", "")
        if not token.isascii() or not token.isprintable() or " " in token:
            problems.append(f"{name} holds what no token does: copy the token again, or unset it")
    problems += _hub_folders(environment)
    problems += _certificates(environment)
    problems += proxies.problems(environment)
    _refuse(problems)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigError("; ".join(problems))


def _numbers(environment: Mapping[str, str], bounds: Mapping[str, tuple[int, int]]) -> list[str]:
    """A line for each variable that is no whole number within its bounds."""
    problems: list[str] = []
    for name, (least, most) in bounds.items():
        given = environment.get(name, str(least)).strip()
        is_number = given.isascii() and given.isdigit() and len(given) < 10
        if not is_number or not least <= int(given) <= most:
            problems.append(
                f"{name} is {shown(environment[name])}: give a whole number from {least} to "
                f"{most}, or unset it"
            )
    return problems


def _is_address(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _certificates(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the file of certificates that every HTTP client reads."""
    file = environment.get(CERTIFICATES)
    if not file:
        return []
    problem = _tried(lambda: ssl.create_default_context(cafile=file), CERTIFICATES)
    return [problem] if problem else []


def _prepare_folder(environment: MutableMapping[str, str]) -> list[str]:
    """Let gradio have a folder for the files it passes on.

    Unless told another it takes one of a fixed name, which may be another account's.
    """
    chosen = environment.get(GRADIO_FOLDER)

    def take_own() -> None:
        environment[GRADIO_FOLDER] = tempfile.mkdtemp(prefix="gradio-")

    if chosen:
        problem = _tried(lambda: _try_writing(Path(chosen)), GRADIO_FOLDER)
    elif _tried(lambda: _try_writing(Path(tempfile.gettempdir()) / "gradio"), GRADIO_FOLDER):
        problem = _tried(take_own, "TMPDIR")
    else:
        problem = None
    return [problem] if problem else []


def _try_writing(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _hub_folders(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the folders that the Hub's client keeps things in; none need be there."""
    problems: list[str] = []
    somewhere = environment.get("HF_HOME") or environment.get("XDG_CACHE_HOME")
    if not somewhere and _tried(Path.home, "HF_HOME"):  # an account that the system does not know
        problems.append("this account has no home folder: set HF_HOME to a folder for the Hub")
    for name in HUB_FOLDERS:
        folder = Path(os.path.expandvars(environment.get(name, ""))).expanduser
        problem = _tried(lambda folder=folder: _refuse_file(folder()), name)
        problems += [problem] if problem else []
    return problems


def _refuse_file(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{path} is no folder")


def _tried(do: Callable[[], object], name: str) -> str | None:
    """What goes wrong, as the problem of this variable."""
    try:
        do()
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~user that is not there
        reason = getattr(error, "strerror", None) or error
        return f"{name} cannot be used ({reason}): give another, or unset it"
    return None
