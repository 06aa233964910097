"""What is meant for the eye alone: markdown, code blocks, emoji."""

import re

import emoji

from server.language.spoken.aligned import AlignedText

_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_ANGLES = re.compile(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s@]+@[^<>\s]+)>")
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_RULE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\|?[ \t]*:?-{3,}[-:| \t]*$", re.MULTILINE)
_CELL = re.compile(r"^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", re.MULTILINE)
_CELL_BORDER = re.compile(r"(?<=\S)[ \t]+\|[ \t]+(?=\S)")
_LINE_MARKER = re.compile(
    r"^[ \t]*(?:#{1,6}|>|[-*+•]|\d{1,2}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)", re.MULTILINE
)
_INLINE_MARKER = re.compile(r"(?<=[:,;.] )(\d{1,2})\)(?= )")
_EMPHASIS = re.compile(
    r"(?<!\d)\*{1,3}(?=\S)|(?<=\S)\*{1,3}(?!\d)"  # but 2*3 and 2 * 3 stay
    r"|(?<!\w)_{1,3}(?=\S)|(?<=[^\W_])_{1,3}(?!\w)"  # but snake_case stays
    r"|~~|`"
)
_EMOJI_PARTS = re.compile("[\ufe0e\ufe0f\u20e3\U000e0020-\U000e007f]")


def without_markup(text: AlignedText) -> AlignedText:
    """The words without the signs of markdown, without code and without emoji."""
    for pattern, replacement in (
        (_CODE_BLOCK, " "),
        (_LINK, r"\1"),
        (_ANGLES, r"\1"),
        (_TAG, " "),
        (_RULE, ""),
        (_TABLE, ""),
        (_CELL, ""),
        (_CELL_BORDER, ", "),
        (_LINE_MARKER, ""),
        (_INLINE_MARKER, r"\1,"),
        (_EMPHASIS, ""),
    ):
        text = text.sub(pattern, replacement)
    return _without_emoji(text)


def _without_emoji(text: AlignedText) -> AlignedText:
    found = {item["emoji"] for item in emoji.emoji_list(text.text)}
    pictures = sorted((one for one in found if not one[0].isalnum()), key=len, reverse=True)
    if pictures:
        text = text.sub(re.compile("|".join(map(re.escape, pictures))), " ")
    return text.sub(_EMOJI_PARTS, "")
