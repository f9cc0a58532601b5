"""Feeding: outputs and history, as they come, to those who follow a job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from weakref import ref

from routilux_core.record import ExecutionRecord, as_record, as_records
from routilux_core.waiting import Waiting

if TYPE_CHECKING:
    from routilux_core.engine import Answer
    from routilux_core.fact import Fact
    from routilux_core.facts import OutputSent
    from routilux_core.feed import Feed
    from routilux_core.state import JobState

log = logging.getLogger("routilux")


class Feeding(Waiting):
    """A turn whose outputs and history can be followed."""

    __slots__ = ("job_state", "output_feeds", "record_feeds")

    job_state: JobState
    output_feeds: tuple[tuple[int, ref[Feed[dict[str, Any]]]], ...]
    record_feeds: tuple[tuple[int, ref[Feed[ExecutionRecord]]], ...]

    def subscribe_outputs(self, feed: Feed[dict[str, Any]], _: Answer) -> None:
        """Fill `feed` with the outputs so far, and with what follows."""
        feed.put(list(self.job_state.output_log))
        if self.settled:
            feed.close()
        else:
            self.output_feeds = (*_alive(self.output_feeds), (self.data.number, ref(feed)))

    def subscribe_records(self, feed: Feed[ExecutionRecord], _: Answer) -> None:
        """Fill `feed` with the history so far, and with what follows."""
        feed.put(list(as_records(self.job_state.facts)))
        if self.settled:
            feed.close()
            return
        self.record_feeds = (*_alive(self.record_feeds), (self.data.number, ref(feed)))
        if self.ledger.news is None:
            self.ledger.news = []

    def _feed(self, news: list[Fact]) -> None:
        for after, known in self.record_feeds:
            feed = known()
            if feed is not None:
                records = [as_record(fact) for fact in news if fact.number > after]
                feed.put([record for record in records if record is not None])

    def _output(self, fact: OutputSent) -> None:
        entry = fact.entry()
        for after, known in self.output_feeds:
            feed = known()
            if feed is not None and fact.number > after:
                feed.put((entry,))
        handler = self.job_state._output_handler
        if handler is not None:
            try:
                handler.handle(entry)
            except BaseException:
                log.exception("job %s: the output handler raised; the output log has it", self.data.job_id)

    def end_feeds(self) -> None:
        """Let all of them end."""
        feeds: tuple[tuple[int, ref[Feed[Any]]], ...] = (*self.output_feeds, *self.record_feeds)
        for _, known in feeds:
            feed = known()
            if feed is not None:
                feed.close()
        self.output_feeds = self.record_feeds = ()


def _alive(feeds: tuple[tuple[int, ref[Any]], ...]) -> tuple[tuple[int, ref[Any]], ...]:
    return tuple(entry for entry in feeds if entry[1]() is not None)
