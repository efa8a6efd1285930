"""Text to token ids and back, without loss: characters, or SentencePiece subwords.

`decode(encode(text)) == text` for every Unicode text; a char tokenizer that meets a character it
has never seen names it instead of dropping it. Knows nothing of files of text or of models.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lstm_lm.checks import SURROGATE, check_subword_file, read_json
from lstm_lm.config import LARGEST_VOCABULARY
from lstm_lm.errors import ModelFolderError, TextError, UnknownCharacterError, shown

TokenIds = npt.NDArray[np.int64]

SPACE = "\u2581"  # what SentencePiece writes for a space within its pieces
BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>\Z")
SUBWORD_TRAINING_CHARACTERS = 50_000_000  # SentencePiece learns from at most this much text
PROBE = "  a  \n\tb ﬁ "  # what a tokenizer that tidies up or normalises would change
PIECE_CHARACTERS = 4_000  # encoded at once: the work on megabytes leaves the CPU cache


class Tokenizer(Protocol):
    """What the rest of the project needs of a tokenizer."""

    kind: str
    file_name: str
    largest_file: int
    """Bytes; no file of ours comes near."""

    @property
    def vocab_size(self) -> int:
        """Number of tokens, V; ids are 0..V-1."""
        ...

    def encode(self, text: str) -> TokenIds:
        """The token ids of the text, (steps,) int64."""
        ...

    def decode(self, token_ids: Iterable[int]) -> str:
        """The text of the ids; bytes that are no UTF-8 (half a character) become U+FFFD."""
        ...

    def token(self, token_id: int) -> str:
        """What one token stands for, to show to a person."""
        ...

    def token_bytes(self, token_id: int) -> bytes:
        """The UTF-8 bytes of one token; those of a text's tokens in a row are the text's."""
        ...

    def save(self, folder: Path) -> None:
        """Write the tokenizer's file into the folder."""
        ...


class CharTokenizer:
    """A token a character; the vocabulary is the sorted characters of the text it was made for.

    >>> tokenizer = CharTokenizer("hello")
    >>> tokenizer.encode("hole").tolist()
    [1, 3, 2, 0]
    >>> tokenizer.decode([1, 0, 2, 3])
    'helo'
    """

    kind = "char"
    file_name = "tokenizer.json"
    largest_file = 16 * LARGEST_VOCABULARY + 2**10  # each character as two \\uXXXX, and a comma

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters: list[str] = sorted(set(characters))
        if any(len(character) != 1 for character in self.characters):
            raise ModelFolderError("a char tokenizer's entries must be single characters")
        points = np.array([ord(character) for character in self.characters], dtype=np.int64)
        # Code point -> id, or -1: one lookup encodes a whole text.
        self._id_of_point = np.full(int(points.max(initial=0)) + 2, -1, dtype=np.int64)
        self._id_of_point[points] = np.arange(len(points))
        self._points = points

    @property
    def vocab_size(self) -> int:
        """Number of characters, V."""
        return len(self.characters)

    def encode(self, text: str) -> TokenIds:
        """The ids of the text's characters, (characters,) int64.

        Raises:
            UnknownCharacterError: the text holds characters that are not in the vocabulary.
        """
        token_ids = self._lookup(text)
        if (token_ids < 0).any():
            raise UnknownCharacterError(self._unknown_message(text, token_ids), self.unknown(text))
        return token_ids

    def unknown(self, text: str) -> dict[str, int]:
        """The characters of the text that have no token, and where each stands first."""
        found: dict[str, int] = {}
        for position in np.flatnonzero(self._lookup(text) < 0).tolist():
            found.setdefault(text[position], position)
        return found

    def _lookup(self, text: str) -> TokenIds:
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        last = len(self._id_of_point) - 1  # an entry of -1 that every larger code point shares
        return self._id_of_point[np.minimum(points, last)]

    def _unknown_message(self, text: str, token_ids: TokenIds) -> str:
        unknown = self.unknown(text)
        named = ", ".join(
            f"{describe_character(character)} at character {position}"
            for character, position in list(unknown.items())[:5]
        )
        more = f" and {len(unknown) - 5} others" if len(unknown) > 5 else ""
        return (
            f"the model has never seen {named}{more}: "
            f"leave {'it' if len(unknown) == 1 else 'them'} out, or use a model that knows "
            f"{'it' if len(unknown) == 1 else 'them'}"
        )

    def decode(self, token_ids: Iterable[int]) -> str:
        """The text of the ids."""
        points = self._points[np.fromiter(token_ids, dtype=np.int64)]
        return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")

    def token(self, token_id: int) -> str:
        """The character."""
        return self.characters[token_id]

    def token_bytes(self, token_id: int) -> bytes:
        """The character's UTF-8 bytes."""
        return self.characters[token_id].encode("utf-8", "surrogatepass")

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json`."""
        text = json.dumps({"kind": self.kind, "characters": self.characters}, ensure_ascii=True)
        (folder / self.file_name).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, data: Any) -> "CharTokenizer":
        """The tokenizer whose `tokenizer.json` was read.

        Raises:
            ModelFolderError: the file holds something else.
        """
        characters = data.get("characters") if isinstance(data, dict) else None
        if not isinstance(characters, list) or not all(
            isinstance(character, str) and len(character) == 1 for character in characters
        ):
            raise ModelFolderError('tokenizer.json holds no list of single "characters"')
        if SURROGATE.search("".join(characters)):
            raise ModelFolderError("tokenizer.json holds half a surrogate pair, which is no text")
        if characters != sorted(set(characters)):
            raise ModelFolderError("tokenizer.json: the characters are not sorted and distinct")
        return cls(characters)


class SentencePieceTokenizer:
    """Subwords by SentencePiece (Kudo and Richardson 2018), byte-pair encoding, lossless.

    Identity normalisation, no dummy prefix, no whitespace folding, a newline always a token of
    its own, and bytes for what no piece holds. Spots where SentencePiece itself would lose text
    are handled here: U+2581, its own sign for a space, is encoded by its bytes, so is a space
    where no piece is one, and pieces are turned back into text by their bytes.
    """

    kind = "sentencepiece"
    file_name = "tokenizer.model"
    largest_file = 2**24

    def __init__(self, model: bytes) -> None:
        import sentencepiece  # heavy, and a char model does not need it

        self._model = model
        self._processor: Any = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model)
            size = int(self._processor.GetPieceSize())
            pieces = [str(self._processor.IdToPiece(token_id)) for token_id in range(size)]
        except UnicodeDecodeError:  # of a piece, or of the error that names it
            raise ModelFolderError("tokenizer.model holds a piece that is no UTF-8") from None
        except RuntimeError as error:
            raise ModelFolderError(
                f"tokenizer.model is no SentencePiece model ({shown(str(error))})"
            ) from None
        self._bytes = [_piece_bytes(piece) for piece in pieces]
        of_byte = {piece: i for i, piece in enumerate(pieces) if BYTE_PIECE.match(piece)}
        if len(of_byte) != 256:
            raise ModelFolderError(
                "tokenizer.model was made without byte fallback, so it cannot hold every text: "
                "train one with train.py --tokenizer sentencepiece"
            )
        # What is encoded by its bytes, and not left to SentencePiece.
        by_bytes = SPACE if SPACE in pieces else SPACE + " "
        self._by_bytes = {
            character: [of_byte[f"<0x{byte:02X}>"] for byte in character.encode()]
            for character in by_bytes
        }
        self._separator = re.compile(f"([{by_bytes}])")
        self._pieces = pieces
        # Whether a text may be cut after a newline. In a model of ours, always.
        whole, before, after = (self._processor.EncodeAsIds(s) for s in ("a \n b", "a \n", " b"))
        self._newline_stands_alone = whole == before + after and not any(
            "\n" in piece and piece != "\n" for piece in pieces
        )

    @property
    def vocab_size(self) -> int:
        """Number of pieces, V."""
        return len(self._pieces)

    def encode(self, text: str) -> TokenIds:
        """The ids of the text's pieces, (tokens,) int64.

        Raises:
            TextError: the text holds half a surrogate pair, which is no Unicode text.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise TextError(
                f"character {error.start} is half a surrogate pair, which is no Unicode text: "
                "leave it out"
            ) from None
        token_ids: list[int] = []
        for part in self._separator.split(text):
            if part in self._by_bytes:
                token_ids += self._by_bytes[part]
                continue
            for piece in _cut_after_newlines(part) if self._newline_stands_alone else (part,):
                token_ids += self._processor.EncodeAsIds(piece)
        return np.array(token_ids, dtype=np.int64)

    def decode(self, token_ids: Iterable[int]) -> str:
        """The text of the ids; half a character becomes U+FFFD."""
        return b"".join([self._bytes[token_id] for token_id in token_ids]).decode(
            "utf-8", "replace"
        )

    def token(self, token_id: int) -> str:
        """The text of the piece; a single byte of a longer character is shown as <0xE2>."""
        try:
            return self._bytes[token_id].decode()
        except UnicodeDecodeError:
            return self._pieces[token_id]

    def token_bytes(self, token_id: int) -> bytes:
        """The piece's UTF-8 bytes: of several characters, of one, or one byte of a longer one."""
        return self._bytes[token_id]

    def save(self, folder: Path) -> None:
        """Write `tokenizer.model`."""
        (folder / self.file_name).write_bytes(self._model)

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int) -> "SentencePieceTokenizer":
        """The tokenizer of `vocab_size` pieces learned from the texts.

        Raises:
            TextError: the text is too short for so many pieces.
        """
        import sentencepiece

        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.Train(
                sentence_iterator=_sentences(texts),
                model_writer=model,
                vocab_size=vocab_size,
                model_type="bpe",
                normalization_rule_name="identity",
                add_dummy_prefix=False,
                remove_extra_whitespaces=False,
                byte_fallback=True,
                user_defined_symbols=["\n"],
                character_coverage=0.9999,
                max_sentence_length=65_536,
                bos_id=-1,
                eos_id=-1,
                pad_id=-1,
                minloglevel=2,
            )
        except RuntimeError as error:
            least = re.search(r"smaller than required_chars\. \d+ vs (\d+)", str(error))
            if least:
                raise TextError(
                    f"the text has too many different characters for {vocab_size} subwords: "
                    f"choose at least {least[1]} with --vocab-size"
                ) from None
            limit = re.search(r"<= (\d+)", str(error))
            advice = f"at most {limit[1]}" if limit else "a smaller one"
            raise TextError(
                f"the text does not hold {vocab_size} different subwords: "
                f"choose {advice} with --vocab-size, or give more text"
            ) from None
        return cls(model.getvalue())


def _piece_bytes(piece: str) -> bytes:
    """The UTF-8 bytes that a piece stands for."""
    byte = BYTE_PIECE.match(piece)
    return bytes.fromhex(byte[1]) if byte else piece.replace(SPACE, " ").encode()


def _cut_after_newlines(text: str) -> Iterator[str]:
    """The text in pieces of PIECE_CHARACTERS and up to the next newline."""
    start = 0
    while start < len(text):
        stop = text.find("\n", start + PIECE_CHARACTERS) + 1 or len(text)
        yield text[start:stop]
        start = stop


def _sentences(texts: Iterable[str]) -> Iterator[str]:
    """The lines of the texts, cut where they are long, until enough for training have passed."""
    left = SUBWORD_TRAINING_CHARACTERS
    for text in texts:
        for line in text.split("\n"):
            for start in range(0, len(line), 4_000):
                # A tab is SentencePiece's own separator while it trains; it has its byte.
                yield line[start : start + 4_000].replace("\t", " ").replace("\0", " ")
        left -= len(text)
        if left <= 0:
            return


def describe_character(character: str) -> str:
    """The character and its code point, for a message.

    >>> describe_character("€")
    "'€' (U+20AC)"
    """
    return f"{character!r} (U+{ord(character):04X})"


def load_tokenizer(kind: str, content: bytes) -> Tokenizer:
    """The tokenizer of this kind from the content of its file.

    Raises:
        ModelFolderError: the content is not such a tokenizer, or too large to be one.
    """
    of_kind = SentencePieceTokenizer if kind == "sentencepiece" else CharTokenizer
    if len(content) > of_kind.largest_file:
        raise ModelFolderError(f"{of_kind.file_name} has more than {of_kind.largest_file:,} bytes")
    if kind == "sentencepiece":
        check_subword_file(content, SentencePieceTokenizer.file_name, LARGEST_VOCABULARY)
        tokenizer = SentencePieceTokenizer(content)
        if tokenizer.decode(tokenizer.encode(PROBE)) != PROBE:
            raise ModelFolderError("tokenizer.model changes the text that it reads")
        return tokenizer
    if max(content.count(b"["), content.count(b"{")) > 2:  # one to open, and one as a character
        raise ModelFolderError(f"{of_kind.file_name} holds more than a list of characters")
    return CharTokenizer.from_json(read_json(content, of_kind.file_name))
