"""Who visits the page and leaves, as a browser does it over HTTP."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from lstm_lm.store.loading import save
from tests.conftest import tiny_model

SESSION = "somebody"
PATIENCE = 60.0  # seconds


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_visitor_who_closes_the_tab_frees_what_they_held(tmp_path: Path) -> None:
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
    from lstm_lm.ui.page import build_page, launch_settings

    save(tiny_model(), tmp_path / "tiny")
    name = str(tmp_path / "tiny")
    page, handlers = build_page([name])
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    (event,) = (n for n, fn in page.fns.items() if getattr(fn.fn, "__name__", "") == "write")
    try:
        with (
            httpx.Client(base_url=url, timeout=PATIENCE) as client,
            client.stream("GET", f"gradio_api/heartbeat/{SESSION}") as heartbeat,
        ):
            assert heartbeat.status_code == 200
            data = ["ab", 20, 0.6, 0, 1, 0, 1, 400, name]
            asked = {"data": data, "fn_index": event, "session_hash": SESSION}
            client.post("gradio_api/queue/join", json=asked).raise_for_status()
            parameters = {"session_hash": SESSION}
            with client.stream("GET", "gradio_api/queue/data", params=parameters) as stream:
                lines = (line for line in stream.iter_lines() if "process_completed" in line)
                assert '"success":true' in next(lines).replace(": ", ":")
            run = handlers.store.latest_written(SESSION)
            assert run is not None
            assert run.tokens[:2] == ["a", "b"]
            assert SESSION in page.state_holder.session_data
        wait_for(lambda: handlers.store.latest_written(SESSION) is None)
        wait_for(lambda: SESSION not in page.state_holder.session_data)
    finally:
        page.close()
