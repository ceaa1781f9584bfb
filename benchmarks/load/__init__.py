"""Many processes under load, while sessions end in every possible way.

``python -m benchmarks.load`` starts gunicorn with four workers and a cache of its
own. Signed-in browsers request pages; meanwhile the run revokes sessions, changes
users, kills workers, and restarts and stops the cache. It counts ended sessions that
were admitted and changes that were lost, and exits with 1 if there were any.
"""
