"""A store in memory that does not answer when a test says so."""

import threading

from routilux_core import StoreUnavailable
from routilux_plugins.stores.memory.store import Memory

WAY = ("claim", "claim_next", "commit", "delete", "history", "jobs", "load", "load_flow", "owners", "prune",
       "release", "renew", "request", "requests", "save_flow", "submit", "waiting_requests")  # fmt: skip


class Unreliable(Memory):
    """Answers while `there` is set; of the next `refused` calls of a method, none comes through."""

    def __init__(self, *shelf, **options):
        super().__init__(*shelf, **options)
        self.there = threading.Event()
        self.there.set()
        self.refused = dict.fromkeys(WAY, 0)
        self.unheard = dict.fromkeys(WAY, 0)
        """So many calls come through, and their answers do not."""
        self.late = dict.fromkeys(WAY, 0)
        """So many come through when the next one of their kind has, and nobody hears of it."""
        self._waiting = []

    def ask(self, name, method, *given, **named):
        if self.late[name]:
            self.late[name] -= 1
            self._waiting.append((name, method, given, named))
            raise StoreUnavailable("unreliable", f"no answer to {name}")
        if not self.there.is_set() or self.refused[name]:
            self.refused[name] = max(0, self.refused[name] - 1)
            raise StoreUnavailable("unreliable", f"no answer to {name}")
        found = method(*given, **named)
        for late in [one for one in self._waiting if one[0] == name]:
            self._waiting.remove(late)
            late[1](*late[2], **late[3])
        if self.unheard[name]:
            self.unheard[name] -= 1
            raise StoreUnavailable("unreliable", f"the answer to {name} is lost")
        return found


def _through(name):
    method = getattr(Memory, name)

    def call(self, *given, **named):
        return self.ask(name, method.__get__(self), *given, **named)

    return call


for _name in WAY:
    setattr(Unreliable, _name, _through(_name))
