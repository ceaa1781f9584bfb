"""Text that a spreadsheet would take for a formula.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

# Spreadsheets in Chinese, Japanese and Korean take the wide and the small signs for
# the narrow ones.
SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫−"  # noqa: RUF001
# A program may split lines at another separator than the comma. A line break begins
# a line for it, as it doesn't know the quotes around the text either.
SEPARATORS = ",;|\t\r\n"
# Besides white space, a program may drop these before it looks for a sign: quotes, and
# characters that have no width.
DROPPED = '"\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff'
BEGINNING = re.compile(
    rf"^([\s{DROPPED}]*)(?=[{SIGNS}])"
    rf"|([{SEPARATORS}])((?:[^\S{SEPARATORS}]|[{DROPPED}])*)(?=[{SIGNS}])"
)
# A dash for nothing is no formula.
NOTHING = re.compile(r"[ -]*")
# A program may drop these at the beginning of a cell, with what they do there.
CONTROLS = ("\t", "\r", "\n")


def storable(text: str) -> str:
    """Return the text without the characters that a workbook can't hold."""
    kept: str = ILLEGAL_CHARACTERS_RE.sub("", text)
    return kept


def defuse(text: str) -> str:
    """Return the text for a CSV file: no part of it is taken for a formula.

    An apostrophe stands before each part that begins like one, whatever separator
    the program splits lines at.
    """
    text = storable(text)
    if NOTHING.fullmatch(text):
        return text
    text = BEGINNING.sub(r"\2'\1\3", text)
    return f"'{text}" if text.startswith(CONTROLS) else text
