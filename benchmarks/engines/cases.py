"""The measured cases."""

from __future__ import annotations

from enum import StrEnum


class Case(StrEnum):
    ANONYMOUS = "anonymous page"
    VISITOR = "page of a visitor with a session"
    SIGNED_IN = "signed-in page"
    CHANGED = "signed-in page that changes the session"
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    DEVICES_5 = "devices page, 5 sessions"
    DEVICES_50 = "devices page, 50 sessions"
    DEVICES_500 = "devices page, 500 sessions"
    ENDING_50 = "ending 50 sessions"
    # The case before is compared with it.
    BARE_DELETE = "50 rows, one bare DELETE"


DEVICES = {Case.DEVICES_5: 5, Case.DEVICES_50: 50, Case.DEVICES_500: 500}
