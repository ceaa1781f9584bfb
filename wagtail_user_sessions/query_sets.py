"""The sessions of a table, chosen and ended."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Self, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connections, models, router, transaction
from django.db.models.deletion import Collector
from django.http import HttpRequest
from django.utils import timezone

from .digests import NO_KEY, auth_digests, hash_key
from .ends import Told, are_copied, are_heard, are_told, tell, together
from .followers import has_followers
from .returning import Deletion, Unreturnable, delete_unread
from .revocation import Reason, RevokedCount, because
from .writes import Write, retrying

if TYPE_CHECKING:
    from .backends.db import SessionStore
    from .models import AbstractSession


class SessionQuerySet(models.QuerySet["AbstractSession"]):
    def sessions(self) -> Self:
        """Without the row that is none; see ``barrier``."""
        return self.exclude(key_hash=NO_KEY)

    def active(self) -> Self:
        """Sessions that have not expired."""
        return self.filter(expire_date__gt=timezone.now())

    def expired(self) -> Self:
        return self.filter(expire_date__lte=timezone.now())

    def for_user(self, user: AbstractBaseUser) -> Self:
        """All sessions that the user is signed in to, expired ones included."""
        return self.filter(user=user)

    def authentic_for(self, user: AbstractBaseUser) -> Self:
        """Sessions of the user that no change of the password has ended."""
        rows = self.for_user(user)
        digests = auth_digests(user)
        if digests:
            return rows.filter(auth_digest__in=digests)
        return rows.filter(auth_digest=None)

    def for_key(self, session_key: str) -> Self:
        """The session with this key, as it stands in the cookie."""
        return self.filter(key_hash=hash_key(session_key))

    def for_request(self, request: HttpRequest) -> Self:
        """The session of the request, if it has one."""
        pk = cast("SessionStore", request.session).id
        return self.none() if pk is None else self.filter(pk=pk)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows as they are, under the keys that they have by now.

        A row may get a new key between its reading and its deletion, and a copy
        of it in the cache would then outlive it under that key.
        """
        if self._is_undeletable():
            # Django says what is wrong.
            return super().delete()
        rows = self.using(self._writes_to).order_by().select_related(None)
        try:
            deleted = rows._delete_at_once()
        except Unreturnable:
            deleted = rows._delete_by_collector()
        self._result_cache = None
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def update(self, **kwargs: Any) -> int:
        """As Django's, but for the user alone: ``user.session_set.clear()`` would
        take the sessions off every list, and leave them signed in.
        """
        if not kwargs.keys().isdisjoint({"user", "user_id"}) and (
            "session_data" not in kwargs
        ):
            raise TypeError(
                "The user of a session is who its data is signed in as. "
                "To sign a user out, delete or revoke the sessions."
            )
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(
        self, objs: Iterable[AbstractSession], *args: Any, **kwargs: Any
    ) -> list[AbstractSession]:
        rows = list(objs)
        for row in rows:
            row.complete()
        return super().bulk_create(rows, *args, **kwargs)

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _is_undeletable(self) -> bool:
        query = self.query
        is_combined = query.is_sliced or query.distinct_fields or query.combinator
        return bool(is_combined) or self._fields is not None  # type: ignore[attr-defined]

    def _delete_at_once(self) -> tuple[int, dict[str, int]]:
        """With one statement; raises ``Unreturnable`` where that can't be."""
        using, model = self.db, self.model
        if self._is_composed() or has_followers(model):
            raise Unreturnable
        if not are_told(model):
            count = delete_unread(self)
            Write(using)
            return _counted(model, count)
        is_heard = are_heard(model)
        names = () if is_heard else Told._fields
        statement = Deletion(self.prefetch_related(None), names)
        deleted: list[Any]
        with self._before_commit(is_heard=is_heard):
            if is_heard:
                deleted = statement.rows()
            else:
                deleted = [Told(*values) for values in statement.values()]
            if deleted:
                tell({model: deleted}, using=using, origin=self)
        return _counted(model, len(deleted))

    def _before_commit(self, *, is_heard: bool) -> AbstractContextManager[None]:
        """A transaction, if what is done in here has to come before its end: a
        cache is told of the rows before they are gone, and whole rows may turn out to
        be unreadable, so that nobody could be told.
        """
        is_told = is_heard or are_copied(self.model)
        if transaction.get_autocommit(self.db) and not is_told:
            return nullcontext()
        return transaction.atomic(using=self.db, savepoint=False)

    def _delete_by_collector(self) -> tuple[int, dict[str, int]]:
        """As Django does it, with all that listens to it or goes along."""
        using = self.db
        is_atomic = connections[using].in_atomic_block
        # What is raised in here must not break a transaction that is open.
        with nullcontext() if is_atomic else transaction.atomic(using=using):
            collector = Collector(using=using, origin=self)
            collector.collect(self._held())
            with together(using=using, origin=self):
                return collector.delete()

    def _held(self) -> Self:
        """The rows, whole, which nobody can change until the transaction ends."""
        rows = self
        if rows._is_composed():
            # A lock would cover what they are joined to, or isn't allowed. So
            # they are locked by their keys, and then chosen again.
            own = type(self)(self.model, using=self.db)
            rows = own.filter(pk__in=rows.values("pk"))
            if connections[self.db].features.has_select_for_update:
                held = [pk for (pk,) in rows.locked().values_list("pk")]
                rows = rows.filter(pk__in=held)
        return rows.locked().defer(None)

    def _is_composed(self) -> bool:
        """Whether a row of the result isn't simply a row of the table."""
        query = self.query
        # Joins that Django has found to be needless are counted as 0.
        tables = sum(map(bool, query.alias_refcount.values()))
        return tables > 1 or bool(query.distinct or query.annotations or query.extra)

    def locked(self) -> Self:
        """The rows, which nobody can change from their reading to the end of the
        transaction.
        """
        if not connections[self._writes_to].features.has_select_for_update:
            # Whoever writes to SQLite keeps all others from writing.
            self.update(version=models.F("version"))
        return self.select_for_update()

    @property
    def _writes_to(self) -> str:
        return self._db or router.db_for_write(self.model)  # type: ignore[attr-defined]

    def revoke(
        self,
        *,
        by: AbstractBaseUser | None = None,
        reason: Reason | str = Reason.REVOKED,
    ) -> RevokedCount:
        """End these sessions: the next request of each is refused.

        Returns how many were ended. ``by`` and ``reason`` go to the signal
        ``session_ended`` and to the log.
        """
        with because(reason, by=by) as ending:
            _, per_model = retrying(self._writes_to, self.delete)
        count = per_model.get(self.model._meta.label, 0)
        return RevokedCount(count, cache_failed=ending.cache_failed)

    revoke.queryset_only = True  # type: ignore[attr-defined]


def _counted(model: type[AbstractSession], count: int) -> tuple[int, dict[str, int]]:
    """As Django tells what was deleted."""
    return count, {model._meta.label: count} if count else {}


_Manager = models.Manager.from_queryset(SessionQuerySet)


class SessionManager(_Manager["AbstractSession"]):
    def get_queryset(self) -> SessionQuerySet:
        return cast(SessionQuerySet, super().get_queryset()).sessions()
