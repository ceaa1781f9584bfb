import pytest
from django.contrib.sessions.backends.base import UpdateError

from tests.races.racers import barrier, racing

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.usefixtures("redis_cache"),
]

ROUNDS = 1000


def test_two_requests_that_change_two_keys_at_once_both_keep_their_change(store):
    together = barrier()

    def change(session_key, name, value):
        session = store(session_key)
        session.get(name)
        together.wait()
        session[name] = value
        session.save()

    session = store()
    session["untouched"] = "value"
    session.save()
    with racing(change, change) as racers:
        lost = 0
        for number in range(ROUNDS):
            for racer, name in zip(racers, ("one", "two"), strict=True):
                racer.start(session.session_key, name, number)
            for racer in racers:
                racer.finish()
            found = store(session.session_key)
            lost += [found.get("one"), found.get("two")].count(number) != 2
            assert found["untouched"] == "value"
    assert lost == 0


def test_two_users_data_never_mix_while_one_signs_in_beside_another(
    store, django_user_model
):
    """Two requests of one visitor sign in as two users at the same time."""
    users = [django_user_model.objects.create_user(name) for name in "ab"]
    together = barrier()

    def sign_in(session_key, user_id):
        session = store(session_key)
        session.get("anything")
        together.wait()
        session["_auth_user_id"] = str(user_id)
        session["_auth_user_hash"] = f"hash of {user_id}"
        session["secret"] = user_id
        try:
            session.save()
        except UpdateError:
            return False
        return True

    with racing(sign_in, sign_in) as racers:
        for _ in range(200):
            session = store()
            session["visited"] = True
            session.save()
            for racer, user in zip(racers, users, strict=True):
                racer.start(session.session_key, user.pk)
            outcomes = [racer.finish() for racer in racers]
            assert outcomes.count(True) == 1
            found = store(session.session_key)
            winner = users[outcomes.index(True)]
            assert found["secret"] == winner.pk
            assert found["_auth_user_id"] == str(winner.pk)
            assert found["_auth_user_hash"] == f"hash of {winner.pk}"
            assert store.get_model_class().objects.get(pk=found.id).user == winner
