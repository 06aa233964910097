"""The answers that the client asks for and cancels."""

from collections.abc import Sequence

from engines.errors import ProtocolError
from server.commands import CreateResponse
from server.conversation.aside import Asides
from server.conversation.asking import Asked
from server.conversation.context import Conversation
from server.conversation.floor import Floor
from server.conversation.history import History
from server.events import ItemAdded
from server.items import Item
from server.session_items import Items


class Responses:
    """One client's hand in what is answered."""

    def __init__(
        self, conversation: Conversation, floor: Floor, items: Items, asides: Asides
    ) -> None:
        self._conversation = conversation
        self._floor = floor
        self._items = items
        self._asides = asides

    def create(self, command: CreateResponse) -> None:
        """Answer now. Raises `ProtocolError`."""
        settings = command.settings or self._floor.settings
        if self._floor.settings.type == "transcription":
            raise ProtocolError(
                "A transcription session has no responses: open a session of type 'realtime'.",
                code="invalid_value",
                param="type",
            )
        context = command.context
        history = None if context is None else _history(self._items.resolve(context))
        if command.is_beside:
            own = history or _history(list(self._conversation.history.items.values()))
            self._asides.begin(settings, own)
        elif not self._floor.answer(Asked(settings, history)):
            raise ProtocolError(
                "A response is in progress: cancel it, or wait for response.done.",
                code="conversation_already_has_active_response",
            )

    def cancel(self, response_id: str | None) -> None:
        """Stop this answer, or whatever is in progress. Raises `ProtocolError`."""
        if response_id is not None and self._asides.cancel(response_id):
            return
        open_id = self._conversation.outbox.open_response_id
        if open_id is None and response_id is None and self._floor.withdraw():
            return
        if open_id is None or response_id not in (None, open_id):
            raise ProtocolError(
                "There is no such response in progress to cancel.",
                code="response_cancel_not_active",
            )
        self._floor.cancel()


def _history(items: Sequence[Item]) -> History:
    history = History()
    for item in items:
        history.record(ItemAdded(item))
    return history
