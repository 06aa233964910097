"""One answer as an OpenAI Realtime client is told it, from `response.created` to `response.done`.

The session says words, audio and function calls; the wire wants each in an item, each item at an
index of the response's output, and everything again when it is whole.
"""

from collections.abc import Callable
from typing import Any

from server.events import (
    AnswerAudio,
    AnswerStarted,
    AnswerText,
    Event,
    FunctionArguments,
    FunctionCalled,
    ResponseFinished,
    ResponseStarted,
)
from server.items import FunctionCallItem
from server.protocol.realtime_audio import encode_audio, write_audio
from server.protocol.realtime_items import (
    item_to_wire,
    message_to_wire,
    spoken_content,
    written_content,
)
from server.protocol.realtime_session import output_to_wire
from server.protocol.realtime_table import Wire, event
from server.settings import Settings

Append = Callable[[str], str | None]  # an item's id -> the id of the item before it


class ResponseEncoder:
    """Encodes the events of one answer.

    `conversation_id` is None for an answer beside the conversation: its items enter none.
    """

    def __init__(
        self, started: ResponseStarted, conversation_id: str | None, append: Append
    ) -> None:
        self._id = started.response_id
        self._settings: Settings = started.settings
        self._conversation_id = conversation_id
        self._append = append
        self._output: list[Wire] = []  # items, in the order in which they began
        self._message: Wire | None = None  # the one that is being spoken
        self._message_index = 0
        self._text = ""
        self._call: Wire | None = None  # the one that is being written
        self._call_index = 0
        self._previous: dict[str, str | None] = {}  # by item: the one that stands before it
        self._encoders: dict[type, Callable[[Any], list[Wire | bytes]]] = {
            ResponseStarted: self._started,
            AnswerStarted: self._answer_started,
            AnswerText: self._answer_text,
            AnswerAudio: self._answer_audio,
            FunctionArguments: self._arguments,
            FunctionCalled: self._function_called,
            ResponseFinished: self._finished,
        }

    def encode(self, part: Event) -> list[Wire | bytes]:
        """What to send for one event of this answer, in order; bytes are a binary message."""
        return self._encoders[type(part)](part)

    @property
    def _is_text(self) -> bool:
        return self._settings.output_modality == "text"

    def _started(self, started: ResponseStarted) -> list[Wire | bytes]:
        return [event("response.created", response=self._response("in_progress"))]

    def _answer_started(self, started: AnswerStarted) -> list[Wire | bytes]:
        self._message = message_to_wire(started.item_id, "assistant", [], "in_progress")
        self._message_index = len(self._output)
        self._output.append(self._message)
        item = dict(self._message)
        at = {"response_id": self._id, "output_index": self._message_index}
        part = self._part("")
        return [
            event("response.output_item.added", **at, item=item),
            *self._enter_conversation(item),
            event("response.content_part.added", **self._content(), part=part),
        ]

    def _answer_text(self, text: AnswerText) -> list[Wire | bytes]:
        self._text += text.text
        kind = "output_text" if self._is_text else "output_audio_transcript"
        return [event(f"response.{kind}.delta", **self._content(), delta=text.text)]

    def _answer_audio(self, audio: AnswerAudio) -> list[Wire | bytes]:
        audio_format = self._settings.output_format
        if self._settings.binary_audio and self._conversation_id is not None:
            return [encode_audio(audio_format, audio.pcm)]
        delta = write_audio(audio_format, audio.pcm)
        return [event("response.output_audio.delta", **self._content(), delta=delta)]

    def _arguments(self, part: FunctionArguments) -> list[Wire | bytes]:
        begun: list[Wire | bytes] = []
        if self._call is None or self._call["id"] != part.item_id:
            item = FunctionCallItem(part.item_id, part.call_id, part.name, "", "in_progress")
            begun = self._begin_call(item_to_wire(item))
        assert self._call is not None
        self._call["arguments"] += part.delta
        kind = "response.function_call_arguments.delta"
        return [*begun, event(kind, **self._of_call(), delta=part.delta)]

    def _begin_call(self, item: Wire) -> list[Wire | bytes]:
        """The message before it stays open: words may still follow, if only an apology."""
        ended = self._finish_call("incomplete")
        self._call, self._call_index = item, len(self._output)
        self._output.append(item)
        at = {"response_id": self._id, "output_index": self._call_index}
        added = event("response.output_item.added", **at, item=dict(item))
        return [*ended, added, *self._enter_conversation(dict(item))]

    def _function_called(self, called: FunctionCalled) -> list[Wire | bytes]:
        call = called.item
        told = {"name": call.name, "arguments": call.arguments}
        done = event("response.function_call_arguments.done", **self._of_call(), **told)
        return [done, *self._finish_call("completed")]

    def _finish_call(self, status: str) -> list[Wire | bytes]:
        """The events that end the call that is being written, if there is one."""
        item, self._call = self._call, None
        if item is None:
            return []
        item["status"] = status
        at = {"response_id": self._id, "output_index": self._call_index}
        return [*self._leave_done(item), event("response.output_item.done", **at, item=item)]

    def _finished(self, finished: ResponseFinished) -> list[Wire | bytes]:
        wires = [
            *self._finish_message("completed" if finished.status == "completed" else "incomplete"),
            *self._finish_call("incomplete"),
        ]
        details: Wire = {"type": finished.status}
        if finished.reason is not None:
            details["reason"] = finished.reason
        if finished.error is not None:
            details["error"] = {
                "type": "server_error",
                "code": finished.error.code,
                "message": str(finished.error),
            }
        response = self._response(finished.status, details)
        response["usage"] = _usage(finished)
        return [*wires, event("response.done", response=response)]

    def _finish_message(self, status: str) -> list[Wire | bytes]:
        """The events that end the message that is being spoken, if there is one."""
        if self._message is None:
            return []
        at = self._content()
        ends: list[Wire | bytes] = [event("response.output_audio.done", **at)]
        if self._is_text:
            ends = [event("response.output_text.done", **at, text=self._text)]
        else:
            kind = "response.output_audio_transcript.done"
            ends.append(event(kind, **at, transcript=self._text))
        ends.append(event("response.content_part.done", **at, part=self._part(self._text)))
        content = written_content if self._is_text else spoken_content
        self._message.update(content=[content("assistant", self._text)], status=status)
        item, self._message, self._text = self._message, None, ""
        index = {"response_id": self._id, "output_index": self._message_index}
        return [
            *ends,
            *self._leave_done(item),
            event("response.output_item.done", **index, item=item),
        ]

    # ---- parts of events ------------------------------------------------------------------------

    def _enter_conversation(self, item: Wire) -> list[Wire]:
        if self._conversation_id is None:
            return []
        previous = self._previous[item["id"]] = self._append(item["id"])
        return [event("conversation.item.added", item=item, previous_item_id=previous)]

    def _leave_done(self, item: Wire) -> list[Wire]:
        if self._conversation_id is None:
            return []
        previous = self._previous[item["id"]]
        return [event("conversation.item.done", item=item, previous_item_id=previous)]

    def _content(self) -> Wire:
        if self._message is None:
            raise AssertionError("words came without the message that they belong to")
        return {
            "response_id": self._id,
            "output_index": self._message_index,
            "item_id": self._message["id"],
            "content_index": 0,
        }

    def _of_call(self) -> Wire:
        if self._call is None:
            raise AssertionError("arguments came without the call that they belong to")
        return {
            "response_id": self._id,
            "output_index": self._call_index,
            "item_id": self._call["id"],
            "call_id": self._call["call_id"],
        }

    def _part(self, text: str) -> Wire:
        if self._is_text:
            return {"type": "text", "text": text}
        return {"type": "audio", "transcript": text}

    def _response(self, status: str, details: Wire | None = None) -> Wire:
        settings = self._settings
        return {
            "object": "realtime.response",
            "id": self._id,
            "status": status,
            "status_details": details,
            "output": [dict(item) for item in self._output],
            "output_modalities": [settings.output_modality],
            "audio": {"output": output_to_wire(settings)},
            "conversation_id": self._conversation_id,
            "max_output_tokens": settings.max_output_tokens or "inf",
            "metadata": settings.metadata,
            "usage": None,
        }


def _usage(finished: ResponseFinished) -> Wire:
    return {
        "input_tokens": finished.prompt_tokens,
        "output_tokens": finished.generated_tokens,
        "total_tokens": finished.prompt_tokens + finished.generated_tokens,
        "input_token_details": {
            "text_tokens": finished.prompt_tokens,
            "audio_tokens": 0,
            "cached_tokens": finished.reused_tokens,
        },
        "output_token_details": {"text_tokens": finished.generated_tokens, "audio_tokens": 0},
    }
