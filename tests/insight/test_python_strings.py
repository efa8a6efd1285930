"""Comments and strings of Python: the same on each version that runs this, whole, cut or broken."""

import argparse
import ast
import contextlib
import dataclasses
import inspect
import io
import textwrap
import time
import tokenize
import traceback
from types import ModuleType

import numpy as np
import pytest

from lstm_lm.insight.python_code import code_regions

# Below each line of code: ~ where a string holds, # where a comment does. A string's last mark is
# outside again.
WHOLE = r"""
rb'\' ' + b'a' + RB"c" + u'd' + Rb''
~~~~~~    ~~~    ~~~~    ~~~    ~~~
bf'a' + xr'b' + 'c' 'd' + 1if'e'else'f'
  ~~      ~~    ~~  ~~       ~~     ~~
'' + 'a\\' + b'\'' + r'\\' # it's "x"
~    ~~~~    ~~~~    ~~~~  ##########
'''a'b"''\'''' + '' + '''''' + '"'
~~~~~~~~~~~~~    ~    ~~~~~    ~~
f'{a["b"]:>{w}}' + f'{a:"^10}' + f'{{' + f'}}{x}'
~~~~~~~~~~~~~~~    ~~~~~~~~~~    ~~~~    ~~~~~~~
f"{a["b"]}" + f"{f"{f"{1}"}"}" + "c"
~~~~~~~~~~    ~~~~~~~~~~~~~~~    ~~
f"{", ".join(x for x in {"a": [1]})!r:{w!r}}" # c
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~  ###
rf'\{a}\'{b}' + f'\{a}' + fR'{x:\'>9}' + f'\'{x}'
~~~~~~~~~~~~    ~~~~~~    ~~~~~~~~~~~    ~~~~~~~
f'\N{DIGIT ONE}{{' + t'{a}}}' + Tr"{a!s:{'}'}>9}" + (c)
~~~~~~~~~~~~~~~~~    ~~~~~~~    ~~~~~~~~~~~~~~~~
f'''{x["'''y'''"]} '' {z}''' + f'{(lambda: "a")():b}'
~~~~~~~~~~~~~~~~~~~~~~~~~~~    ~~~~~~~~~~~~~~~~~~~~~
""".strip("\n").splitlines()
BROKEN = r"""
x = 'it # y
    ~~~~~~~
x = f"{name)" + "b" # c
    ~~~~~~~~    ~~  ###
x = f"{a:" + b"c"
    ~~~~~    ~~~
x = f'''{a)''' + 'b'
    ~~~~~~~~~    ~~
x = f"{name" + "b"
    ~~~~~~~    ~~
""".strip("\n").splitlines()


def marks(code: str) -> str:
    """The line that would stand below this code."""
    regions = code_regions(code)
    kinds = zip(regions.string, regions.comment, strict=True)
    assert not (regions.string & regions.comment).any()
    return "".join("~" if string else "#" if comment else " " for string, comment in kinds)


@pytest.mark.parametrize(("code", "expected"), list(zip(WHOLE[::2], WHOLE[1::2], strict=True)))
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nx = 1\n"], ids=["cut", "LF", "CRLF", "more"])
def test_every_kind_of_string_ends_where_python_ends_it(code: str, expected: str, end: str) -> None:
    assert marks(code + end).rstrip() == expected


@pytest.mark.parametrize(("code", "expected"), list(zip(BROKEN[::2], BROKEN[1::2], strict=True)))
def test_what_is_no_string_of_python_ends_as_a_plain_one_or_with_its_line(
    code: str, expected: str
) -> None:
    more = "\ndef g(a):\n    return 'b'\n"
    assert marks(code + more)[: len(code)].rstrip() == expected
    assert marks(code + more)[len(code) :] == marks(more)


@pytest.mark.parametrize(
    ("code", "strings"),
    [
        ("x = 'a\\\nb' + c", ["'a\\\nb"]),
        ("x = 'a\\\r\nb' + c", ["'a\\\r\nb"]),
        ("x = 'it\\\n   is\ny = 'b'\n", ["'it\\\n   is", "'b"]),
        ("x = f'{a(\n  # it's\n)}' + 'b'", ["f'{a(\n  # it's\n)}", "'b"]),
        ("x = f'''{a:\n}\n''' + 'b'", ["f'''{a:\n}\n''", "'b"]),
        ('x = f"{name\ndef g(a):\n    return "b"\n', ['f"{name', '"b']),
    ],
)
def test_strings_over_several_lines_end_where_python_ends_them(
    code: str, strings: list[str]
) -> None:
    found = "".join(
        character if mark == "~" else "\0"
        for character, mark in zip(code, marks(code), strict=True)
    )
    assert [string for string in found.split("\0") if string] == strings


def by_pythons_tokenizer(code: str) -> str:
    """The same marks by the tokenizer of the Python that runs this.

    Since 3.12 it gives the parts of an f-string, which are one string here.
    """
    found = np.full(len(code), " ")
    starts = [0, *(at + 1 for at, character in enumerate(code) if character == "\n")]
    begun: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(code, newline="\n").readline):
        first, last = (starts[row - 1] + column for row, column in (token.start, token.end))
        kind = tokenize.tok_name[token.type]
        if kind in ("FSTRING_START", "TSTRING_START"):
            begun.append(first)
        elif kind in ("FSTRING_END", "TSTRING_END"):
            first, kind = begun.pop(), "STRING"
        if kind == "STRING" and not begun:
            found[first : last - 1] = "~"
        elif kind == "COMMENT" and not begun:
            found[first:last] = "#"
    return "".join(found)


@pytest.mark.parametrize(
    "module", [argparse, ast, contextlib, dataclasses, inspect, textwrap, tokenize, traceback]
)
def test_ours_against_theirs_on_the_standard_library(module: ModuleType) -> None:
    code = inspect.getsource(module)
    assert code.isascii()  # Python 3.12.1 counts the columns after other characters wrongly
    theirs = by_pythons_tokenizer(code)
    assert marks(code) == theirs
    assert theirs.count("~") > 1000


ANY_VERSION = """def f(x):
    a = f"{x["it's"]:>{w}} {{{", ".join(y)}" + 'b'  # it's
    b = (rb'\\\\' + b"c" f'''{
        x["d"]  # e
    } ''', t"{x!r:'^{w}}")
    return {"g": [a, 'it"s']}
"""


@pytest.mark.parametrize("end", range(len(ANY_VERSION) + 1))
def test_code_of_any_version_may_be_cut_off_anywhere(end: int) -> None:
    whole, part = marks(ANY_VERSION), marks(ANY_VERSION[:end])
    # The last three characters may be a prefix, or the first of what would be three marks.
    assert part[: max(0, end - 3)] == whole[: max(0, end - 3)]


@pytest.mark.parametrize("part", ['f"{', "f'{(", "rf'''{a:{", 'f"{[\n', "t'{x:", "f'{\"", "\\'"])
def test_strings_within_strings_without_end_are_read_at_once(part: str) -> None:
    began = time.process_time()
    marks(part * 2_000)
    assert time.process_time() - began < 5
