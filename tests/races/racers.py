"""Processes that race on one session."""

import multiprocessing
import traceback
from contextlib import contextmanager

from django.db import connections

CONTEXT = multiprocessing.get_context("fork")
TIMEOUT = 30


class Racer:
    """A process that runs one function, round after round."""

    def __init__(self, function):
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(
            target=self._work, args=(function, theirs), daemon=True
        )
        self.process.start()
        theirs.close()

    @staticmethod
    def _work(function, pipe):
        while (arguments := pipe.recv()) is not None:
            try:
                pipe.send((True, function(*arguments)))
            except Exception:
                pipe.send((False, traceback.format_exc()))
        connections.close_all()

    def start(self, *arguments):
        self.pipe.send(arguments)

    def finish(self):
        assert self.pipe.poll(TIMEOUT), "a racer hangs"
        is_done, result = self.pipe.recv()
        if not is_done:
            raise AssertionError(f"a racer failed:\n{result}")
        return result

    def run(self, *arguments):
        self.start(*arguments)
        return self.finish()


@contextmanager
def racing(*functions):
    """Start a racer for each function; none inherits the parent's connections."""
    connections.close_all()
    racers = [Racer(function) for function in functions]
    try:
        yield racers
    finally:
        for racer in racers:
            racer.pipe.send(None)
            racer.process.join(TIMEOUT)
            racer.process.kill()
            racer.pipe.close()


def barrier(parties=2):
    return CONTEXT.Barrier(parties, timeout=TIMEOUT)
