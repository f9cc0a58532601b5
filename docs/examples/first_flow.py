"""Count the words of a text: split it, tidy each word, and sum up when all words have been seen.

The job is kept in an SQLite file of the working folder, so it would go on after a crash.
"""

from collections import Counter
from collections.abc import Iterator

from routilux_core import Event, Flow, JobManager, Routine, at_end, routine, slot

STORE = "sqlite:///.routilux/jobs.db"
TEXT = """
The owl looked at the moon, and the moon looked at the owl.
"Who are you?" said the owl. The moon said nothing.
"""


@routine
def split(text: str) -> Iterator[dict[str, str]]:
    """Send each word of the text on its own."""
    for word in text.split():
        yield {"word": word}


@routine
def tidy(word: str) -> dict[str, str]:
    """Send the word in lower case, without punctuation."""
    return {"word": word.strip('.,;:!?"').lower()}


class Summary(Routine):
    """Counts words, once no more of them can come."""

    output = Event("total", "most_common")

    @slot(when=at_end)
    def trigger(self, word: list[str]) -> None:
        """Take all the words together and send their counts."""
        self.emit("output", total=len(word), most_common=Counter(word).most_common(3))


def build() -> Flow:
    """Make the flow: split, then tidy, then summary."""
    flow = Flow("word_count")
    flow.add_routine(split(), "split")
    flow.add_routine(tidy(), "tidy")
    flow.add_routine(Summary(), "summary")
    flow.connect("split.output", "tidy.trigger")
    flow.connect("tidy.output", "summary.trigger")
    return flow


def main() -> None:
    """Run the flow once and print what came out of it."""
    with JobManager(store=STORE) as manager:
        state = manager.execute(build(), "split", {"text": TEXT}, raise_on_error=True)
        kept = len(manager.jobs(flow_id=state.flow_id, status="completed"))
    [summary] = state.results["summary.output"]
    print(f"{state.flow_id}: {state.status}, {summary['total']} words")
    for word, times in summary["most_common"]:
        print(f"{times:>4}  {word}")
    print(f"Kept as job {state.job_id[:8]} in {STORE}, which has {kept} of this flow.")


if __name__ == "__main__":
    main()
