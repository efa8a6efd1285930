"""An encoding is named only where the bytes read like a language in it."""

import random

import pytest

from lstm_lm.text.encodings import encoding_of, wide_encoding

TEXTS = {
    "English": "“It’s” — so, he said. ‘Never’ … he wrote.\n",
    "French": "Où est le café? Ça va très bien. L’été à Noël, être là: garçon, œuvre.\n",
    "German": "Die Straße ist schön, über Äpfel und Öl, größer. „Ja“, sagte er.\n",
    "Spanish": "¿Qué pasó? ¡Mañana será otro día! El niño comió piñón.\n",
    "Polish": "Zażółć gęślą jaźń. Wszystko będzie dobrze, proszę. Są też inne.\n",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy. Dobrý den, jak se máte?\n",
    "Turkish": "Pijamalı hasta yağız şoföre çabucak güvendi. Değil mi? İyi günler.\n",
    "Russian": "В начале было Слово. Все счастливые семьи похожи друг на друга.\n",
    "Ukrainian": "Реве та стогне Дніпр широкий, сердитий вітер завива.\n",
    "Greek": "Άνδρα μοι έννεπε, Μούσα, πολύτροπον. Καλημέρα, τι κάνεις;\n",
    "Hebrew": "בראשית ברא אלהים את השמים ואת הארץ.\n",
    "Arabic": "بسم الله الرحمن الرحيم الحمد لله رب العالمين.\n",
    "Chinese": "第一回 风雪山神庙\n话说天下大势，分久必合，合久必分。\n",
    "traditional Chinese": "話說天下大勢，分久必合，合久必分。周末七國分爭，并入於秦。\n",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    "Korean": "모든 국민은 법 앞에 평등하다. 누구든지 차별을 받지 아니한다.\n",
}
NARROW = [
    ("English", "cp1252", "WINDOWS-1252"),
    ("English", "mac_roman", "MACINTOSH"),
    ("French", "latin1", "WINDOWS-1252"),  # it reads Latin-1 rightly too
    ("French", "cp850", "CP850"),
    ("German", "cp1252", "WINDOWS-1252"),
    ("Spanish", "latin1", "WINDOWS-1252"),
    ("Polish", "cp1250", "WINDOWS-1250"),
    ("Polish", "iso8859-2", "ISO-8859-2"),
    ("Czech", "cp1250", "WINDOWS-1250"),
    ("Turkish", "cp1254", "WINDOWS-1254"),
    ("Russian", "cp1251", "WINDOWS-1251"),
    ("Russian", "koi8_r", "KOI8-U"),
    ("Russian", "cp866", "CP866"),
    ("Ukrainian", "cp1251", "WINDOWS-1251"),
    ("Greek", "cp1253", "WINDOWS-1253"),
    ("Hebrew", "cp1255", "WINDOWS-1255"),
    ("Arabic", "cp1256", "WINDOWS-1256"),
    ("Chinese", "gb18030", "GB18030"),
    ("traditional Chinese", "big5", "BIG5"),
    ("Japanese", "cp932", "CP932"),  # what Windows means by Shift-JIS
    ("Japanese", "euc_jp", "EUC-JP"),
    ("Korean", "cp949", "CP949"),  # EUC-KR and more
]


@pytest.mark.parametrize(("language", "codec", "name"), NARROW)
def test_an_encoding_is_named_with_what_its_text_reads(
    language: str, codec: str, name: str
) -> None:
    text = TEXTS[language]
    reading = encoding_of(text.encode(codec, "replace") * 3)
    assert reading is not None
    assert reading.name == name
    for word in reading.shows.split()[1:-1]:  # the first and the last may be cut
        assert word in text.encode(codec, "replace").decode(codec)


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("name", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
def test_wide_text_is_known_by_its_zeros(language: str, name: str) -> None:
    content = (TEXTS[language] * 3).encode(name)
    assert wide_encoding(content) == name
    assert wide_encoding(content[:-1]) == name  # cut within a character


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-16", "UTF-16"), ("utf-32", "UTF-32")],
)
def test_wide_text_is_known_by_its_mark(codec: str, name: str) -> None:
    assert wide_encoding("x".encode(codec)) == name


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_utf8_and_plain_text_are_not_taken_for_wide(text: str) -> None:
    assert wide_encoding(text.encode()) is None
    assert wide_encoding(b"plain text, with a zero\0 in it") is None


def test_bytes_that_read_like_no_language_are_given_no_name() -> None:
    """Every name is a table of fixed size: bytes drawn at random read like none of them."""
    for seed in range(300):
        noise = random.Random(seed).randbytes(300)
        assert encoding_of(noise) is None
        assert wide_encoding(noise) is None
    assert encoding_of("Íslenska er þjóðtunga. Það er gott, ðþý.".encode("cp1252")) is None
