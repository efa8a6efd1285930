"""Broken and hostile folders, by their tokenizer: how each is made, and what is said of it.

The good folder has a char tokenizer, or subwords where "subwords" is in the case's name.
"""

import torch

from tests.hostile.breaking import (
    CHARACTERS,
    DEEP,
    DUNDER,
    SUBWORDS,
    Cases,
    changed,
    characters,
    cut,
    holding,
    piece,
    sparse,
    without,
)

TOKENIZERS: Cases = {
    "no characters": (without(CHARACTERS), r"no tokenizer\.json in it"),
    "characters empty": (holding(CHARACTERS, ""), r"tokenizer\.json is not JSON"),
    "characters cut": (cut(CHARACTERS, 0.5), r"tokenizer\.json is not JSON"),
    "characters an object": (holding(CHARACTERS, "{}"), r'holds no list of single "characters"'),
    "characters a list": (holding(CHARACTERS, '["a"]'), r"tokenizer\.json holds no JSON object"),
    "characters deep": (holding(CHARACTERS, DEEP), r"tokenizer\.json holds more than a list"),
    "characters huge": (
        holding(CHARACTERS, b"[" + b"0," * 2_098_000 + b"0]"),
        r"tokenizer\.json has 4,196,003 bytes: at most 4,195,328 are read",
    ),
    "characters of a million things": (
        holding(CHARACTERS, b'{"characters":[' + b"{}," * 1_390_000 + b"{}]}"),
        r"tokenizer\.json holds more than a list of characters",
    ),
    "characters of a million numbers": (
        holding(CHARACTERS, b'{"characters":[' + b"999," * 1_000_000 + b"9]}"),
        r'holds no list of single "characters"',
    ),
    "characters no UTF-8": (holding(CHARACTERS, b'{"\xff": 1}'), r"tokenizer\.json is not JSON"),
    "characters BOM": (changed(CHARACTERS, lambda text: b"\xef\xbb\xbf" + text), r"BOM"),
    "characters twice": (
        changed(CHARACTERS, lambda text: b'{"characters": [],' + text[1:]),
        r"the key 'characters' stands in it twice",
    ),
    "character twice": (characters(*"\n abcdefgg"), r"are not sorted and distinct"),
    "characters not sorted": (characters(*"\n bacdefgh"), r"are not sorted and distinct"),
    "characters long": (characters(*"\n abcdefg", "hh"), r'no list of single "characters"'),
    "characters empty text": (characters("", *"\n abcdefg"), r'no list of single "characters"'),
    "characters numbers": (characters(*range(10)), r'no list of single "characters"'),
    "characters null": (characters(*"\n abcdefg", None), r'no list of single "characters"'),
    "characters half a pair": (
        characters(*"\n abcdefg", "\ud800"), r"tokenizer\.json holds half a surrogate pair",
    ),
    "characters fewer": (
        characters(*"ab"), r"has 2 tokens, but config\.json says 10: they belong to different",
    ),
    "characters more": (characters(*map(chr, range(999))), r"has 999 tokens, but config\.json"),
    "no subwords": (without(SUBWORDS), r"no tokenizer\.model in it"),
    "subwords empty": (holding(SUBWORDS, b""), r"tokenizer\.model is no SentencePiece model"),
    **{
        f"subwords cut to {share:.0%}": (cut(SUBWORDS, share), r"tokenizer\.model is no SentencePi")
        for share in (0.001, 0.3, 0.6, 0.99)
    },
    "subwords random": (
        holding(SUBWORDS, torch.randint(256, (9999,), dtype=torch.uint8).numpy().tobytes()),
        r"tokenizer\.model is no SentencePiece model",
    ),
    "subwords a text": (holding(SUBWORDS, DUNDER), r"tokenizer\.model is no SentencePiece model"),
    "subwords no UTF-8": (
        changed(SUBWORDS, lambda model: model.replace(b"the", b"\xff\xfe\xfd")),
        r"tokenizer\.model holds a piece that is no UTF-8",
    ),
    "subwords of another model": (
        changed(SUBWORDS, lambda model: model + piece(b"one more")),
        r"tokenizer\.model has 301 tokens, but config\.json says 300: they belong to different",
    ),
    "subwords with a wrong byte": (
        changed(SUBWORDS, lambda model: model.replace(b"<0x41>", b"<0xZZ>")),
        r"tokenizer\.model is no SentencePiece model \('INTERNAL: byte piece <0xZZ> is invalid",
    ),
    "subwords a million empty": (
        holding(SUBWORDS, b"\x0a\x00" * 2**23), r"is too large: at most 262,144 pieces",
    ),
    "subwords of one giant": (
        holding(SUBWORDS, b"\x12" + b"\x80\x80\x80\x04" + bytes(2**23)), r"is too large",
    ),
    "subwords of many settings": (
        holding(SUBWORDS, b"\x12\x00" * 2**23), r"is too large: at most 262,144 pieces",
    ),
    "subwords 100 GB": (sparse(SUBWORDS, 10**11), r"has 100,000,000,000 bytes: at most"),
    "subwords of a long piece": (
        changed(SUBWORDS, lambda model: model + piece(b"long" * 99_999)),
        r"tokenizer\.model holds a piece of 400,000 bytes",
    ),
    "subwords that normalise": (
        changed(SUBWORDS, lambda model: model + b"\x1a\x06\x12\x04\x00\x01\x02\x03"),
        r"tokenizer\.model changes the text that it reads",
    ),
    "subwords that tidy up": (
        # The last setting of the file: remove_extra_whitespaces.
        changed(SUBWORDS, lambda model: model[:-1] + b"\x01"),
        r"tokenizer\.model changes the text that it reads",
    ),
}  # fmt: skip
