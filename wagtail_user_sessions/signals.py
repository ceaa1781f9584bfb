"""The package's signals. All are sent once the change has committed.

``session_started``
    A row got its user. Arguments: ``session``.
``session_ended``
    A row was deleted. Arguments: ``session``, the row as it was before;
    ``reason``, the end reason, a ``models.Reason``; ``actor``, the user who
    deleted it, or None if that isn't known.
``session_client_changed``
    The address or user agent of a signed-in row changed. Arguments:
    ``session``, with the new values of the client columns; ``previous``, the old
    values by column name.

The sender is the model's class. Receivers are called with ``send_robust()``:
an error in a receiver is logged, and stops no sign-in or sign-out.
"""

from django.dispatch import Signal

session_started = Signal()
session_ended = Signal()
session_client_changed = Signal()
