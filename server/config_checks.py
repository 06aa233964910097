"""What must hold between fields, or goes beyond a field's type and bounds."""

import ipaddress
import re
from collections.abc import Mapping

from engines.errors import ConfigError
from server.config_schema import LANGUAGES, Config
from server.language.resources import regions, script
from server.language.router import read_table

MINIMUM_KEY_CHARACTERS = 16

_ORDERED = (  # the first at most the second
    ("conversation.silence_threshold", "conversation.speech_threshold"),
    ("conversation.pause_seconds", "conversation.end_silence_seconds"),
    ("conversation.shortest_end_silence_seconds", "conversation.end_silence_seconds"),
    ("conversation.end_silence_seconds", "conversation.longest_end_silence_seconds"),
)


def check(config: Config, origins: Mapping[str, str]) -> None:
    """Raise `ConfigError` for what cannot be run. `origins`: where each field that was set, was."""
    for problem in (
        _listener(config, origins),
        _keys(config, origins),
        _browser_origins(config, origins),
        _languages(config, origins),
        _default_language(config, origins),
        _regions(config, origins),
        _routing(config, origins),
        _latin_answers(config, origins),
        *(_order(config, origins, lower, upper) for lower, upper in _ORDERED),
        _voices(config, origins),
        _twilio_url(config, origins),
        _peers(config, origins),
        _person_key(config, origins),
        _person_number(config, origins),
    ):
        if problem:
            raise ConfigError(problem)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listener(config: Config, origins: Mapping[str, str]) -> str | None:
    server = config.server
    if is_loopback(server.host) or server.api_keys or server.insecure:
        return None
    return (
        f"{_shown('server.host', server.host, origins)} is reached from other machines. Set "
        "server.api_keys, so that clients must show a key, or server.insecure = true (--insecure) "
        "to let anybody in."
    )


def _keys(config: Config, origins: Mapping[str, str]) -> str | None:
    if all(len(key) >= MINIMUM_KEY_CHARACTERS for key in config.server.api_keys):
        return None
    return (
        f"{_shown('server.api_keys', 'a key', origins)} is too short. It takes at least "
        f"{MINIMUM_KEY_CHARACTERS} characters; `openssl rand -hex 24` makes a good one."
    )


def _browser_origins(config: Config, origins: Mapping[str, str]) -> str | None:
    for origin in config.server.allowed_origins:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            allowed = "a scheme, a host and perhaps a port: https://example.org"
            return _refused("server.allowed_origins", origin, origins, allowed)
    return None


def _languages(config: Config, origins: Mapping[str, str]) -> str | None:
    languages = config.conversation.languages
    unknown = [language for language in languages if language not in LANGUAGES]
    if languages and not unknown:
        return None
    value = unknown[0] if unknown else "nothing"
    return _refused("conversation.languages", value, origins, f"some of {', '.join(LANGUAGES)}")


def _default_language(config: Config, origins: Mapping[str, str]) -> str | None:
    conversation = config.conversation
    if conversation.default_language in conversation.languages:
        return None
    allowed = f"one of conversation.languages: {', '.join(conversation.languages)}"
    return _refused(
        "conversation.default_language", conversation.default_language, origins, allowed
    )


def _regions(config: Config, origins: Mapping[str, str]) -> str | None:
    known = regions()
    for region in config.conversation.regions:
        if region not in known:
            return _refused("conversation.regions", region, origins, f"some of {', '.join(known)}")
    return None


def _order(config: Config, origins: Mapping[str, str], lower: str, upper: str) -> str | None:
    low, high = _value(config, lower), _value(config, upper)
    if low <= high:
        return None
    return _refused(lower, low, origins, f"at most {_shown(upper, high, origins)}")


def _routing(config: Config, origins: Mapping[str, str]) -> str | None:
    conversation = config.conversation
    try:
        read_table(conversation.routing_table, conversation.language_classes)
    except ConfigError as error:
        return str(error)
    return None


def _latin_answers(config: Config, origins: Mapping[str, str]) -> str | None:
    for language in config.conversation.latin_answers:
        if not script(language):
            own = ", ".join(each for each in LANGUAGES if script(each))
            return _refused("conversation.latin_answers", language, origins, f"some of {own}")
    return None


def _voices(config: Config, origins: Mapping[str, str]) -> str | None:
    for number, voice in enumerate(config.tts.voices):
        if voice.engine == "piper" and not voice.model:
            return _refused("tts.voices", f"voice {number}", origins, "piper with a model")
    return None


def _twilio_url(config: Config, origins: Mapping[str, str]) -> str | None:
    url = config.telephone.twilio_url
    if not url or (url.startswith(("http://", "https://")) and not url.endswith("/")):
        return None
    allowed = "a scheme, a host and perhaps a path, no slash at the end: https://voice.example.org"
    return _refused("telephone.twilio_url", url, origins, allowed)


def _peers(config: Config, origins: Mapping[str, str]) -> str | None:
    for peer in config.telephone.audiosocket_peers:
        try:
            ipaddress.ip_network(peer)
        except ValueError:
            allowed = "addresses and networks: 192.168.1.7, 10.0.0.0/24"
            return _refused("telephone.audiosocket_peers", peer, origins, allowed)
    return None


def _person_key(config: Config, origins: Mapping[str, str]) -> str | None:
    key = config.telephone.person_key
    if key in ("", *"0123456789*"):
        return None
    return _refused("telephone.person_key", key, origins, "one of 0123456789*, or nothing")


def _person_number(config: Config, origins: Mapping[str, str]) -> str | None:
    number = config.telephone.person_number
    if not number or re.fullmatch(r"\+[1-9][0-9]{3,14}", number):
        return None
    return _refused("telephone.person_number", number, origins, "+ and the whole number, no spaces")


def _value(config: Config, path: str) -> float:
    section, name = path.split(".")
    value: float = getattr(getattr(config, section), name)
    return value


def _shown(path: str, value: object, origins: Mapping[str, str]) -> str:
    return f"{path}: {value} (from {origins.get(path, 'the defaults')})"


def _refused(path: str, value: object, origins: Mapping[str, str], allowed: str) -> str:
    return f"{_shown(path, value, origins)} is not allowed. It takes {allowed}."
