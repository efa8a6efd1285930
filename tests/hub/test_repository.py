"""Names on the Hub, and the options of a push, which `train.py` prints and reads again."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.errors import ConfigError
from lstm_lm.hub.repository import Target, is_repository_id, is_revision
from train import parser

NAMES = st.from_regex(
    r"[A-Za-z0-9]{1,20}/[A-Za-z0-9]([A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True
)
TAGS = st.none() | st.sampled_from(["v1", "v1.0", "2026-11-25", "step_9", "a+b"])


@given(NAMES.filter(is_repository_id), TAGS, st.booleans(), st.none() | st.text(min_size=1))
def test_the_options_that_are_printed_lead_to_the_same_place(
    repo_id: str, revision: str | None, private: bool, license: str | None
) -> None:
    target = Target(repo_id=repo_id, revision=revision, private=private, license=license)
    if license and license.startswith("-"):
        return  # argparse would take it for an option, so it never was one's value
    options = parser().parse_args(shlex.split(target.options()))
    read = Target(repo_id=options.push_to_hub, revision=options.revision,
                  private=options.private, license=options.license)  # fmt: skip
    assert read == target


@pytest.mark.parametrize(
    "text",
    ["name", "a/b/c", "/b", "a/", "a b/c", "a/b@v1", "a--b/c", "a/..", "a/b.git", "é/a", "", "./a",
     "a/" + "b" * 97],
)  # fmt: skip
def test_what_the_hub_would_not_name_a_repository_is_none(text: str) -> None:
    assert not is_repository_id(text)
    with pytest.raises(ConfigError, match=r"push_to_hub is .*: give OWNER/NAME, of letters"):
        Target(repo_id=text)


@pytest.mark.parametrize(
    "tag", ["", "main", "a b", "-v", "v1/x", "a..b", "a.", "a.lock", "0123abc", "é", "v" * 101]
)
def test_what_git_would_not_take_or_take_for_something_else_is_no_tag(tag: str) -> None:
    with pytest.raises(ConfigError, match=r"revision is .*: give a tag such as v1\.0, of letters"):
        Target(repo_id="a/b", revision=tag)


def test_a_revision_cannot_leave_the_cache() -> None:
    good = ["main", "v1.0", "refs/pr/1", "0123456789abcdef0123456789abcdef01234567", "a+b_c-d"]
    bad = ["", "../x", "a/../b", "/etc", "a//b", "a/", "~", "a b", "a\\b", "a\nb", "-x", "x" * 101]
    assert [text for text in [*good, *bad] if is_revision(text)] == good
