"""A person's text -> the tokens that the model can read of it, with notes and marks for the rest.

Knows nothing of gradio, or of what is done with the tokens.
"""

from collections.abc import Collection, Sequence
from typing import Any

from lstm_lm.errors import UserError
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import CharTokenizer, TokenIds, describe_character
from lstm_lm.writing.generation import read_prompt

LONGEST_READ = 4_000  # tokens of a prompt or a text
LONGEST_RAW = 50 * LONGEST_READ  # characters that are looked at, to count the tokens
Payload = dict[str, Any]


def readable(
    model: LanguageModel, text: str, what: str
) -> tuple[TokenIds, list[str], list[Payload]]:
    """The tokens of what a person gave, notes for them, and marks where a character is unknown.

    An unknown character cannot be read: it has no weights. It is named, and marked between the
    columns at the place where it stands; the state goes on without it.

    Raises:
        UserError: the text is too long.
    """
    # By all of its characters, before any is looked at: unknown ones cost time too.
    if len(text) > LONGEST_RAW:
        raise UserError(_too_long(what, f"{len(text):,} characters"))
    notes: list[str] = []
    marks: list[Payload] = []
    known = text
    if isinstance(model.tokenizer, CharTokenizer):
        unknown = model.tokenizer.unknown(text)
        if unknown:
            known, marks = _without(text, unknown)
            notes.append(
                f"{_never_seen(unknown)}: it reads on without, "
                f"and {what} is marked where {'it stands' if len(unknown) == 1 else 'they stand'}."
            )
    prompt = read_prompt(model, known)
    if len(prompt.token_ids) > LONGEST_READ:
        raise UserError(_too_long(what, f"{len(prompt.token_ids):,} tokens"))
    if prompt.implied:
        notes.append(f"Nothing of {what} can be read, so the model starts from a newline.")
        if not text:
            notes[-1] = "The prompt is empty, so the model starts from a newline."
    return prompt.token_ids, notes, marks


def known_parts(model: LanguageModel, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each text without the characters that the model has never seen, and a note that names them.

    For what is measured and not shown character by character, and so cannot be marked.
    """
    if not isinstance(model.tokenizer, CharTokenizer):
        return list(texts), []
    unknown = model.tokenizer.unknown("".join(texts))
    note = f"{_never_seen(unknown)}: {'it is' if len(unknown) == 1 else 'they are'} left out."
    return [_without(text, unknown)[0] for text in texts], [note] if unknown else []


def _never_seen(unknown: Collection[str]) -> str:
    named = ", ".join(describe_character(character) for character in list(unknown)[:8])
    more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
    return f"This model has never seen {named}{more}"


def _too_long(what: str, length: str) -> str:
    return (
        f"{what} has {length}; the page reads at most {LONGEST_READ:,} tokens: shorten it, "
        "or use lm.trace(text) in Python"
    )


def _without(text: str, unknown: dict[str, int]) -> tuple[str, list[Payload]]:
    """The text without its unknown characters, and a mark for each place where some stood."""
    known: list[str] = []
    gaps: dict[int, list[str]] = {}  # what stood before a place in the known characters
    for character in text:
        if character not in unknown:
            known.append(character)
            continue
        shown = character if character.isprintable() else f"U+{ord(character):04X}"
        gaps.setdefault(len(known), []).append(shown)
    marks = [{"before": before, "text": "".join(shown)} for before, shown in gaps.items()]
    return "".join(known), marks
