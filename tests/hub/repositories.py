"""What a loopback Hub holds: users, repositories, commits, and files as git and LFS name them.

Knows nothing of HTTP.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

Files = dict[str, bytes]
"""Path in a repository -> content."""
LFS_SUFFIXES = (".safetensors", ".model", ".bin", ".npz")
LFS_SIZE = 10 * 2**20  # bytes from which a file goes to LFS whatever it is
LICENSES = ("mit", "apache-2.0", "cc0-1.0", "cc-by-4.0", "gpl-3.0", "other", "unknown")
SDKS = ("gradio", "docker", "static")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


@dataclass(frozen=True)
class User:
    """Somebody with a token."""

    name: str
    role: str = "write"
    orgs: dict[str, str] = field(default_factory=dict)
    """Organisation -> role in it."""
    pro: bool = False
    """Whether the account is a paying one."""

    def may_read(self, owner: str) -> bool:
        """Whether the token may read what `owner` keeps private."""
        return owner == self.name or owner in self.orgs

    def may_write(self, owner: str) -> bool:
        """Whether the token may write what `owner` owns."""
        return self.role == "write" and self.may_read(owner) and self.orgs.get(owner) != "read"


USERS = {
    "t-ada": User("ada", orgs={"lab": "admin", "library": "read"}, pro=True),
    "t-bob": User("bob", orgs={"club": "admin"}),
    "t-eve": User("eve", role="read"),
}


@dataclass
class Repository:
    """A repository: its commits, and what points to them."""

    kind: str
    id: str
    private: bool = False
    gated: bool = False
    sdk: str | None = None
    hardware: str | None = None
    """Of a Space; None: cpu-basic, as nothing else was asked for."""
    variables: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Files] = field(default_factory=dict)
    """Commit -> all files then; the oldest first."""
    messages: list[str] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The user or organisation before the slash."""
        return self.id.split("/")[0]

    def commit(self, files: Files, message: str, branch: str = "main") -> str:
        """Add a commit with exactly these files; returns its name."""
        listed = {path: git_oid(content) for path, content in files.items()}
        text = json.dumps([self.id, len(self.commits), listed])
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = dict(files)
        self.messages.append(message)
        self.branches[branch] = oid
        return oid

    def resolve(self, revision: str) -> str | None:
        """The commit behind a branch, a tag or a commit's name."""
        return ({oid: oid for oid in self.commits} | self.tags | self.branches).get(revision)

    def files(self, revision: str = "main") -> Files:
        """Path -> content at the revision."""
        return self.commits[self.resolve(revision) or revision]


def git_oid(content: bytes) -> str:
    """The name git gives a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_lfs(path: str, sample: bytes, size: int) -> bool:
    """Whether the Hub keeps the file as LFS."""
    return path.endswith(LFS_SUFFIXES) or size >= LFS_SIZE or b"\0" in sample[:512]


def entry(path: str, content: bytes) -> dict[str, Any]:
    """A file as a listing shows it: of an LFS file git holds a small pointer."""
    size = len(content)
    if not is_lfs(path, content, size):
        return {"type": "file", "path": path, "size": size, "oid": git_oid(content)}
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n"
    lfs = {"oid": digest, "size": size, "pointerSize": len(pointer)}
    return {
        "type": "file",
        "path": path,
        "size": size,
        "oid": git_oid(pointer.encode()),
        "lfs": lfs,
    }


def card_errors(content: str, kind: str) -> list[str]:
    """What the Hub would refuse in a README.md's YAML block, by the client's own classes."""
    # Here, not above: the processes that run the client import this file before its environment.
    from huggingface_hub import ModelCard, SpaceCard

    try:
        data = (SpaceCard if kind == "space" else ModelCard)(content).data.to_dict()
    except Exception as error:
        return [str(error)]
    errors: list[str] = []
    if data.get("license", "mit") not in LICENSES:
        errors.append(f'"license" must be one of {LICENSES}')
    if kind == "space":
        if data.get("sdk") not in SDKS:
            errors.append(f'"sdk" must be one of {SDKS}')
        errors += [
            f'"{name}" must be one of {COLOURS}'
            for name in ("colorFrom", "colorTo")
            if data.get(name, "red") not in COLOURS
        ]
        if len(data.get("short_description", "")) > 60:
            errors.append('"short_description" length must be at most 60 characters long')
        if not isinstance(data.get("sdk_version", ""), str):
            errors.append('"sdk_version" must be a string')
    for result in (result for model in data.get("model-index", []) for result in model["results"]):
        told = [result["task"].get("type"), result["dataset"].get("type")]
        if not all(isinstance(text, str) and text for text in [*told, result["dataset"]["name"]]):
            errors.append('"model-index" needs task.type, dataset.type and dataset.name')
        if any(not m.get("type") or m.get("value") is None for m in result["metrics"]):
            errors.append('"model-index" needs metrics with a type and a value')
    return errors
