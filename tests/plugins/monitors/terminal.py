"""A terminal: a program runs in it, and what it has written is replayed byte by byte."""

import fcntl
import os
import pty
import struct
import sys
import termios

import pyte


def record(*arguments, columns=80, rows=24):
    """Run a program of this interpreter in a terminal; return all that it has written."""
    process, terminal = pty.fork()
    if not process:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        sizes = {"COLUMNS", "LINES"}  # of the terminal that the tests run in
        kept = {name: value for name, value in os.environ.items() if name not in sizes}
        os.execve(sys.executable, [sys.executable, *arguments], {**kept, "TERM": "xterm-256color"})  # noqa: S606 - this interpreter
    written = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the program has ended
            piece = b""
        if not piece:
            break
        written += piece
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert status == 0, written.decode()
    return written


class Replay:
    """What a terminal showed, after each byte."""

    def __init__(self, written, columns=80, rows=24):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.written = written

    def steps(self):
        """Show one byte after the other."""
        for number in range(len(self.written)):
            self.stream.feed(self.written[number : number + 1])
            yield

    def lines(self):
        """The lines that are not empty."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def filled(self):
        """The numbers of the lines with something on them."""
        return {
            number
            for number in range(self.screen.lines)
            if any(cell.data != " " for cell in self.screen.buffer[number].values())
        }

    @property
    def scrolled(self):
        """How many lines have left the screen at its top."""
        return len(self.screen.history.top)
