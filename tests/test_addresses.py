"""What is for the server behind an address alone stands in nothing that is told."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.addresses import (
    is_cut,
    last_part,
    split_credentials,
    told_address,
    told_command,
    without_secrets,
)
from lstm_lm.errors import ConfigError, TextError, UserError

TOLD = [
    ("http://host/book.txt", "http://host/book.txt"),
    ("http://host:8784/a@b/c", "http://host:8784/a@b/c"),
    ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
    ("http://host/book?key=SECRET", "http://host/book?..."),
    ("http://host?key=SECRET", "http://host?..."),
    ("http://host/book#SECRET", "http://host/book#..."),
    ("HTTPS://ada:SECRET@host/book", "HTTPS://...@host/book"),
    ("https://SECRET@host:1/", "https://...@host:1/"),
    ("https://ada:SEC/RET@host/book", "https://...@host/book"),
    ("https://ada:SEC?RET@host/book", "https://...@host/book"),
    ("https://ada:SEC#RET@host/book", "https://...@host/book"),
    ("https://ada:SEC@RET@host/book", "https://...@host/book"),
    ("https://ada:S@EC/RET@host/book", "https://..."),
    ("https://ada:SECRET@host/book?to=a@b", "https://..."),
    ("socks5://ada:SECRET@host:1080", "socks5://...@host:1080"),
    ("ftp://ada:SECRET@host/x", "ftp://...@host/x"),
    ("hf://datasets/ada/texts/a?b#c.txt", "hf://datasets/ada/texts/a?b#c.txt"),
    ("no address@all?x=1", "no address@all?x=1"),
]


@pytest.mark.parametrize(("address", "told"), TOLD)
def test_an_address_is_told_without_password_and_query(address: str, told: str) -> None:
    assert told_address(address) == without_secrets(address) == told
    assert told_address(told) == told
    assert not is_cut(address)
    assert is_cut(told) is (address != told)  # what was left out is known to be missing


@given(st.text(st.sampled_from(string.punctuation + string.ascii_letters + " é\n"), min_size=1))
def test_no_password_of_any_characters_is_told(password: str) -> None:
    secret = f"Q7{password}7Q"
    told = told_address(f"http://ada:{secret}@host/book.txt?key={secret}")
    assert "Q7" not in told
    assert "7Q" not in told


def test_a_sentence_keeps_its_punctuation() -> None:
    text = "(see http://ada:SECRET@host/x?k=SECRET), or 'http://b/?SECRET': and <ftp://c/#SECRET>"
    told = "(see http://...@host/x?...), or 'http://b/?...': and <ftp://c/#...>"
    assert without_secrets(text) == told


def test_no_error_for_people_repeats_a_secret() -> None:
    token = "hf_" + "aB3" * 12
    for kind in (UserError, TextError, ConfigError):
        error = kind(f"no http://ada:SECRET@host/x?SECRET with {token}")
        assert str(error) == "no http://...@host/x?... with hf_..."


def test_a_command_is_told_by_its_arguments() -> None:
    typed = "python train.py --text 'http://ada:it is@h/x?SECRET' '--text=http://h/?SECRET' -"
    told = "python train.py --text 'http://...@h/x?...' '--text=http://h/?...' -"
    # The quote within a password ends no argument.
    assert told_command(typed) == told_command(typed.replace("it is", "it'\"'\"'s")) == told


def test_credentials_are_sent_as_a_browser_sends_them() -> None:
    # RFC 7617, section 2: its own example of a user-id and a password.
    address = "https://Aladdin:open%20sesame@host:8443/a?b=c#d"
    assert split_credentials(address) == (
        "https://host:8443/a?b=c#d",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    )
    assert split_credentials("http://host/@x") == ("http://host/@x", None)
    assert split_credentials("http://ada@host/")[1] == "Basic YWRhOg=="


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://host/texts/book.txt?key=SECRET/x.y", "book.txt"),
        ("http://ada:SECRET@host/b%20c/", "b c"),
        ("http://ada:SECRET@host", "host"),
        ("http://host:80/?SECRET", "host:80"),
        ("http://ada:SECRET@host/x?to=a@b", "..."),
        ("hf://datasets/ada/texts/a.txt", "a.txt"),
    ],
)
def test_a_name_is_made_of_the_path_alone(address: str, name: str) -> None:
    assert last_part(address) == name
