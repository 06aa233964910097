"""Giving the language model's memory back."""

import logging

from engines.errors import EngineError
from engines.host import Engines
from engines.llm import Forget

log = logging.getLogger(__name__)


def forget(engines: Engines, *sessions: str) -> None:
    """Have the model free what it remembers of these; never fails.

    It is not waited for: whoever leaves may be cancelled at any moment, as the handler of a
    WebSocket is as soon as that has closed.
    """
    try:
        for session in sessions:
            engines.llm.post(Forget(session))
    except EngineError as error:
        log.warning("the model could not forget %s: %s", session, error)
