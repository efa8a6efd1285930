"""Which other model to set beside one: the other kind of cell, with the same tokens.

Knows nothing of gradio or of what is compared.
"""

from lstm_lm.text.tokenizer import Tokenizer
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel


def partner_of(shelf: ModelShelf, shown: ShownModel) -> ShownModel | None:
    """The first model on the page of the other kind of cell, with the same tokens; or None."""
    config = shown.model.config
    for described in shelf.describe():
        if described["cell"] == config.cell or described["tokenizer"] != config.tokenizer:
            continue
        other = shelf.find(described["name"])
        if other and same_tokens(other.model.tokenizer, shown.model.tokenizer):
            return other
    return None


def same_tokens(one: Tokenizer, other: Tokenizer) -> bool:
    """Whether every token id stands for the same in both."""
    size = one.vocab_size
    return size == other.vocab_size and all(one.token(t) == other.token(t) for t in range(size))
