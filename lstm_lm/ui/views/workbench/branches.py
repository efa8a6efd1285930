"""Roads not taken: another token at some step of a run, and the text that the model writes then.

A branch is a run of its own that begins as its parent did, so that every closer look at a run
works on it too. Knows nothing of gradio.
"""

from typing import Any

from lstm_lm.config import SamplingConfig
from lstm_lm.insight.parting import Parting, mean_difference, parting
from lstm_lm.ui.shelf.models import ShownModel
from lstm_lm.ui.shelf.runs import PageRun
from lstm_lm.ui.views.workbench import payload
from lstm_lm.writing.generation import generate

SHORTEST = 120  # tokens that a branch writes where less than that is left of its parent
LONGEST = 320  # more than this takes too long to wait for in one answer


def length_of(run: PageRun, step: int) -> int:
    """How many tokens a branch after this step writes: as many as the run has left."""
    return min(max(run.steps - step - 1, SHORTEST), LONGEST)


def grow(
    shown: ShownModel, run: PageRun, step: int, token_id: int, sampling: SamplingConfig
) -> PageRun:
    """Go on after `step` with this token, exactly from that step's own (h, c).

    With the token that was taken there, and the same sampling, this is the run itself again.

    Raises:
        UserError: no such token.
    """
    start = step + 1
    branch = run.begun(start, sampling, sampling.max_new_tokens, run.interventions)
    steps = generate(
        shown.model,
        "",
        sampling,
        state=run.state_left(step),
        position=start,
        first=token_id,
        interventions=run.interventions,
    )
    branch.add_steps(steps)
    return branch


def branch_payload(shown: ShownModel, run: PageRun, branch: PageRun) -> dict[str, Any]:
    """The branch's own columns, how it compares with the run it left, and a sentence.

    `differences` is base64 of (steps that both have, signals, layers) float32: the mean
    |difference| of the units, from the branch's first step on.
    """
    start = branch.own
    found = parting(run.token_ids, branch.token_ids, run.log_probs, branch.log_probs, start)
    both = slice(start, start + found.compared)
    return {
        **payload.header(branch, shown.scale, shown.model.config.tokenizer, shown.about),
        **payload.columns(branch, start, branch.steps, shown.scale),
        "differences": payload.base64_of(mean_difference(run.values[both], branch.values[both])),
        "sentence": sentence(found, run, branch, start),
        "done": True,
    }


def sentence(found: Parting, run: PageRun, branch: PageRun, start: int) -> str:
    """Where the two part, what they share after that, and whether they meet again."""
    token = quoted(branch.tokens[start])
    if not found.compared:
        return f"The text ended at step {start}; with {token} it goes on."
    if found.first is None:
        return (
            f"Step {start + 1} is {token} in both: from the same state, with the same random "
            f"numbers, all {found.compared} tokens are the same."
        )
    if found.first == start:
        told = f"Step {start + 1} is {token} instead of {quoted(run.tokens[start])}"
    else:
        at = found.first
        told = (
            f"{token} is the same, but the settings are not: step {at + 1} is "
            f"{quoted(branch.tokens[at])} instead of {quoted(run.tokens[at])}"
        )
    more = "less" if found.log_prob < 0 else "more"
    shared = (
        f"; of the {found.compared} steps both have, {found.same} have the same token, and the "
        f"branch is {abs(found.log_prob):.1f} nats {more} likely to the model. "
    )
    met = (
        f"They meet again at step {found.meet + 1} and write the same from there on."
        if found.meet is not None
        else "They do not meet again."
    )
    return told + shared + met


def quoted(token: str) -> str:
    r"""A token in a sentence: in quotation marks, with a sign for what has no shape.

    >>> quoted("\n"), quoted("a")
    ('“↵”', '“a”')
    """
    signs = {"\n": "↵", "\t": "⇥", "\r": "␍", "\0": "␀"}
    return "a space" if token == " " else f"“{''.join(signs.get(c, c) for c in token)}”"
