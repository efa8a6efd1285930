"""Broken and hostile folders, by their config.json: how each is made, and what is said of it."""

from tests.hostile.breaking import (
    CONFIG,
    DEEP,
    DUNDER,
    Cases,
    changed,
    config_saying,
    config_with,
    cut,
    holding,
    sparse,
    without,
)

CONFIGS: Cases = {
    "no config": (without(CONFIG), r"no config\.json in it: this is no model folder"),
    "config empty": (holding(CONFIG, ""), r"config\.json is not JSON"),
    "config cut": (cut(CONFIG, 0.6), r"config\.json is not JSON"),
    "config no JSON": (holding(CONFIG, DUNDER), r"config\.json is not JSON"),
    "config no UTF-8": (holding(CONFIG, b'{"\xff": 1}'), r"config\.json is not JSON"),
    "config UTF-16": (changed(CONFIG, lambda text: text.decode().encode("utf-16")), r"not JSON"),
    "config BOM": (changed(CONFIG, lambda text: b"\xef\xbb\xbf" + text), r"not JSON .*BOM"),
    "config a list": (holding(CONFIG, "[]"), r"config\.json holds no JSON object"),
    "config deep": (holding(CONFIG, DEEP), r"config\.json is nested too deeply"),
    "config deep in a field": (
        config_saying("layers", "[" * 900 + "]" * 900),
        r"config\.json(: layers is a list| is nested too deeply)",
    ),
    "config deep type": (
        config_saying("model_type", '{"a":' * 900 + "1" + "}" * 900),
        r"config\.json is (of model_type a dict|nested too deeply)",
    ),
    "config huge": (
        holding(CONFIG, b" " * 2**20 + b"{}"),
        r"config\.json has 1,048,578 bytes: at most 1,048,576 are read",
    ),
    "config 100 GB": (sparse(CONFIG, 10**11), r"config\.json has 100,000,000,000 bytes"),
    "config of a million things": (
        holding(CONFIG, b"[" + b"{}," * 340_000 + b"{}]"),
        r"config\.json holds no JSON object",
    ),
    "config key twice": (
        changed(CONFIG, lambda text: text.replace(b"{", b'{"layers": 1,', 1)),
        r"config\.json is not JSON \(the key 'layers' stands in it twice\)",
    ),
    "config 5,000 digits": (
        config_saying("hidden_size", "9" * 5000),
        r"config\.json is not JSON \(a number of 5,000 digits\)",
    ),
    "config 1e999": (config_saying("hidden_size", "1e999"), r"hidden_size is inf"),
    "config NaN": (config_saying("layers", "NaN"), r"config\.json is not JSON \(NaN is no number"),
    "config Infinity": (config_saying("layers", "-Infinity"), r"-Infinity is no number"),
    "config half": (config_with(layers=1.5), r"layers is 1\.5: give a whole number from 1 to 16"),
    "config float": (config_with(layers=2.0), r"layers is 2\.0: give a whole number"),
    "config true": (config_with(layers=True), r"layers is True: give a whole number"),
    "config null": (config_with(layers=None), r"layers is None: give a whole number"),
    "config text size": (config_with(hidden_size="8"), r"hidden_size is '8': give a whole"),
    "config long text": (
        config_with(hidden_size="8\n" * 99_999),
        r"hidden_size is '8\\n8\\n.*give",
    ),
    "config list size": (config_with(hidden_size=[8]), r"hidden_size is \[8\]: give a whole"),
    "config zero": (config_with(embedding_size=0), r"embedding_size is 0: give a whole"),
    "config negative": (config_with(hidden_size=-8), r"hidden_size is -8: give a whole"),
    "config 10**9 layers": (config_with(layers=10**9), r"layers is 1000000000: give a whole"),
    "config 2**63 units": (config_with(hidden_size=2**63), r"hidden_size is a number of more than"),
    "config 100 GB of weights": (
        config_with(layers=16, hidden_size=16_384),
        r"config\.json: these sizes make 33,\d+,\d+,\d+ parameters: at most",
    ),
    "config 2 GB of embeddings": (
        config_with(vocab_size=2**18, embedding_size=2048),
        r"config\.json: these sizes make 539,\d+,\d+ parameters: at most",
    ),
    "config larger vocabulary": (
        config_with(vocab_size=2**18),
        r"tokenizer\.json has 10 tokens, but config\.json says 262144: they belong to different",
    ),
    "config unknown field": (config_with(heads=8), r"config\.json: unknown setting 'heads'"),
    "config control field": (
        config_with(**{"a\n\x1b[31m" + "x" * 999: 8}),
        r"unknown setting 'a\\n\\x1b\[31mxxx",
    ),
    "config Python field": (config_with(auto_map={"AutoModel": "evil.Model"}), r"'auto_map'"),
    "config without a size": (
        holding(CONFIG, '{"model_type": "lstm-lm"}'),
        r"config\.json: the setting vocab_size is missing",
    ),
    "config foreign": (
        config_with(model_type="llama"),
        r"is of model_type 'llama', not 'lstm-lm': this model was not made by lstm-lm",
    ),
    "config no type": (holding(CONFIG, "{}"), r"is of model_type None, not"),
    "config long type": (
        config_with(model_type="x" * 9999),
        r"is of model_type 'x{1,60}\.\.\., not",
    ),
    "config unknown cell": (
        config_with(cell="transformer"),
        r"cell is 'transformer': choose from lstm, gru, rnn",
    ),
    "config list cell": (config_with(cell=["lstm"]), r"cell is a list: choose from lstm, gru, rnn"),
    "config tokenizer path": (
        config_with(tokenizer="../../etc/passwd"),
        r"tokenizer is '\.\./\.\./etc/passwd': choose from char, sentencepiece",
    ),
    "config other tokenizer": (config_with(tokenizer="sentencepiece"), r"no tokenizer\.model in"),
}
