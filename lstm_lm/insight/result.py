"""What every answer of this package is: a frozen dataclass that becomes JSON."""

import dataclasses
from typing import Any

import numpy as np


class Result:
    """The base of the answers: `to_json` gives what a page or a file can take."""

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON: arrays as nested lists, what is not finite as None."""
        assert dataclasses.is_dataclass(self)
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Result):
        return value.to_json()
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
