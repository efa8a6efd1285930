"""What the loopback Hub answers: whoami, repositories, a push, a load, a Space's settings."""

import base64
import hashlib
import json
import re
import urllib.parse
from typing import Any

from tests.hub.hardware import CPU, PAYING_ORGS, refuse_hardware
from tests.hub.repositories import SDKS, Repository, card_errors, entry, git_oid, is_lfs
from tests.hub.server import Call, Content, Refusal, route

NAME = "(?P<name>[^/]+/[^/]+?)"
API = f"/api/(?P<kinds>models|datasets|spaces)/{NAME}"
GIT = f"/(?:(?P<kinds>datasets|spaces)/)?{NAME}"
SPACE = f"/api/spaces/{NAME}"
REVISION = "/(?P<revision>[^/]+)"


def commit_of(repository: Repository, revision: str) -> str:
    commit = repository.resolve(revision)
    if commit is None:
        raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
    return commit


@route("GET", "/api/whoami-v2")
def whoami(call: Call) -> Any:
    if call.user is None:
        raise Refusal(401, "Invalid username or password.")
    orgs = [
        {"type": "org", "name": name, "roleInOrg": role, "canPay": name in PAYING_ORGS}
        for name, role in call.user.orgs.items()
    ]
    auth = {"type": "access_token", "accessToken": {"role": call.user.role}}
    account = {"name": call.user.name, "isPro": call.user.pro, "canPay": call.user.pro}
    return {"type": "user", **account, "orgs": orgs, "auth": auth}


@route("GET", API + "/auth-check(?P<write>/write)?")
def auth_check(call: Call, kinds: str, name: str, write: str = "") -> Any:
    return {"id": call.find(kinds, name, write=bool(write)).id}


@route("GET", API + f"(?:/revision{REVISION})?")
def information(call: Call, kinds: str, name: str, revision: str = "main") -> Any:
    repository = call.find(kinds, name)
    commit = commit_of(repository, revision)
    readme = repository.commits[commit].get("README.md", b"").decode()
    library = re.search(r"^library_name: (\S+)$", readme, re.MULTILINE)
    label = re.sub(r"[^a-z0-9]+", "-", name.lower())
    served = {"subdomain": label, "host": f"https://{label}.hf.space"} if kinds == "spaces" else {}
    return {
        "id": name,
        **served,
        "library_name": library and library[1],
        "author": repository.owner,
        "sha": commit,
        "private": repository.private,
        "gated": "manual" if repository.gated else False,
        "sdk": repository.sdk,
        "siblings": [{"rfilename": path} for path in sorted(repository.commits[commit])],
    }


@route("GET", API + "/tree" + REVISION)
def tree(call: Call, kinds: str, name: str, revision: str) -> Any:
    repository = call.find(kinds, name)
    files = repository.commits[commit_of(repository, revision)]
    return [entry(path, content) for path, content in sorted(files.items())]


@route("POST", API + "/paths-info" + REVISION)
def paths_info(call: Call, kinds: str, name: str, revision: str) -> Any:
    wanted = urllib.parse.parse_qs(call.body.decode()).get("paths", [])
    return [file for file in tree(call, kinds, name, revision) if file["path"] in wanted]


@route("GET", API + "/refs")
def refs(call: Call, kinds: str, name: str) -> Any:
    repository = call.find(kinds, name)

    def told(kind: str, named: dict[str, str]) -> list[dict[str, str]]:
        return [
            {"name": ref, "ref": f"refs/{kind}/{ref}", "targetCommit": commit}
            for ref, commit in named.items()
        ]

    heads, tags = told("heads", repository.branches), told("tags", repository.tags)
    return {"branches": heads, "tags": tags, "converts": []}


@route("GET", f"{GIT}/resolve{REVISION}/(?P<path>.+)")
def resolve(call: Call, name: str, revision: str, path: str, kinds: str = "models") -> Any:
    repository = call.find(kinds, name)
    if repository.gated and not (call.user and call.user.may_read(repository.owner)):
        message = f"Access to model {name} is restricted and you are not in the authorized list."
        raise Refusal(403 if call.user else 401, message, "GatedRepo")
    commit = commit_of(repository, revision)
    content = repository.commits[commit].get(path)
    if content is None:
        raise Refusal(404, "Entry not found", "EntryNotFound")
    listed = entry(path, content)
    headers = {"X-Repo-Commit": commit, "ETag": f'"{listed["oid"]}"', "Accept-Ranges": "bytes"}
    if "lfs" in listed:
        headers["X-Linked-Etag"] = f'"{listed["lfs"]["oid"]}"'
        headers["X-Linked-Size"] = str(len(content))
    return Content(content, headers)


# A push.


@route("POST", "/api/repos/create")
def create(call: Call) -> Any:
    asked = json.loads(call.body)
    if call.user is None:
        raise Refusal(401, "Invalid username or password.")
    owner, kind = asked.get("organization") or call.user.name, asked.get("type") or "model"
    name = f"{owner}/{asked['name']}"
    url = f"{call.hub.url}/{'' if kind == 'model' else kind + 's/'}{name}"
    taken = [held for held, other in call.hub.repositories if other == name]
    if kind in taken or (taken and call.hub.one_kind_a_name):
        raise Refusal(409, f"You already created this {taken[0]} repo", url=url)
    if not call.user.may_write(owner):
        raise Refusal(403, f"You don't have the rights to create a {kind} under {owner}")
    if kind == "space" and asked.get("sdk") not in SDKS:
        raise Refusal(400, f"sdk must be one of {SDKS}")
    if kind == "space":
        refuse_hardware(call.hub, call.user, owner, asked["sdk"], asked.get("hardware") or CPU)
    repository = call.hub.add(
        name,
        {},
        kind,
        private=asked.get("visibility") == "private",
        sdk=asked.get("sdk"),
        hardware=asked.get("hardware"),
    )
    repository.variables = {item["key"]: item["value"] for item in asked.get("variables", [])}
    return {"url": url, "name": name}


@route("POST", "/api/validate-yaml")
def validate_yaml(call: Call) -> Any:
    asked = json.loads(call.body)
    errors = card_errors(asked["content"], asked["repoType"])
    if errors:
        raise Refusal(400, "Invalid metadata", errors=[{"message": error} for error in errors])
    has_block = asked["content"].startswith("---\n")
    return {"errors": [], "warnings": [] if has_block else [{"message": "empty metadata"}]}


@route("POST", API + "/preupload" + REVISION)
def preupload(call: Call, kinds: str, name: str, revision: str) -> Any:
    repository = call.find(kinds, name, write=True)
    held = repository.commits[commit_of(repository, revision)]
    answers: list[dict[str, Any]] = []
    for file in json.loads(call.body)["files"]:
        path = file["path"]
        lfs = is_lfs(path, base64.b64decode(file["sample"]), file["size"])
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        if path in held:
            oid = hashlib.sha256(held[path]).hexdigest() if lfs else git_oid(held[path])
            answer["oid"] = oid
        answers.append(answer)
    return {"files": answers}


@route("POST", GIT + r"\.git/info/lfs/objects/batch")
def lfs_batch(call: Call, name: str, kinds: str = "models") -> Any:
    call.find(kinds, name, write=True)
    verify = {"href": f"{call.hub.url}/lfs"}
    objects: list[dict[str, Any]] = json.loads(call.body)["objects"]
    for asked in objects:
        if asked["oid"] not in call.hub.lfs:
            upload = {"href": f"{call.hub.url}/lfs/{asked['oid']}"}
            asked["actions"] = {"upload": upload, "verify": verify}
    return {"transfer": "basic", "objects": objects}


@route("PUT", "/lfs/(?P<oid>[0-9a-f]{64})")
def lfs_upload(call: Call, oid: str) -> Any:
    if hashlib.sha256(call.body).hexdigest() != oid:
        raise Refusal(400, "the content has another sha256")
    call.hub.lfs[oid] = call.body
    return {}


@route("POST", "/lfs")
def lfs_verify(call: Call) -> Any:
    if json.loads(call.body)["oid"] not in call.hub.lfs:
        raise Refusal(404, "no such object")
    return {}


@route("POST", API + "/commit" + REVISION)
def commit(call: Call, kinds: str, name: str, revision: str) -> Any:
    repository = call.find(kinds, name, write=True)
    parent = commit_of(repository, revision)
    files, message = dict(repository.commits[parent]), ""
    for line in call.body.splitlines():
        item = json.loads(line)
        value = item["value"]
        match item["key"]:
            case "header":
                message = value["summary"]
                if value.get("parentCommit", parent) != parent:
                    raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            case "file":
                files[value["path"]] = base64.b64decode(value["content"])
            case "lfsFile":
                if value["oid"] not in call.hub.lfs:
                    raise Refusal(400, f"LFS pointer to a file that does not exist: {value}")
                files[value["path"]] = call.hub.lfs[value["oid"]]
            case "deletedFile":
                if files.pop(value["path"], None) is None:
                    raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
            case "deletedFolder":
                files = {p: c for p, c in files.items() if not p.startswith(value["path"])}
    oid = repository.commit(files, message, revision)
    return {"commitUrl": f"{call.hub.url}/{name}/commit/{oid}", "commitOid": oid}


@route("POST", API + "/tag" + REVISION)
def tag(call: Call, kinds: str, name: str, revision: str) -> Any:
    repository = call.find(kinds, name, write=True)
    asked = json.loads(call.body)["tag"]
    if asked in repository.tags:
        raise Refusal(409, f"Tag already exists: {asked}")
    repository.tags[asked] = commit_of(repository, revision)
    return {}


@route("DELETE", API + "/tag" + REVISION)
def delete_tag(call: Call, kinds: str, name: str, revision: str) -> Any:
    if call.find(kinds, name, write=True).tags.pop(revision, None) is None:
        raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
    return {}


# A Space.


@route("GET", SPACE + "/variables")
def variables(call: Call, name: str) -> Any:
    held = call.find("spaces", name, write=True).variables
    return {key: {"value": value} for key, value in held.items()}


@route("POST", SPACE + "/variables")
def add_variable(call: Call, name: str) -> Any:
    asked = json.loads(call.body)
    call.find("spaces", name, write=True).variables[asked["key"]] = asked["value"]
    return variables(call, name)


@route("DELETE", SPACE + "/variables")
def delete_variable(call: Call, name: str) -> Any:
    call.find("spaces", name, write=True).variables.pop(json.loads(call.body)["key"], None)
    return variables(call, name)


@route("GET", SPACE + "/runtime")
@route("POST", SPACE + "/(?:restart|sleeptime)")
def runtime(call: Call, name: str) -> Any:
    requested = call.find("spaces", name).hardware or CPU
    return {"stage": "BUILDING", "hardware": {"current": None, "requested": requested}}


@route("POST", SPACE + "/hardware")
def request_hardware(call: Call, name: str) -> Any:
    space, hardware = call.find("spaces", name, write=True), json.loads(call.body)["flavor"]
    assert call.user
    refuse_hardware(call.hub, call.user, space.owner, str(space.sdk), hardware)
    space.hardware = hardware
    return runtime(call, name)
