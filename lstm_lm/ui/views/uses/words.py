"""The Try view in words: what its cards open with, and what its numbers mean.

Every number comes from `insight/`. Knows nothing of gradio or of layout.
"""

from lstm_lm.insight.completion import Completion
from lstm_lm.insight.keystrokes import Keystrokes
from lstm_lm.insight.linear_probe import Probe
from lstm_lm.ui.shelf.models import ShownModel

SEEN = "This sentence is one of the examples: the probe has seen it."
MORE = 20  # examples a side, below which more of them is what helps first

# What people would type, for models of such a text; else something of what the model wrote.
OPENINGS = {
    "shakespeare": (
        "To be, or not to b",
        "I have some news for you, my lord.",
        {
            "Word order": ("The king is dead.", "The dead is king the."),
            "Verb": ("Thou art a villain.", "Thou are a villain."),
            "Sense": ("He drew his sword and died.", "He drew his spoon and died."),
        },
    ),
    "python": (
        "for number in ran",
        "for name in names: print(name)",
        {
            "Word order": ("return self.name", "self return name."),
            "Keyword": ("if value is None:", "if value is nothing:"),
            "Brackets": ("print(len(values))", "print(len(values]]"),
        },
    ),
}


def openings(shown: ShownModel) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """A text to complete, one to type, and pairs of sentences under what they differ in."""
    for start, opening in OPENINGS.items():
        if shown.name.startswith(f"{start}-"):
            return opening
    pieces = shown.opening.token_ids
    text = " ".join(shown.model.tokenizer.decode(pieces).split()[:12])[:200] or "a"
    backwards = " ".join(reversed(text.split(" ")))
    last = text.rsplit(" ", 1)[-1]
    return text[: len(text) - len(last) // 2], text, {"Word order": (text, backwards)}


def completed(prompt: str, begun: str, found: list[Completion]) -> str:
    """The likeliest word, in a sentence."""
    if not found:
        return "No word was found that the text could go on with."
    before = " ".join(prompt.split())[-24:]
    word = (begun + found[0].text).strip()
    share = found[0].probability
    least = f"{share:.0%}" if share >= 0.01 else f"{share:.2%}"
    return f"After “{before}” the likeliest word is “{word}”: at least {least}."


def typed(found: Keystrokes, control: Keystrokes, tokenizer: str) -> str:
    """How many presses a text took, and how many without what stands before a word."""
    told = (
        f"{found.presses} presses instead of {found.characters}: {found.saved:.0%} saved. Seeing "
        f"only the word that is begun, and nothing before it, it would take {control.presses}."
    )
    if tokenizer != "char":
        told += " (This model reads pieces of words: half a word is often another piece to it.)"
    return told


def evidence(probe: Probe, counts: Probe, tokenizer: str) -> str:
    """Against what the probe's accuracy stands, and what would help where it does not."""
    each = "characters" if tokenizer == "char" else "tokens"
    wins = f"{probe.odds:.1%}" if probe.odds < 0.1 else f"{probe.odds:.0%}"
    told = f"Odds that shuffled labels are told as well: {wins}."
    control = f" A probe that only counts {each}, with no memory of what stood before, tells"
    if not probe.stands_out:
        few = probe.examples < 2 * MORE
        what = "More examples of each, or longer ones," if few else "Longer examples"
        return f"{told} {what} may help."
    as_well = ": as well as the hidden state does" if counts.accuracy >= probe.accuracy else ""
    known = (
        f" From {probe.examples} examples the {probe.accuracy:.0%} are known to "
        f"± {100 * probe.standard_error:.0f} points (a standard error)."
    )
    return f"{told}{control} {counts.accuracy:.0%}{as_well}.{known if probe.standard_error else ''}"
