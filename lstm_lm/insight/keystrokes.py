"""How many keys a keyboard with a model's completions saves over a text, counted by typing it.

At each place the keyboard offers the likeliest words (`completion.py`). As soon as the word that
is meant is among them it is taken with one press, and the space after it comes along; else one
letter is typed. The control is a keyboard that sees only the word that has been begun, and nothing
of what stands before it. Knows nothing of pages.
"""

from dataclasses import dataclass

from lstm_lm.errors import UserError
from lstm_lm.insight.completion import begun_word, complete_word, word_left
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel

OFFERED = 3  # words above the keys of a phone


@dataclass(frozen=True, kw_only=True)
class Keystrokes(Result):
    """A text as it was typed with a keyboard that offers words."""

    pieces: tuple[tuple[str, bool], ...]
    """The text in order; with each piece whether it came with one press, else with one a letter."""
    presses: int
    characters: int
    """Of the text: the presses without such a keyboard."""

    @property
    def saved(self) -> float:
        """The share of the presses that is saved, 0..1."""
        return 1 - self.presses / self.characters


def keystrokes(
    model: LanguageModel,
    text: str,
    *,
    offered: int = OFFERED,
    start: str = "\n",
    word_only: bool = False,
) -> Keystrokes:
    """The text typed with the model's completions.

    Args:
        model: that offers words.
        text: at least one character.
        offered: how many words at a time.
        start: what the model reads where nothing has been typed.
        word_only: whether the model sees only the word that has been begun: the control.

    Raises:
        UserError: the text is empty or holds a character that the model does not know.
    """
    if not text:
        raise UserError("the text is empty: give at least one character")
    pieces: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        typed = text[:at]
        begun = begun_word(typed)
        # The control reads the begun word after what the model reads at the very beginning.
        prompt = start + begun if word_only else typed or start
        goal = word_left(typed, text[at:])
        # After the start no word comes with a space before it.
        offered_as = goal.lstrip() if word_only and not begun else goal
        # What is as long as a press is typed.
        taken = len(goal) > 1 and any(
            each.text == offered_as for each in complete_word(model, prompt, keep=offered)
        )
        size = len(goal) if taken else 1
        if taken and text[at + size : at + size + 1] == " ":
            size += 1
        pieces.append((text[at : at + size], taken))
        at += size
    return Keystrokes(pieces=tuple(pieces), presses=len(pieces), characters=len(text))
