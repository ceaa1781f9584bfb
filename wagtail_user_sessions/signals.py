"""The package's signals. All are sent once the change has committed.

``session_started``
    A row got its user. Arguments: ``session``.
``session_ended``
    A row was deleted. Arguments: ``session``, the row as it last was;
    ``reason``, a ``revocation.Reason``; ``actor``, the user who ended it, or
    None where that isn't known.
``session_client_changed``
    The address or user agent of a signed-in row changed. Arguments:
    ``session``, with the new facts; ``previous``, the old ones by column name.

The sender is the model's class. Receivers are called with ``send_robust()``:
one that raises is logged, and keeps nobody from signing in or out.
"""

from django.dispatch import Signal

session_started = Signal()
session_ended = Signal()
session_client_changed = Signal()
