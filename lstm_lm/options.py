"""Command-line options made from a config's fields, so that a default and its help exist once.

Knows nothing of what the settings mean.
"""

import argparse
import ast
import dataclasses
import inspect
import itertools
import sys
import textwrap
import types
import typing
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from lstm_lm.addresses import without_secrets
from lstm_lm.config import option_name
from lstm_lm.errors import ConfigError
from lstm_lm.surroundings.streams import say
from lstm_lm.visible_text import printable


class OneLineParser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line on stderr, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and what to do, and leave."""
        say(printable(f"{self.prog}: {without_secrets(message)}; see {self.prog} --help"))
        sys.exit(2)


def field_help(cls: type) -> dict[str, str]:
    """Field name -> the docstring that stands under the field in the class's source."""
    body = typing.cast(
        ast.ClassDef, ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    ).body
    return {
        field.target.id: text.value.value
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def add_options(
    parser: argparse.ArgumentParser,
    cls: type,
    choices: dict[str, tuple[str, ...]],
    *,
    ruled: Collection[str] = (),
) -> None:
    """Add an option for each field of the dataclass; one not given stays out of the result.

    Args:
        parser: gets the options.
        cls: the dataclass.
        choices: of fields that take one of a few values.
        ruled: fields for which a rule stands in where they are not given.
    """
    helps = field_help(cls)
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        kind = hints[field.name]
        if isinstance(kind, types.UnionType):  # `int | None`: the option takes the int
            kind = next(arm for arm in typing.get_args(kind) if arm is not type(None))
        default = "" if field.default is None else f" (default: {field.default})"
        if field.name in ruled:
            default = " (default: by the text and the time)"
        parser.add_argument(
            option_name(field.name),
            type=kind,
            choices=choices.get(field.name),
            default=argparse.SUPPRESS,
            metavar=None if field.name in choices else {int: "N", float: "X"}.get(kind, "TEXT"),
            help=(helps[field.name] + default).replace("%", "%%"),
        )


def chosen(arguments: argparse.Namespace, cls: type) -> dict[str, Any]:
    """The fields of `cls` that the person gave on the command line."""
    names = {field.name for field in dataclasses.fields(cls)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def as_options(error: ConfigError, fields: Iterable[str]) -> str:
    """The error's text with the names of fields written as the options a person typed."""
    text = str(error)
    for name in sorted(fields, key=len, reverse=True):
        text = text.replace(f"{name} is ", f"{option_name(name)} is ")
    return text
