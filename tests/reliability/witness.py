"""A routine that writes into a file that it was there, which nothing takes back."""

import os

from routilux_core import Flow, Routine, slot


class Witnessed(Routine):
    """Adds a line, whoever else does."""

    @slot
    def trigger(self, path, name):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{name} {os.getpid()}\n".encode())
        os.close(descriptor)


def witnessed():
    flow = Flow("witnessed")
    flow.add_routine(Witnessed(), "witness")
    return flow
