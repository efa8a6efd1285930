"""The encoding of bytes that are no UTF-8, by what they read as.

Some encodings take any byte, so that a wrong one is never noticed in what it gives: none is named
here without showing how the text reads in it. Knows nothing of where the bytes came from.
"""

import codecs
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

SHOWN = 24  # characters of a text that show how it reads
TYPICAL = 0.9  # of the characters beyond ASCII must be what a language mostly writes
NARROW = 0.01  # of the characters of a text in UTF-16 are ASCII: spaces, at least newlines


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An encoding that a text may be in, and how it reads in it."""

    name: str
    """As iconv knows it."""
    shows: str
    """A few characters of the text around the first that is not ASCII."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """What is mostly written in an encoding."""

    name: str
    """As iconv knows the encoding."""
    codec: str
    """The same for Python."""
    is_typical: Callable[[str], bool]
    """Whether a character is one that its languages mostly write."""
    latin: bool = False
    """Whether most letters are ASCII, and the others stand among them."""
    often: Callable[[str], bool] | None = None
    """What one character in ten is, if nothing is written without."""


def wide_encoding(beginning: bytes) -> str | None:
    """The UTF-16 or UTF-32 of a file that begins so, by its mark or by where its zeros are.

    >>> wide_encoding("“So.” ”".encode("utf-16-be")), wide_encoding(b"plain")
    ('UTF-16BE', None)
    """
    marks = (
        (codecs.BOM_UTF32_LE, "UTF-32"),  # before UTF-16, whose mark begins this one
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    )
    for mark, name in marks:
        if beginning.startswith(mark):
            return name
    for name in ("UTF-32LE", "UTF-32BE", "UTF-16LE", "UTF-16BE"):
        text = _decoded(beginning, name)
        if text and _is_plausible(text):
            narrow = sum(character < "\x7f" for character in text)
            if narrow > 1 and narrow >= NARROW * len(text):
                return name
    return None


def encoding_of(sample: bytes) -> Reading | None:
    """The encoding other than UTF-8 in which these bytes read like a language; None if in none.

    Args:
        sample: a part of a text that begins where a character does.
    """
    best, reading = TYPICAL, None
    for language in LANGUAGES:
        text = _decoded(sample, language.codec)
        if text is None or text.isascii() or not _is_plausible(text):
            continue
        share = _share(text, language)
        if share > best:
            best, reading = share, Reading(name=language.name, shows=_around_first(text))
    return reading


def _decoded(sample: bytes, codec: str) -> str | None:
    """The bytes as text, which may end within a character; None where they are none."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None


def _is_plausible(text: str) -> bool:
    """Whether the text holds no character that nobody writes, such as a control's."""
    return all(
        character in "\t\n\r\f\x1a"
        or unicodedata.category(character)[0] != "C"
        or unicodedata.category(character) == "Cf"
        for character in set(text)
    )


def _share(text: str, language: Language) -> float:
    """The share of the characters beyond ASCII that are typical, and where they may stand."""
    beyond = [character for character in text if character > "\x7f"]
    if language.latin:
        letters = sum(character.isalpha() for character in beyond)
        if letters > sum(character.isascii() and character.isalpha() for character in text):
            return 0.0
    if language.often and sum(map(language.often, beyond)) < 0.1 * len(beyond):
        return 0.0
    misplaced = sum(
        _is_misplaced(*around, latin=language.latin)
        for around in zip(" " + text, text, text[1:] + " ", strict=False)
        if around[1] > "\x7f"
    )
    return (sum(map(language.is_typical, beyond)) - misplaced) / len(beyond)


def _is_misplaced(before: str, character: str, after: str, *, latin: bool) -> bool:
    """Whether no script writes this between those: a capital, a mark or two alphabets in a word.

    What swaps capitals and small letters, or letters and marks, is so told from what does not.
    """
    if not latin and character.isalpha() and before.isascii() and before.isalpha():
        return True
    if character.isupper():
        return before.islower() if latin else before.isalpha()
    return character in NEVER_WITHIN and before.isalpha() and after.isalpha()


def _around_first(text: str) -> str:
    first = next(place for place, character in enumerate(text) if character > "\x7f")
    start = max(0, first - SHOWN // 3)
    return " ".join(text[start : start + SHOWN].split())


def _letters(letters: str) -> Callable[[str], bool]:
    """Whether a character is one of these letters, small or capital, or a mark."""
    return frozenset(letters + letters.upper() + MARKS).__contains__


def _common_hanzi(codec: str, first: int, last: int) -> Callable[[str], bool]:
    """Whether a character stands in these rows of a Chinese standard: the common ones."""

    def is_common(character: str) -> bool:
        if character in MARKS:
            return True
        try:
            code = character.encode(codec)
        except UnicodeEncodeError:
            return False
        return len(code) == 2 and (first <= code[0] <= last or 0xA1 <= code[0] <= 0xA3)

    return is_common


def _is_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30ff"


def _is_japanese(character: str) -> bool:
    """Whether a character is kana, a mark, or of the first level of kanji of JIS X 0208."""
    if "\u3001" <= character <= "\u30ff" or "\uff01" <= character <= "\uff5e":
        return True
    try:
        return 0xB0 <= character.encode("euc_jp")[0] <= 0xCF
    except UnicodeEncodeError:
        return False


def _is_korean(character: str) -> bool:
    """Whether a character is one of the 2,350 syllables of KS X 1001, or a mark."""
    if character in MARKS:
        return True
    try:
        return "\uac00" <= character <= "\ud7a3" and len(character.encode("euc_kr")) == 2
    except UnicodeEncodeError:
        return False


MARKS = (
    "“”‘’„«»–—…·•°§©®€£¡¿、。「」『』《》"
    "\u00a0\u201a\u2039\u203a\u3000\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f"
)
NEVER_WITHIN = frozenset("«»\u2039\u203a„\u201a“”‘¡¿§©®€£•°")
WESTERN = "àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿß"
CENTRAL = "ąćęłńóśźżáčďéěíňřšťúůýžäöüőűôľĺŕßăâîşţ"
CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ"
HEBREW = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيًٌٍَُِّْ"
GREEK = "αοιετσνηρκπμυλςωθδγχφβξζψάέήίόύώϊϋ"
LANGUAGES = (
    Language(name="WINDOWS-1252", codec="cp1252", is_typical=_letters(WESTERN), latin=True),
    Language(name="WINDOWS-1250", codec="cp1250", is_typical=_letters(CENTRAL), latin=True),
    Language(name="ISO-8859-2", codec="iso8859-2", is_typical=_letters(CENTRAL), latin=True),
    Language(name="WINDOWS-1254", codec="cp1254", is_typical=_letters("çğıİöşüâîû"), latin=True),
    Language(name="MACINTOSH", codec="mac_roman", is_typical=_letters(WESTERN), latin=True),
    Language(name="CP850", codec="cp850", is_typical=_letters(WESTERN), latin=True),
    Language(name="WINDOWS-1255", codec="cp1255", is_typical=_letters(HEBREW)),
    Language(name="WINDOWS-1256", codec="cp1256", is_typical=_letters(ARABIC)),
    Language(name="WINDOWS-1251", codec="cp1251", is_typical=_letters(CYRILLIC)),
    Language(name="KOI8-U", codec="koi8_u", is_typical=_letters(CYRILLIC)),
    Language(name="CP866", codec="cp866", is_typical=_letters(CYRILLIC)),
    Language(name="WINDOWS-1253", codec="cp1253", is_typical=_letters(GREEK)),
    Language(
        name="CP949", codec="cp949", is_typical=_is_korean
    ),  # before GB18030, which takes it too
    Language(name="GB18030", codec="gb18030", is_typical=_common_hanzi("gb2312", 0xB0, 0xD7)),
    Language(name="BIG5", codec="big5", is_typical=_common_hanzi("big5", 0xA4, 0xC6)),
    Language(name="CP932", codec="cp932", is_typical=_is_japanese, often=_is_kana),
    Language(name="EUC-JP", codec="euc_jp", is_typical=_is_japanese, often=_is_kana),
)
"""In this order where two read alike."""
