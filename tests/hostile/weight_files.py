"""Hostile folders, by their model.safetensors: how each is made, and what is said of it."""

import os

import torch

from tests.hostile.breaking import (
    BIAS,
    DEEP,
    DUNDER,
    WEIGHTS,
    Cases,
    as_zip,
    bias,
    changed,
    config_with,
    cut,
    entry_with,
    giant,
    header_text,
    header_with,
    holding,
    instead,
    length_of,
    many_tensors,
    sparse,
    swap,
    weights_with,
    without,
)

WEIGHT_FILES: Cases = {
    "no weights": (without(WEIGHTS), r"no model\.safetensors in it"),
    "weights empty": (holding(WEIGHTS, b""), r"is no safetensors file, or is cut short"),
    **{
        f"weights cut to {kept} bytes": (
            changed(WEIGHTS, lambda content, kept=kept: content[:kept]),
            r"model\.safetensors is no safetensors file, or is cut short: its header would be",
        )
        for kept in (1, 7, 8, 9, 100, 500)
    },
    **{
        f"weights cut to {share:.0%}": (
            cut(WEIGHTS, share),
            r"model\.safetensors is cut short: its weights have \S+ bytes, and it holds",
        )
        for share in (0.4, 0.7, 0.999)
    },
    "weights and more": (
        changed(WEIGHTS, lambda content: content + b"x"),
        r"model\.safetensors is damaged: its weights have \S+ bytes, and it holds",
    ),
    "weights 100 GB": (
        lambda folder: os.truncate(folder / WEIGHTS, 10**11),
        r"is damaged: its weights have \S+ bytes, and it holds 99,999,99",
    ),
    "weights all zero, 100 GB": (sparse(WEIGHTS, 10**11), r"header of model\.safetensors is not"),
    "weights promised": (
        giant(5_000, whole=False),
        r"model\.safetensors is cut short: its weights have 1,600,\S+ bytes, and it holds 1,0",
    ),
    "weights of 340 MB that end in NaN": (
        giant(2_300, whole=True), r"decoder\.weight holds values that are not finite",
    ),
    "weights random": (
        holding(WEIGHTS, torch.randint(256, (9999,), dtype=torch.uint8).numpy().tobytes()),
        r"model\.safetensors is no safetensors file",
    ),
    "weights a pickle": (
        instead(WEIGHTS, lambda path: torch.save({"x": torch.zeros(2)}, path)),
        r"model\.safetensors is no safetensors file, or is cut short",
    ),
    "weights an old pickle": (
        holding(WEIGHTS, b"cposix\nabort\n(tR." + bytes(100)),
        r"model\.safetensors is no safetensors file",
    ),
    "weights a zip": (instead(WEIGHTS, as_zip), r"model\.safetensors is no safetensors file"),
    "weights a Python file": (holding(WEIGHTS, DUNDER), r"is no safetensors file"),
    "header length 2**64 - 1": (length_of(2**64 - 1), r"its header would be 18,446,744,\S+ bytes"),
    "header length too small": (length_of(40), r"the header of model\.safetensors is not JSON"),
    "header length zero": (length_of(0), r"the header of model\.safetensors is not JSON"),
    "header length too large": (length_of(3000), r"the header of model\.safetensors is not JSON"),
    "header over 1 MB": (
        header_text(lambda text: text + b" " * 2**20),
        r"its header would be 1,0\d\d,\d\d\d bytes of 1,0",
    ),
    "header a list": (header_text(lambda _: b"[]"), r"header of model\.\S+ holds no JSON object"),
    "header no UTF-8": (header_text(lambda _: b'{"\xff": 1}'), r"header of \S+ is not JSON"),
    "header BOM": (header_text(lambda text: b"\xef\xbb\xbf" + text), r"not JSON .*BOM"),
    "header deep": (header_text(lambda _: DEEP), r"the header of \S+ is nested too deeply"),
    "header deep entry": (
        header_text(lambda text: text.replace(b"[10]", b"[" * 900 + b"]" * 900)),
        r"(has decoder\.bias in shape a list|nested too deeply)",
    ),
    "header 5,000 digits": (
        header_text(lambda text: text.replace(b"[10]", b"[1" + b"0" * 5000 + b"]")),
        r"the header of model\.safetensors is not JSON \(a number of 5,001 digits\)",
    ),
    "header name twice": (
        header_text(lambda text: b'{"decoder.bias":{"dtype":"F32"},' + text[1:]),
        r"is not JSON \(the key 'decoder\.bias' stands in it twice\)",
    ),
    "header field twice": (
        header_text(lambda text: text.replace(b'"dtype"', b'"dtype":"I8","dtype"', 1)),
        r"is not JSON \(the key 'dtype' stands in it twice\)",
    ),
    "header only of metadata": (
        header_text(lambda _: b'{"__metadata__":{"a":"b"}}'),
        r"model\.safetensors lacks the weight embedding\.weight",
    ),
    "header metadata of numbers": (
        header_with(lambda header: header.update(__metadata__={"a": 1})),
        r"model\.safetensors is damaged",
    ),
    "200,000 tensors": (header_with(many_tensors), r"its header would be 1\d,\d+,\d+ bytes"),
    "entry no object": (
        header_with(lambda header: header.update({BIAS: 3})),
        r"model\.safetensors says nothing of decoder\.bias",
    ),
    "entry without a shape": (
        header_with(lambda header: header[BIAS].pop("shape")),
        r"has decoder\.bias in shape None, config\.json asks for \[10\]",
    ),
    "shape [2**62, 0]": (
        entry_with(shape=[2**62, 0], data_offsets=[0, 0]),
        r"decoder\.bias in shape \[4611686018427387904, 0\]",
    ),
    "shape negative": (entry_with(shape=[-10]), r"has decoder\.bias in shape \[-10\]"),
    "shape of floats": (entry_with(shape=[10.0]), r"has decoder\.bias in shape a list"),
    "shape of booleans": (
        lambda folder: (
            config_with(hidden_size=1, embedding_size=1)(folder),
            entry_with(shape=[True])(folder),
        ),
        r"model\.safetensors has \S+ in shape",
    ),
    "shape a text": (entry_with(shape="[10]"), r"has decoder\.bias in shape '\[10\]'"),
    "shape of a thousand": (entry_with(shape=[1] * 1000), r"has decoder\.bias in shape a list"),
    "shape flat": (entry_with(shape=[2, 5]), r"has decoder\.bias in shape \[2, 5\]"),
    "shape other": (bias(torch.zeros(11)), r"in shape \[11\], config\.json asks for \[10\]"),
    "sizes other": (config_with(hidden_size=9), r"in shape \S+ \d+\], config\.json asks for"),
    "layers more": (config_with(layers=3), r"lacks the weight rnn\.weight_ih_l2"),
    "layers fewer": (config_with(layers=1), r"holds 'rnn\.\S+_l1', which config\.json knows not"),
    "cell other": (config_with(cell="rnn"), r"has rnn\.\S+ in shape \[32, \d\], config\.json asks"),
    "offsets outside": (
        entry_with(data_offsets=[10**9, 10**9 + 40]), r"is damaged: \S+ leaves a hole after",
    ),
    "offsets huge": (entry_with(data_offsets=[0, 2**63]), r"but stands at \[0, 9223372036854"),
    "offsets negative": (entry_with(data_offsets=[-40, 0]), r"is damaged: decoder\.bias overlaps"),
    "offsets backwards": (entry_with(data_offsets=[40, 0]), r"40 bytes, but stands at \[40, 0\]"),
    "offsets overlapping": (entry_with(data_offsets=[4, 44]), r"is damaged: \S+ (overlaps|leaves)"),
    "offsets of another": (
        header_with(
            lambda header: header["rnn.bias_hh_l0"].update(
                data_offsets=header["rnn.bias_ih_l0"]["data_offsets"]
            )
        ),
        r"is damaged: rnn\.\S+ (overlaps|leaves a hole after) the weight before it",
    ),
    "offsets of one": (entry_with(data_offsets=[0]), r"but stands at \[0\]"),
    "offsets of floats": (entry_with(data_offsets=[0.0, 40.0]), r"but stands at a list"),
    "offsets missing": (
        header_with(lambda header: header[BIAS].pop("data_offsets")), r"but stands at None",
    ),
    "hole in the data": (
        lambda folder: (
            header_with(
                lambda header: [
                    entry.update(data_offsets=[8 + at for at in entry["data_offsets"]])
                    for name, entry in header.items()
                    if not name.startswith("__")
                ]
            )(folder),
            changed(WEIGHTS, lambda content: content + bytes(8))(folder),
        ),
        r"is damaged: \S+ leaves a hole after the weight before it",
    ),
    **{
        f"type {kind}": (bias(torch.zeros(10, dtype=dtype)), rf"has decoder\.bias as '{kind}'")
        for kind, dtype in {
            "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool,
            "F64": torch.float64, "BF16": torch.bfloat16, "F8_E4M3": torch.float8_e4m3fn,
            "F8_E5M2": torch.float8_e5m2, "C64": torch.complex64,
        }.items()
    },
    "type of another size": (entry_with(dtype="F16"), r"decoder\.bias has 20 bytes, but stands at"),
    "type unknown": (entry_with(dtype="F32\n" * 99), r"has decoder\.bias as 'F32\\nF32.*: weights"),
    "type a list": (entry_with(dtype=["F32"]), r"as a list: weights are F32 or F16"),
    "weight missing": (weights_with(lambda weights: weights.pop(BIAS)), r"lacks the weight dec"),
    "weight more": (
        weights_with(lambda weights: weights.update(extra=torch.zeros(2))),
        r"holds 'extra', which config\.json knows not",
    ),
    "weight with a path": (
        weights_with(lambda weights: weights.update({"../../evil": weights.pop(BIAS)})),
        r"lacks the weight decoder\.bias",
    ),
    "weight more with a path": (
        weights_with(lambda weights: weights.update({"../../evil": torch.zeros(1)})),
        r"holds '\.\./\.\./evil', which",
    ),
    "weight with a long name": (
        weights_with(lambda weights: weights.update({"\n" * 99_999: torch.zeros(1)})),
        r"holds '\\n\\n[^ ]{0,70}, which config\.json knows not",
    ),
    "weights swapped": (
        weights_with(lambda weights: swap(weights, "embedding.weight", "decoder.weight")),
        r"has embedding\.weight in shape \[10, 8\], config\.json asks for \[10, 5\]",
    ),
    **{
        f"weight of {value} as {dtype}": (
            bias(torch.tensor([0.0] * 9 + [value]).to(dtype)),
            r"model\.safetensors: decoder\.bias holds values that are not finite",
        )
        for value in (float("nan"), float("inf"), float("-inf"))
        for dtype in (torch.float32, torch.float16)
    },
    "weight beyond reason": (bias(torch.full((10,), -3e38)), r"not finite or beyond 1e\+09"),
}  # fmt: skip
