"""Ctrl-C, SIGTERM and a terminal that goes as a wish to stop, which a loop grants when it can.

Knows nothing of the work.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Within the block these signals ask the loop to stop; a second Ctrl-C insists."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread hears signals
        return

    def ask(number: int, frame: object) -> None:
        # torchrun answers a Ctrl-C with a SIGTERM to each process that has already heard it.
        if event.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        event.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:  # as under nohup
        numbers.append(hang_up)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
