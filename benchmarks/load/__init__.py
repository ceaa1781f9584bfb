"""Many processes under load, while all that can end a session ends sessions.

``python -m benchmarks.load`` starts gunicorn with four workers and a cache of its
own, lets signed-in browsers ask for pages, and meanwhile revokes sessions, changes
users, kills workers, and restarts and silences the cache. It counts what must never
be, and exits with 1 if it was.
"""
