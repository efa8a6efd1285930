"""Turns at heavy work: one at a time, few wait for theirs, and who would be one too many is told.

Gradio answers every visitor of the page from 40 threads. Whoever waits here holds one of them, so
a visitor with forty questions would silence the whole page, were the waiting not bounded. Knows
nothing of the work, or of gradio.
"""

import threading
from types import TracebackType

from lstm_lm.errors import UserError

# A view asks at most 5 questions at once when it opens, and a browser has 6 under way at a time.
WAITING = 12  # for the same work
ROOM = 28  # threads that work or wait, of all turns together: the rest of 40 stay for quick answers
MANY = "many are asking just now: try again in a moment"

_room = threading.BoundedSemaphore(ROOM)  # of the process, as gradio's threads are


class Turns:
    """A lock for a `with` statement that lets a bounded number wait, and refuses more at once.

    Args:
        waiting: how many may wait while one works.
        room: places of these turns and others together; without one, that of the process.
    """

    def __init__(
        self, waiting: int = WAITING, room: threading.BoundedSemaphore | None = None
    ) -> None:
        self._places = threading.BoundedSemaphore(waiting + 1)
        self._room = room or _room
        self._work = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the turn.

        Raises:
            UserError: as many as may wait do so already.
        """
        if not self._places.acquire(blocking=False):
            raise UserError(MANY)
        if not self._room.acquire(blocking=False):
            self._places.release()
            raise UserError(MANY)
        self._work.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the next one work."""
        self._work.release()
        self._room.release()
        self._places.release()
