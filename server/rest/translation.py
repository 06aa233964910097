"""What was said in a file, in English: by the recognizer where it can, else as a pivot does it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from engines.batcher import Priority
from engines.errors import ProtocolError
from engines.host import Engines
from engines.translate import Pair
from server.conversation.translators import Interpreter, LostInTranslation, interpreter
from server.forget import forget
from server.ids import new_id
from server.language.languages import language_name
from server.rest.recognition import ENGLISH, Piece


async def in_english(
    engines: Engines, pieces: AsyncGenerator[Piece, None]
) -> AsyncGenerator[Piece, None]:
    """The same pieces, those of other languages translated and without word times.

    Raises `ProtocolError` where no translation keeps what was said, and `EngineError`.
    """
    session = new_id("translation")
    translators = interpreter(engines, session)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield await _translated(translators, piece)
    finally:
        forget(engines, session)


async def _translated(translators: Interpreter, piece: Piece) -> Piece:
    transcript = piece.transcript
    if transcript.language == ENGLISH:
        return piece
    pair = Pair(transcript.language, ENGLISH)
    given = transcript.translation
    try:
        text, _ = await translators.translate(transcript.text, pair, Priority.OFFLINE, given)
    except LostInTranslation as error:
        raise ProtocolError(
            f"This server cannot translate this from {language_name(pair.source)}: {error}. It "
            "takes a recognizer that translates, a larger language model, or translate.models.",
            code="translation_failed",
        ) from error
    return replace(piece, transcript=replace(transcript, text=text), words=())
