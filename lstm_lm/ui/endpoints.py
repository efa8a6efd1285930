"""What programs may ask of the page: /generate, /trace and /models, by gradio_client or over MCP.

Whole results as plain JSON; a docstring's first paragraph and its one-line Args are what a program
(or a language model that uses the tools) is told. Everything comes from outside, so everything is
checked, and what a person can mend reaches the client as a message. Knows nothing of the page's
own events, which stay private.
"""

import functools
import html
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import gradio as gr
import numpy as np
from gradio.events import api

from lstm_lm.cells.stepper import Array
from lstm_lm.config import SamplingConfig
from lstm_lm.errors import UserError, shown
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.writing.generation import generate

LONGEST_TEXT = 4_000  # tokens of a prompt or a text
LONGEST_CHARACTERS = 50 * LONGEST_TEXT  # checked before anything is tokenised
LONGEST_WRITE = 2_000  # tokens written at once
MOST_VALUES = 1_000_000  # steps x units of a trace: about 10 MB of JSON
ENDPOINTS = ("generate", "trace", "models")
AT_ONCE = 2  # calls of an endpoint that run side by side; more wait

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


def add_endpoints(shelf: ModelShelf) -> None:
    """Publish the three endpoints over these models; call it within the page's Blocks."""
    endpoints = Endpoints(shelf)
    for name in ENDPOINTS:
        function = getattr(endpoints, name)
        api(_with_messages(function), api_name=name, concurrency_limit=AT_ONCE)


class Endpoints:
    """The endpoints over one shelf of models; each raises UserError, and knows no request.

    Args:
        shelf: the models on offer; the first is the one that an empty name stands for.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self._shelf = shelf

    def generate(
        self,
        prompt: str = "",
        max_new_tokens: int = 200,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 1,
        model: str = "",
    ) -> dict[str, Any]:
        """Write a text with an LSTM language model, and say how likely each token was to it.

        The same seed, model, prompt and settings write the same text. These are small models
        that learned from one text each: they continue its style, and do not follow instructions.

        Args:
            prompt: The text to go on from; empty starts from a newline.
            max_new_tokens: How many tokens to write, 1 to 2000.
            temperature: Below 1 the likely becomes likelier; 0 always takes the likeliest.
            top_k: Choose among this many of the likeliest tokens; 0 is all.
            top_p: Choose among the fewest tokens that hold this probability, above 0; 1 is all.
            seed: A whole number from 0; another seed writes another text.
            model: Name of a model, as the models tool lists them; empty is the first.

        Returns:
            JSON: prompt, text (without it), tokens, log_probs (nats, before temperature), model
        """
        named, lm = self._model(model)
        sampling = SamplingConfig(
            max_new_tokens=_whole(max_new_tokens),
            temperature=temperature,
            top_k=_whole(top_k) or None,
            top_p=top_p,
            seed=_whole(seed),
        )
        if not 1 <= sampling.max_new_tokens <= LONGEST_WRITE:
            raise UserError(
                f"max_new_tokens is {sampling.max_new_tokens:,}: "
                f"give 1 to {LONGEST_WRITE:,}, or write longer texts with lm.generate in Python"
            )
        _token_ids(lm, prompt, "prompt")
        steps = list(generate(lm, prompt, sampling))
        return {
            "prompt": prompt,
            "text": lm.tokenizer.decode(step.token_id for step in steps),
            "tokens": [step.token for step in steps],
            "log_probs": [step.log_prob for step in steps],
            "model": named,
        }

    def trace(
        self, text: str, signal: str = "forget_gate", layer: int = 0, model: str = ""
    ) -> dict[str, Any]:
        """Read a text with an LSTM language model, and give one signal of every unit at every step.

        Step t is the step that reads token t. Gates lie within 0 to 1; candidate and hidden_state
        within -1 to 1; cell_state has no bound. A plain RNN has hidden_state only.

        Args:
            text: The text to read, up to 4000 tokens.
            signal: input_gate, forget_gate, candidate, output_gate, cell_state or hidden_state.
            layer: Which layer, from 0.
            model: Name of a model, as the models tool lists them; empty is the first.

        Returns:
            JSON: tokens, values (a list of units for each step), signal, layer, model
        """
        named, lm = self._model(model)
        token_ids = _token_ids(lm, text, "text")
        units = lm.config.hidden_size
        if len(token_ids) * units > MOST_VALUES:
            raise UserError(
                f"text has {len(token_ids):,} tokens, which is {len(token_ids) * units:,} values: "
                f"at most {MOST_VALUES // units:,} tokens ({MOST_VALUES:,} values) are sent at "
                "once; shorten it, or use lm.trace(text) in Python"
            )
        trace = trace_tokens(lm, token_ids)
        number = trace.layer_index(_whole(layer))
        return {
            "tokens": trace.tokens,
            "values": _as_json(trace[signal][number]),
            "signal": signal,
            "layer": number,
            "model": named,
        }

    def models(self) -> list[dict[str, Any]]:
        """List the models on offer, with their sizes and how well they predict.

        Returns:
            JSON: for each model name, tokenizer, cell, layers, units, parameters, val_bpc
        """
        return self._shelf.describe()

    def _model(self, name: object) -> tuple[str, LanguageModel]:
        name = self._shelf.names[0] if name == "" or name is None else name
        found = self._shelf.get(name)
        return found.name, found.model


def _with_messages(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function with what a person can mend as gradio's error, which clients are shown."""

    @functools.wraps(function)
    def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        try:
            return function(*arguments, **named)
        except UserError as error:
            # A page that shows this as it comes must not find markup in it.
            raise gr.Error(html.escape(str(error), quote=False), print_exception=False) from None

    return call


def _whole(value: Any) -> Any:
    """2.0 as 2, which is what some clients send; anything else as it is, to be checked later."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _token_ids(model: LanguageModel, text: object, what: str) -> TokenIds:
    """The tokens of a text that came from outside.

    Raises:
        UserError: it is no text, or too long.
        UnknownCharacterError: the model does not know a character.
    """
    if not isinstance(text, str):
        raise UserError(f"{what} is {shown(text)}: give a text")
    long = f"{what} has {{}}: at most {LONGEST_TEXT:,} tokens are read at once; shorten it"
    if len(text) > LONGEST_CHARACTERS:
        raise UserError(long.format(f"{len(text):,} characters"))
    token_ids = model.tokenizer.encode(text)
    if len(token_ids) > LONGEST_TEXT:
        raise UserError(long.format(f"{len(token_ids):,} tokens"))
    return token_ids


def _as_json(values: Array) -> list[list[float]]:
    """Float32 as the shortest numbers that read back the same: half the bytes on the way."""
    return values.astype(str).astype(np.float64).tolist()
