"""A background loop that works off what is due, and looks again in a while or when it is told to."""

import asyncio
import random
from typing import Final

import structlog
from vivero_web.errors import WebError, explained

FIRST_POLL_SECONDS: Final = 5.0
"""After the start-up queries: a second connection costs an idle pod 0.7 MiB permanently."""

_AFTER_ERROR_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class Poller:
    """Setting `wakeup` triggers a poll at once; each pause varies by a fifth."""

    def __init__(self, name: str, wakeup: asyncio.Event, pause: float, idle_pause: float) -> None:
        """`name` is for the log; seconds until the next poll while something is expected, and while nothing is."""
        self._name = name
        self._wakeup = wakeup
        self._pause = pause
        self._idle_pause = idle_pause

    async def once(self) -> bool:
        """Do some of what is due; False if nothing is."""
        raise NotImplementedError

    async def expects(self) -> bool:
        """Whether something may be due soon."""
        raise NotImplementedError

    async def run(self) -> None:
        """Run until cancelled; checks `cancelling`, because the driver may turn a cancellation into another error."""
        task, pause = asyncio.current_task(), FIRST_POLL_SECONDS
        while task is None or not task.cancelling():
            try:
                async with asyncio.timeout(pause * random.uniform(0.8, 1.2)):  # noqa: S311  jitter, not a secret
                    await self._wakeup.wait()
            except TimeoutError:
                pass  # time to poll
            self._wakeup.clear()
            pause = await self._poll()

    async def _poll(self) -> float:
        """Do all that is due; returns the seconds until the next poll."""
        try:
            while await self.once():
                pass  # until nothing is due
            return self._pause if await self.expects() else self._idle_pause
        except WebError as error:
            log.warning("poll_failed", loop=self._name, problem=explained(error))
        except Exception:
            # A bug must not end the loop for the life of the pod.
            log.exception("poll_failed", loop=self._name)
        return _AFTER_ERROR_SECONDS
