"""Count the words of a text: split it, tidy each word, and sum up when all words have been seen."""

from collections import Counter
from collections.abc import Iterator

from routilux_core import Event, Flow, Routine, at_end, routine, slot

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
    state = build().execute("split", {"text": TEXT})
    state.raise_for_status()
    [summary] = state.results["summary.output"]
    print(f"{state.flow_id}: {state.status}, {summary['total']} words")
    for word, times in summary["most_common"]:
        print(f"{times:>4}  {word}")


if __name__ == "__main__":
    main()
