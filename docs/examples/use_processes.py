"""Counts primes in worker processes. Run it with `python use_processes.py`."""

from collections.abc import Iterator

from routilux_core import Flow, routine


@routine
def ranges(start: int, end: int, width: int) -> Iterator[dict[str, int]]:
    """Cut the numbers from `start` to `end` into pieces."""
    for first in range(start, end, width):
        yield {"first": first, "last": first + width - 1}


@routine
def count_primes(first: int, last: int) -> dict[str, int]:
    """Count the primes of one piece."""
    return {"count": sum(is_prime(number) for number in range(first, last + 1))}


def is_prime(number: int) -> bool:
    """Tell whether a number is prime."""
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def main() -> None:
    """Count the primes below 20,000."""
    flow = Flow("primes", execution_strategy="process")
    flow.add_routine(ranges(), "ranges")
    flow.add_routine(count_primes(), "count")
    flow.connect("ranges.output", "count.trigger")
    state = flow.execute("ranges", {"start": 0, "end": 20_000, "width": 1_000})
    state.raise_for_status()
    print(sum(payload["count"] for payload in state.results["count.output"]), "primes")


if __name__ == "__main__":
    main()
