"""All the broken and hostile folders; here those with something else in a file's place."""

from pathlib import Path

from tests.hostile.breaking import (
    CHARACTERS,
    CONFIG,
    WEIGHTS,
    Cases,
    instead,
    linked,
    moved_out,
    pipe,
)
from tests.hostile.configs import CONFIGS
from tests.hostile.tokenizers import TOKENIZERS
from tests.hostile.weight_files import WEIGHT_FILES

# Instead of a file something else, of each of the files.
PLACES: Cases = {
    f"{name} {what}": (breaking(name), rf"{name}{said}")
    for name in (CONFIG, WEIGHTS, CHARACTERS)
    for what, breaking, said in [
        ("a folder", lambda name: instead(name, Path.mkdir), " is no plain file"),
        ("a pipe", lambda name: instead(name, pipe), " is no plain file"),
        ("a device", lambda name: linked(name, "/dev/zero"), " is a link that leads out of the"),
        ("a secret", lambda name: linked(name, "/etc/passwd"), " is a link that leads out of the"),
        ("moved out", moved_out, " is a link that leads out of the folder"),
        ("a loop", lambda name: linked(name, name), ": Too many levels of symbolic links"),
    ]
}

HOSTILE: Cases = CONFIGS | WEIGHT_FILES | TOKENIZERS | PLACES
