"""Giving the language model's memory of a request back."""

import logging

from engines.errors import EngineError
from engines.host import Engines
from engines.llm import Forget

log = logging.getLogger(__name__)


async def forget(engines: Engines, session: str) -> None:
    """Free what the model remembers of a session; never fails."""
    try:
        async with engines.llm.submit(Forget(session)) as job:
            async for _ in job:
                pass
    except EngineError as error:
        log.warning("the model could not forget %s: %s", session, error)
