"""Many processes under load, while sessions end in every possible way.

``python -m benchmarks.load`` starts gunicorn with four workers and a cache of its
own. Browsers of users and of visitors request pages; meanwhile the run revokes
sessions, changes users, kills workers, and stops the cache, restarts it and restores
old snapshots of it. It counts ended sessions that were admitted, changes that were
lost, and attempts beyond a visitor's limit, and exits with 1 if there were any.
"""
