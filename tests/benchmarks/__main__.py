"""Print what each case costs. `python -m tests.benchmarks [--rounds N] [WORD ...]` picks cases by a word."""

from argparse import ArgumentParser

from tests.benchmarks.cases import cases
from tests.benchmarks.kept import server_cases, sqlite_cases
from tests.benchmarks.measure import ROUNDS, Case, measure

MICRO = 1e6


def main() -> None:
    parser = ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", help="measure only cases with one of these words in their name")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    print(f"{'median of ' + str(chosen.rounds) + ' rounds':<46}{'us':>9}{'base':>9}{'ratio':>7}", end="")
    print(f"{'best..worst':>14}{'goal':>6}{'aim':>6}")
    for case in cases():
        show(case, chosen.words, chosen.rounds)
    for made in (sqlite_cases, server_cases):
        with made() as others:
            for case in others:
                show(case, chosen.words, chosen.rounds)


def show(case: Case, words: list[str], rounds: int) -> None:
    if words and not any(word in case.name for word in words):
        return
    result = measure(case, rounds)
    middle = len(result.seconds) // 2
    own, base = sorted(result.seconds)[middle], sorted(result.against)[middle]
    spread = f"{result.ratios[0]:.2f}..{result.ratios[-1]:.2f}"
    print(f"{case.name:<46}{own * MICRO:>9.2f}{base * MICRO:>9.2f}{result.ratio:>7.2f}", end="")
    print(f"{spread:>14}{case.limit:>6}{case.aim or '-':>6}", flush=True)


if __name__ == "__main__":
    main()
