"""A cache in memory that fails, forgets and goes back to what it was."""

FAULTS = {
    "gone": "all calls raise an error",
    "full": "calls that write raise an error",
    "in denial": "all calls are ignored, and none tells of it",
    "read-only": "calls that write are ignored, and none tells of it",
    "cut off": "reads are answered as it was when that began",
}


class FaultyCache:
    """The calls that the package makes; no entry ends by its time-out.

    ``fault`` is one of ``FAULTS``, or ``None``.
    """

    def __init__(self):
        self.fault = None
        self.entries = {}
        self.snapshot = {}
        # Names of the entries that set_many() has written, and not only seemed to.
        self.written = set()

    def begin(self, fault):
        self.fault = fault
        self.take_snapshot()

    def take_snapshot(self):
        self.snapshot = dict(self.entries)

    def restore(self):
        self.entries = dict(self.snapshot)

    def drop(self, kind):
        """Evict the copies or the tags."""
        for name in list(self.entries):
            if f".{kind}." in name:
                del self.entries[name]

    def get_many(self, keys):
        if self._is_ignored(is_write=False):
            return {}
        entries = self.snapshot if self.fault == "cut off" else self.entries
        return {key: entries[key] for key in keys if key in entries}

    def add(self, key, value, timeout):
        if self._is_ignored(is_write=True) or key in self.entries:
            return False
        self.entries[key] = value
        return True

    def set(self, key, value, timeout):
        if not self._is_ignored(is_write=True):
            self.entries[key] = value

    def set_many(self, data, timeout):
        if not self._is_ignored(is_write=True):
            self.entries.update(data)
            self.written.update(data)
        return []

    def delete_many(self, keys):
        if not self._is_ignored(is_write=True):
            for key in keys:
                self.entries.pop(key, None)

    def _is_ignored(self, *, is_write):
        """Return whether the call does nothing; raise an error if it is to fail."""
        if self.fault == "gone" or (self.fault == "full" and is_write):
            raise ConnectionError(FAULTS[self.fault])
        return self.fault == "in denial" or (self.fault == "read-only" and is_write)
