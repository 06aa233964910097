"""The door for Twilio: `/twilio/voice` answers a call, `/twilio/media` carries it.

Twilio posts every incoming call to the first and is told to open a stream to the second; when that
has ended it asks `/twilio/after` what to do with the caller.
"""

import asyncio
import logging
from dataclasses import replace

from aiohttp import web

from server.admission import require_origin
from server.calls import Calls
from server.language.prior import prior_of_number
from server.protocol.telephone import Intake, outcomes, posted_form, telephone_settings
from server.protocol.twilio_call import TwilioCall
from server.protocol.twilio_voice import (
    Grant,
    Grants,
    connect,
    dial,
    hang_up,
    is_signed,
    reject,
)

log = logging.getLogger(__name__)

MAXIMUM_MESSAGE_BYTES = 64 * 1024  # one of 20 ms has some 300
HEARTBEAT_SECONDS = 20.0


class TwilioDoor:
    """Closed until the account's token is configured."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._config = calls.config.telephone
        self._grants = Grants()
        self._outcomes = outcomes()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """All that Twilio requests."""
        router.add_post("/twilio/voice", self.voice)
        router.add_post("/twilio/after", self.after)
        router.add_get("/twilio/media", self.media)
        router.add_get("/twilio/media/{token}", self.media)

    async def voice(self, request: web.Request) -> web.Response:
        """TwiML for a call that comes in."""
        with self._calls.at_the_door():
            form = await self._signed_form(request)
            number = "" if "language" in request.query else form.get("From", "")
            grant = Grant(_call_sid(form), self._language(request), number)
        try:
            with self._calls.at_the_door():
                self._calls.require_room()
        except web.HTTPServiceUnavailable:
            return _twiml(reject())
        token = self._grants.issue(grant, _now_seconds())
        base = self._base_url(request)
        media_url = base.replace("http", "ws", 1) + f"/twilio/media/{token}"
        return _twiml(connect(media_url, f"{base}/twilio/after"))

    async def after(self, request: web.Request) -> web.Response:
        """TwiML for a caller whose stream has ended."""
        with self._calls.at_the_door():
            form = await self._signed_form(request)
            wants_person = self._outcomes.take(_call_sid(form)) == "person"
        return _twiml(dial(self._config.person_number) if wants_person else hang_up())

    async def media(self, request: web.Request) -> web.StreamResponse:
        """The stream of one call."""
        with self._calls.at_the_door():
            self._require_token()
            require_origin(request, self._calls.config.server.allowed_origins)
            grant = self._redeemed(request)
            self._calls.require_room()
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAXIMUM_MESSAGE_BYTES
        )
        with self._calls.place(socket):
            await socket.prepare(request)
            call = TwilioCall(socket, request)
            start = await call.begin()
            if start is not None and start.call_sid == grant.call_sid:
                await self._converse(call, grant, request.remote)
            elif start is not None:
                call.refuse("The stream is of another call than its address.")
            await call.close()
        return socket

    async def _converse(self, call: TwilioCall, grant: Grant, peer: str | None) -> None:
        settings = telephone_settings(self._calls.first_settings(), reports_playback=True)
        conversation = replace(
            self._calls.config.conversation,
            default_language=grant.language,
            playback_lead_seconds=self._config.twilio_lead_seconds,
        )
        prior = prior_of_number(grant.number, conversation.languages)
        _, session = self._calls.open(settings, peer, conversation, prior=prior)
        has_persons = bool(self._config.person_number)
        intake = Intake(self._config, _now_seconds(), has_persons=has_persons)
        await call.converse(session, intake)
        if intake.wants_person:
            self._outcomes.note(grant.call_sid, "person")
        log.info("the caller is Twilio's again", extra={"wants_person": intake.wants_person})

    # ---- who may -----------------------------------------------------------------------------

    def _require_token(self) -> None:
        if not self._config.twilio_auth_token:
            raise web.HTTPNotFound(
                text="This server takes no calls from Twilio: telephone.twilio_auth_token is "
                "not set."
            )

    async def _signed_form(self, request: web.Request) -> dict[str, str]:
        """What Twilio posted. Raises 403 for anybody else's."""
        self._require_token()
        form = await posted_form(request)
        url = self._base_url(request) + request.raw_path
        sent = request.headers.get("X-Twilio-Signature", "")
        if not is_signed(self._config.twilio_auth_token, url, form, sent):
            raise web.HTTPForbidden(
                text=f"The X-Twilio-Signature is not that of this form at {url}. Is "
                "telephone.twilio_url the address that Twilio requests, and "
                "telephone.twilio_auth_token the token of its account?"
            )
        return dict(form)

    def _redeemed(self, request: web.Request) -> Grant:
        grant = self._grants.redeem(request.match_info.get("token", ""), _now_seconds())
        if grant is None:
            raise web.HTTPForbidden(
                text="A stream needs the address from the answer of /twilio/voice, which is good "
                "once and for a minute."
            )
        return grant

    def _base_url(self, request: web.Request) -> str:
        return self._config.twilio_url or f"{request.scheme}://{request.host}"

    def _language(self, request: web.Request) -> str:
        """The one in the address that Twilio was given for the number, or the usual one."""
        conversation = self._calls.config.conversation
        language = request.query.get("language", conversation.default_language)
        if language not in conversation.languages:
            raise web.HTTPBadRequest(
                text=f"language={language!r} is not deployed. It takes one of "
                f"{', '.join(conversation.languages)}."
            )
        return language


def _call_sid(form: dict[str, str]) -> str:
    if not (call_sid := form.get("CallSid", "")):
        raise web.HTTPBadRequest(text="The form has no CallSid.")
    return call_sid


def _now_seconds() -> float:
    return asyncio.get_running_loop().time()


def _twiml(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/xml")
