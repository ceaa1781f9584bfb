"""The number of statements and of cache calls of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

from django.core.cache.backends.redis import RedisCache
from django.db import connection
from django.test.utils import CaptureQueriesContext

# The backend implements each of them; none calls another one.
CALLS = (
    "get",
    "get_many",
    "has_key",
    "set",
    "set_many",
    "add",
    "touch",
    "incr",
    "delete",
    "delete_many",
)
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def count(run: Callable[[], object]) -> dict[str, Any]:
    """Return ``queries``, ``transaction`` (statements that only begin or end one) and
    ``cache`` (the number of calls by their name).
    """
    with CaptureQueriesContext(connection) as captured, cache_calls() as calls:
        run()
    sent = [query["sql"] for query in captured.captured_queries]
    transaction = sum(sql.startswith(TRANSACTION) for sql in sent)
    return {
        "queries": len(sent) - transaction,
        "transaction": transaction,
        "cache": dict(calls),
    }


@contextmanager
def cache_calls() -> Iterator[Counter[str]]:
    calls: Counter[str] = Counter()
    with ExitStack() as stack:
        for name in CALLS:
            stack.enter_context(
                mock.patch.object(RedisCache, name, _counted(name, calls))
            )
        yield calls


def _counted(name: str, calls: Counter[str]) -> Callable[..., Any]:
    method = getattr(RedisCache, name)

    @wraps(method)
    def counted(*args: Any, **kwargs: Any) -> Any:
        calls[name] += 1
        return method(*args, **kwargs)

    return counted
