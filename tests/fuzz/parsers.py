"""Everything that reads what others send, each as a function of bytes that returns what it refused.

What is wrong is refused by an error of ours; whatever else is raised is a defect.
"""

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import StreamReader, hdrs, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from engines.errors import ConfigError, ProtocolError
from server.audio import Samples
from server.config import Config, parse
from server.protocol import audiosocket_frames, twilio_messages
from server.protocol.realtime_commands import Decoder, event_id_of
from server.rest import bodies, decoding, schema
from server.rest.chat_schema import CreateChatCompletionRequest
from server.settings import AudioFormat, AudioType, Settings

LANGUAGES = ("en", "es")
VOICES = ("carla",)
MAXIMUM_AUDIO_SECONDS = 5.0
FORMATS: tuple[AudioType, ...] = ("audio/pcm", "audio/pcmu", "audio/pcma")

Refusals = list[Exception]


@contextmanager
def _noting(refusals: Refusals, *kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        refusals.append(error)


def realtime_json(data: bytes) -> Refusals:
    """A text message of a Realtime client, in a session that others came before."""
    refused: Refusals = []
    decoder = Decoder(Settings(), LANGUAGES, VOICES)
    text = data.decode(errors="replace")
    for line in text.split("\n"):
        with _noting(refused, ProtocolError):
            decoder.decode(line)
        event_id_of(line)
    return refused


def realtime_binary(data: bytes) -> Refusals:
    """A binary message of a Realtime client: PCM or G.711."""
    refused: Refusals = []
    for kind in FORMATS:
        heard = Settings(input_format=AudioFormat(kind), binary_audio=True)
        with _noting(refused, ProtocolError):
            Decoder(heard, LANGUAGES, VOICES).decode_binary(data)
    return refused


def twilio(data: bytes) -> Refusals:
    """A message of a Media Stream."""
    refused: Refusals = []
    with _noting(refused, ProtocolError):
        twilio_messages.decode(data.decode(errors="replace"))
    return refused


def audiosocket(data: bytes) -> Refusals:
    """Frames of an AudioSocket, cut where the first byte says."""
    refused: Refusals = []
    parser = audiosocket_frames.FrameParser()
    step = 1 + (data[0] if data else 0)
    for start in range(1, len(data), step):
        for frame in parser.push(data[start : start + step]):
            with _noting(refused, ProtocolError):
                audiosocket_frames.decode(frame)
    return refused


def audio_file(data: bytes) -> Refusals:
    """A recording in WAV or any other format."""
    refused: Refusals = []

    async def read() -> list[Samples]:
        return [samples async for samples in decoding.decode(data, MAXIMUM_AUDIO_SECONDS)]

    with _noting(refused, ProtocolError):
        asyncio.run(read())
    return refused


def multipart(data: bytes) -> Refusals:
    """A form with a file."""
    refused: Refusals = []

    async def read() -> None:
        await bodies.read_audio(_form(data), Config().rest)

    with _noting(refused, ProtocolError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # aiohttp warns of a strange header, and goes on
        asyncio.run(read())
    return refused


def rest_json(data: bytes) -> Refusals:
    """The body of a chat completion."""
    refused: Refusals = []
    with _noting(refused, ValueError, RecursionError):  # as the door refuses it
        value = json.loads(data)
        with _noting(refused, ProtocolError):
            schema.read(CreateChatCompletionRequest, value)
    return refused


def config_toml(data: bytes) -> Refusals:
    """The owner's configuration."""
    refused: Refusals = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tinig.toml"
        file.write_bytes(data)
        with _noting(refused, ConfigError):
            parse(["--config", str(file)], {})
    return refused


PARSERS: Mapping[str, Callable[[bytes], Refusals]] = {
    parser.__name__: parser
    for parser in (
        realtime_json,
        realtime_binary,
        twilio,
        audiosocket,
        audio_file,
        multipart,
        rest_json,
        config_toml,
    )
}


def _form(data: bytes) -> web.Request:
    """A posted form, of which nothing more comes."""
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), 2**16, loop=loop)
    content.feed_data(data)
    content.feed_eof()
    headers = {hdrs.CONTENT_TYPE: "multipart/form-data; boundary=line"}
    return make_mocked_request("POST", "/", headers, payload=content)
