"""Text for the ear: what is meant for the eye alone is taken out before synthesis."""

import re

from server.language.resources import symbols

_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_RULE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE)
_LINE_MARKER = re.compile(r"^[ \t]*(?:#{1,6}|>|[-*+•]|\d{1,2}[.)])[ \t]+(?=\S)", re.MULTILINE)
_EMPHASIS = re.compile(
    r"(?<!\d)\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?!\d)"  # but 2*3 and 2 * 3 stay
    r"|(?<!\w)_{1,3}(?=\S)|(?<=[^\W_])_{1,3}(?!\w)"  # but snake_case stays
    r"|~~|`"
)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u231a\u231b\u23e9-\u23fa\u2b50\u2b55]"
    "[\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*|[\ufe0f\u20e3]"
)


def speakable(text: str, language: str) -> str:
    """The text without markdown, code blocks and emoji; signs such as & are words of `language`.

    Blanks and newlines become single spaces; the result is empty when there is nothing to say.
    """
    for pattern, replacement in (
        (_CODE_BLOCK, " "),
        (_LINK, r"\1"),
        (_RULE, ""),
        (_LINE_MARKER, ""),
        (_EMPHASIS, ""),
        (_EMOJI, " "),
    ):
        text = pattern.sub(replacement, text)
    for sign, word in symbols(language).items():
        text = text.replace(sign, f" {word} ")
    return _tidy(text)


def _tidy(text: str) -> str:
    """Single spaces, none before a comma or full stop; nothing if there is no letter or digit."""
    text = re.sub(r"\s+([,.])", r"\1", " ".join(text.split()))
    return text if re.search(r"[^\W_]", text) else ""
