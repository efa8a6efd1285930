"""The workflow of the repository: it runs what `tests/run` runs, on each Python and processor."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lstm_lm import startup

ROOT = Path(__file__).parent.parent
RUN = (ROOT / "tests/run").read_text(encoding="utf-8")
PYTHONS = ["3.11", "3.12", "3.13"]


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    text = (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    found["on"] = found.pop(True)  # YAML 1.1 reads a bare `on` as true
    return found


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_every_python_runs_the_tests_and_every_processor_the_others(
    workflow: dict[Any, Any],
) -> None:
    assert tuple(map(int, PYTHONS[0].split("."))) == startup.OLDEST
    tests, processors = workflow["jobs"]["tests"], workflow["jobs"]["processors"]
    assert tests["strategy"]["matrix"]["python"] == PYTHONS
    assert commands(tests) == ["bash tests/run"]
    matrix = processors["strategy"]["matrix"]
    assert matrix == {
        "python": PYTHONS,
        "onednn": ["SSE41", "AVX2", "DEFAULT"],
        "aten": ["default", "avx2"],
        "threads": [1, 2],
    }
    assert commands(processors) == ["bash tests/run --ignore tests/browser"]
    for job in (tests, processors):
        assert job["steps"][1]["with"] == {"python-version": "${{ matrix.python }}"}
        assert not job["strategy"]["fail-fast"]


def test_the_processors_of_tests_run_are_among_those_of_the_workflow(
    workflow: dict[Any, Any],
) -> None:
    processors = workflow["jobs"]["processors"]
    offered = {
        name: {str(value) for value in processors["strategy"]["matrix"][value[11:-3]]}
        for name, value in processors["env"].items()
    }
    settings = re.findall(r'^  "((?:\w+=\w+ ?)+)"$', RUN, re.MULTILINE)
    assert len(settings) >= 3
    for setting in settings:
        for name, value in (each.split("=") for each in setting.split()):
            assert value in offered[name]
    assert {name for setting in settings for name in re.findall(r"(\w+)=", setting)} == set(offered)


def test_a_published_advisory_fails_the_workflow_each_week(workflow: dict[Any, Any]) -> None:
    install, audit = commands(workflow["jobs"]["advisories"])
    assert re.fullmatch(r"python -m pip install pip-audit==[\d.]+", install)
    assert audit.startswith("python -m pip_audit --strict --requirement requirements.txt")
    # Without --strict, what the service does not answer for counts as sound.
    assert "--strict" in audit.split()
    assert "if" not in workflow["jobs"]["advisories"]
    assert workflow["on"]["schedule"] == [{"cron": "17 4 * * 1"}]


def test_a_job_runs_in_the_events_that_it_names(workflow: dict[Any, Any]) -> None:
    assert set(workflow["on"]) == {"push", "pull_request", "workflow_dispatch", "schedule"}
    for job in workflow["jobs"].values():
        named = re.findall(r"event_name [!=]= '(\w+)'", job.get("if", ""))
        assert set(named) <= set(workflow["on"])
        assert job["timeout-minutes"] <= 60
    assert workflow["permissions"] == {"contents": "read"}
