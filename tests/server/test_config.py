"""Where settings come from, which one wins, and what is said about one that is wrong."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.config import STARTER_TRANSLATORS, TtsConfig, VoiceConfig
from engines.errors import ConfigError
from scripts.generate_docs import pages
from server.config import Config, ConversationConfig, ServerConfig, assemble, parse
from server.config_checks import is_loopback
from server.config_fields import all_fields
from server.config_sources import from_file
from server.config_text import to_toml

KEY = "0123456789abcdef0123"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that no tinig.toml of the developer's is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "tinig.toml").write_text(text, encoding="utf-8")


def refusal(*argv: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(argv, environ)
    return str(caught.value)


def test_the_starter_translator_is_left_out_beside_another_language_model() -> None:
    assert parse([], {}).translate.models == STARTER_TRANSLATORS
    assert parse(["--llm.model", "other.gguf"], {}).translate.models == ()
    own = '[{path = "opus", source = "tl", target = "en"}]'
    named = parse(["--llm.model", "other.gguf", "--translate.models", own], {}).translate.models
    assert [model.path for model in named] == ["opus"]


def test_without_settings_the_defaults_hold() -> None:
    assert parse([], {}) == Config()


def test_other_variables_of_the_environment_are_left_alone() -> None:
    assert parse([], {"PATH": "/bin", "PORT": "1"}) == Config()


def test_a_flag_wins_over_a_variable_and_that_over_the_file(folder: Path) -> None:
    write(folder, "[server]\nport = 1\nmax_sessions = 1\nlog_level = 'error'\n")
    environ = {"TINIG_SERVER_PORT": "2", "TINIG_SERVER_MAX_SESSIONS": "2"}
    server = parse(["--port", "3"], environ).server
    assert (server.port, server.max_sessions, server.log_level) == (3, 2, "error")


def test_another_file_can_be_named(folder: Path) -> None:
    (folder / "other.toml").write_text("[server]\nport = 5\n")
    assert parse(["--config", "other.toml"], {}).server.port == 5


def test_a_named_file_must_exist() -> None:
    assert "none.toml cannot be read: No such file" in refusal("--config", "none.toml")


@pytest.mark.parametrize("flags", [["--server.port", "7"], ["--port=7"], ["--server.port=7"]])
def test_flags_have_a_long_and_a_short_form(flags: list[str]) -> None:
    assert parse(flags, {}).server.port == 7


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("no", False), ("0", False), ("", None)]
)
def test_text_is_read_as_the_type_of_the_field(text: str, value: bool | None) -> None:
    assert parse([], {"TINIG_STT_SHORT_WINDOWS": text}).stt.short_windows is value


def test_lists_are_written_with_commas() -> None:
    conversation = parse([], {"TINIG_CONVERSATION_LANGUAGES": "tl, en"}).conversation
    assert conversation.languages == ("tl", "en")


def test_voices_are_tables_in_the_file_and_in_a_flag(folder: Path) -> None:
    voices = (VoiceConfig("hi", "espeak"), VoiceConfig("fr", "piper", "fr.onnx", name="Zoé"))
    write(
        folder,
        "[[tts.voices]]\nlanguage = 'hi'\nengine = 'espeak'\n"
        "[[tts.voices]]\nlanguage = 'fr'\nengine = 'piper'\nmodel = 'fr.onnx'\nname = 'Zoé'\n",
    )
    assert parse([], {}).tts == TtsConfig(voices)
    flag = "[{language='tl', engine='espeak'}]"
    assert parse(["--tts.voices", flag], {}).tts.voices == (VoiceConfig("tl", "espeak"),)


def test_an_integer_is_a_number() -> None:
    seconds = parse(["--conversation.end_silence_seconds", "1"], {}).conversation
    assert seconds.end_silence_seconds == 1.0


# What is said about a wrong one.


def test_a_refusal_names_field_value_origin_and_what_is_allowed(folder: Path) -> None:
    assert "llm.threads: 'x' (from TINIG_LLM_THREADS)" in refusal(TINIG_LLM_THREADS="x")
    assert "stt.device: 'tpu' (from --stt.device)" in refusal("--stt.device", "tpu")
    write(folder, "# mine\n[server]\n\nport = 99999\n")
    assert refusal() == (
        "server.port: 99999 (from tinig.toml, line 4) is not allowed. "
        "It takes an integer from 0 to 65535."
    )


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("port = true", "an integer"),
        ("port = '8080'", "an integer"),
        ("port = 80.0", "an integer"),
        ("insecure = 1", "true or false"),
        ("host = 1", "a text"),
        ("log_format = 'xml'", 'one of "text", "json"'),
        ("allowed_origins = 'https://a.example'", "a list of texts"),
        ("allowed_origins = [1]", "a list of texts"),
    ],
)
def test_the_file_is_read_with_strict_types(folder: Path, line: str, allowed: str) -> None:
    write(folder, f"[server]\n{line}\n")
    assert f"tinig.toml, line 2) is not allowed. It takes {allowed}" in refusal()


@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_numbers_are_finite_and_within_bounds(folder: Path, value: str) -> None:
    write(folder, f"[conversation]\nspeech_threshold = {value}\n")
    assert "a number from 0.0 to 1.0" in refusal()


def test_a_name_that_is_not_known_is_told_with_the_closest(folder: Path) -> None:
    assert refusal("--prot", "1").endswith("Did you mean --port?")
    assert refusal(TINIG_SERVER_PROT="1").endswith("Did you mean TINIG_SERVER_PORT?")
    write(folder, "[server]\nmax_session = 3\n")
    expected = "server.max_session (from tinig.toml, line 2) is not known. "
    assert refusal() == f"{expected}Did you mean server.max_sessions?"
    write(folder, "port = 3\n[severs]\n")
    assert "(from tinig.toml, line 1) is not known." in refusal()


def test_a_voice_is_checked_field_by_field(folder: Path) -> None:
    write(folder, "[[tts.voices]]\nlanguage = 'en'\n")
    assert "tts.voices[0] (from tinig.toml, line 1) needs engine" in refusal()
    write(folder, "[[tts.voices]]\nlanguage = 'en'\nengine = 'festival'\n")
    assert "tts.voices[0].engine: 'festival'" in refusal()
    write(folder, "[[tts.voices]]\nlanguage = 'en'\nengine = 'espeak'\nspaeker = ''\n")
    assert refusal().endswith("Did you mean tts.voices[0].speaker?")
    write(folder, "[[tts.voices]]\nlanguage = 'en'\nengine = 'piper'\n")
    assert "It takes piper with a model" in refusal()


@pytest.mark.parametrize("text", ["[server", "[server]\nport =", "\xff"])
def test_a_broken_file_is_named(folder: Path, text: str) -> None:
    (folder / "tinig.toml").write_bytes(text.encode("latin-1"))
    assert refusal().startswith("The configuration tinig.toml is not valid TOML: ")


def test_flags_need_their_value() -> None:
    assert "expected one argument" in refusal("--port")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--conversation.languages=de", "de (from --conversation.languages) is not allowed"),
        ("--conversation.languages=", "It takes some of en, es, fr, hi, tl"),
        ("--conversation.languages=fr", "It takes one of conversation.languages: fr"),
        ("--conversation.silence_threshold=0.9", "at most conversation.speech_threshold: 0.5"),
        ("--conversation.pause_seconds=3", "at most conversation.end_silence_seconds: 0.5"),
        (
            "--conversation.shortest_end_silence_seconds=0.6",
            "at most conversation.end_silence_seconds: 0.5",
        ),
        (
            "--conversation.end_silence_seconds=2",
            "at most conversation.longest_end_silence_seconds: 1.2",
        ),
        ("--allowed-origins=example.org", "It takes a scheme, a host"),
        ("--allowed-origins=https://example.org/", "It takes a scheme, a host"),
    ],
)
def test_what_cannot_be_run_together_is_refused(flags: str, message: str) -> None:
    assert message in refusal(flags)


def test_a_pause_may_be_shorter_than_the_eager_one() -> None:
    assert parse(["--conversation.pause_seconds=0.05"], {}).conversation.pause_seconds == 0.05


# Who may reach the server.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "tinig.example", ""])
def test_another_address_than_loopback_needs_a_key(host: str) -> None:
    assert "(--insecure) to let anybody in." in refusal("--host", host)
    assert parse(["--host", host, "--insecure"], {}).server.insecure
    assert parse(["--host", host], {"TINIG_SERVER_API_KEYS": KEY}).server.api_keys == (KEY,)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    assert is_loopback(host)
    assert parse(["--host", host], {}).server.api_keys == ()


def test_a_secret_is_shown_neither_in_errors_nor_in_print(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "short" not in refusal("--server.api_keys", "short").replace("too short", "")
    write(folder, "[server]\napi_keys = 'a-plain-text-instead-of-a-list'\n")
    assert "plain" not in refusal()
    (folder / "tinig.toml").unlink()
    with pytest.raises(SystemExit):
        parse(["--print-config", "--api-keys", KEY], {})
    printed = capsys.readouterr().out
    assert KEY not in printed
    assert "# api_keys: 1 set, not shown" in printed


# What is printed can be read.


def test_print_config_can_be_saved_and_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--port", "81", "--conversation.instructions", 'Say "hi"\nand\tbye\x7f.']
    with pytest.raises(SystemExit) as exit_:
        parse([*flags, "--print-config"], {})
    assert exit_.value.code == 0
    write(folder, capsys.readouterr().out)
    assert parse([], {}) == parse(["--config", "/dev/null", *flags], {})


texts = st.text(st.characters(exclude_categories=["Cs"]))
voices = st.builds(VoiceConfig, texts, st.just("espeak"), texts, texts, texts)
configs = st.builds(
    Config,
    server=st.builds(ServerConfig, port=st.integers(0, 65535), insecure=st.booleans()),
    conversation=st.builds(
        ConversationConfig, instructions=texts, low_confidence=st.floats(0.0, 1.0)
    ),
    tts=st.builds(TtsConfig, st.lists(voices).map(tuple)),
)


@settings(deadline=None)
@given(configs)
def test_any_configuration_survives_toml(config: Config) -> None:
    path = Path("any.toml")
    path.write_text(to_toml(config), encoding="utf-8", newline="")
    assert assemble(from_file(path, Config)) == config


def test_help_lists_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse(["--help"], {})
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert all(f"--{field.path}" in printed for field in all_fields(Config))


def test_every_field_is_documented() -> None:
    assert all(field.about.endswith(".") for field in all_fields(Config))


def test_the_generated_pages_are_up_to_date() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, "run python -m scripts.generate_docs"


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().server.port = 1  # type: ignore[misc]
