"""The messages of the package's checks, and objects that tested settings name."""

from django.core.checks import run_checks

from wagtail_user_sessions.checks.messages import TAG

CACHED_DB = "wagtail_user_sessions.backends.cached_db"


def find_address(request):
    return "192.0.2.1"


def run(tag=TAG, **options):
    """Return the messages of the package's checks by their short ids ("E001")."""
    # Without it Django 6.1 names all databases, which then are queried.
    options.setdefault("databases", [])
    messages = run_checks(tags=[tag], **options)
    ours = [message for message in messages if message.id.startswith(f"{TAG}.")]
    assert all(message.hint for message in ours)
    return {message.id.rpartition(".")[2]: message for message in ours}
