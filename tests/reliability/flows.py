"""Random flows: loops, joins, batches, merges, generators, failures, pauses, deferred events, sub-flows."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from routilux_core import ErrorHandler, Flow, Routine, all_sources, at_end, batch, each, get_execution_context
from tests.reliability.dice import Dice

STRATEGIES = ("stop", "continue", "skip", "retry")
STYLES = ("plain", "plain", "plain", "generator")
DEEDS = ("pause", "defer", "shared", "modify", "log", "output", "stat", "state", "modify badly")


class Broken(Exception):
    """What failing handlers and functions raise."""


class World:
    """What user code of the flow calls, for tests that do something meanwhile."""

    def in_handler(self) -> None:
        """Be called in each handler."""

    def in_turn(self) -> None:
        """Be called in each merge function, key and function over shared data, while the job is at work."""


@frozen(kw_only=True)
class Shape:
    """How one routine behaves. A number decides at each call, so a second call does the same."""

    style: str = "plain"
    fans: int = 1
    also: bool = False
    """Whether it sends its second event too."""
    fails: int = 0
    """Every so manieth number fails; 0 for never."""
    fails_for: int = 1
    """How many attempts fail."""
    deed: str | None = None
    deed_at: int = 2
    """Every so manieth number does it."""
    merge: str = "override"
    when: str = "each"
    strategy: str | None = None
    optional: bool = False
    retry_delay: float = 1.0
    priority: int = 0
    concurrency: int | None = None
    timeout: float | None = None


def random_shape(dice: Dice, *, styles: tuple[str, ...] = STYLES) -> Shape:
    shape = Shape(style=dice.pick(styles), fans=dice.number(0, 3))
    if dice.chance(30):
        shape = evolve(shape, also=True)
    if dice.chance(30):
        shape = evolve(shape, fails=dice.number(1, 4), fails_for=dice.number(1, 4))
    if dice.chance(40):
        shape = evolve(shape, deed=dice.pick(DEEDS), deed_at=dice.number(1, 4))
    if dice.chance(35):
        shape = evolve(shape, merge=dice.pick(("append", "function", "failing")))
    if dice.chance(45):
        shape = evolve(shape, when=dice.pick(("batch", "timed batch", "all", "by key", "at end")))
    if dice.chance(75):
        retry_delay = dice.pick((0.0, 0.5, 4.0))
        shape = evolve(
            shape, strategy=dice.pick(STRATEGIES), optional=dice.chance(50), retry_delay=retry_delay
        )
    if dice.chance(15):
        shape = evolve(shape, priority=dice.number(-1, 1), concurrency=dice.pick((None, 1, 2)))
    if dice.chance(15):
        shape = evolve(shape, timeout=2.0)
    return shape


def last(value: Any, otherwise: int = 0) -> int:
    """Return the number in `value`, the last one of what merges and policies have gathered."""
    while not isinstance(value, int):
        if not isinstance(value, (list, tuple)) or not value:
            return otherwise
        value = value[-1]
    return value


class Node(Routine):
    """Does what its shape says, and sends on numbers with fewer hops to go."""

    def __init__(self, shape: Shape, world: World) -> None:
        super().__init__()
        self.shape = shape
        self.world = world
        handler = {"plain": self.plain, "generator": self.generator, "coroutine": self.coroutine}[shape.style]
        self.define_slot(
            "trigger",
            handler,
            merge_strategy=self._merge(),
            when=self._policy(),
            retry=self._retry(),
            priority=shape.priority,
            concurrency=shape.concurrency,
            timeout=shape.timeout,
        )
        self.define_slot("side", self.plain, retry=self._retry())
        self.define_event("output")
        self.define_event("second")

    def _retry(self) -> ErrorHandler | None:
        shape = self.shape
        if shape.strategy is None:
            return None
        return ErrorHandler(
            shape.strategy,
            max_retries=2,
            retry_delay=shape.retry_delay,
            jitter=False,
            is_optional=shape.optional,
        )

    def _merge(self) -> str | Callable[..., dict[str, Any]]:
        if self.shape.merge in {"override", "append"}:
            return self.shape.merge

        def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
            self.world.in_turn()
            if self.shape.merge == "failing" and last(new.get("n")) % 3 == 1:
                raise Broken("merge")
            return {**old, **new, "merged": last(old.get("merged")) + 1}

        return merge

    def _policy(self) -> Any:
        def key(payload: dict[str, Any]) -> int:
            self.world.in_turn()
            if last(payload.get("n")) % 5 == 4:
                raise Broken("key")
            return last(payload.get("n")) % 2

        return {
            "each": each,
            "batch": batch(3),
            "timed batch": batch(4, 3.0),
            "all": all_sources,
            "by key": all_sources(by=key),
            "at end": at_end,
        }[self.shape.when]

    # -- the handlers ----------------------------------------------------------------------------------

    def plain(self, **fields: Any) -> None:
        n, hops = self._begin(fields)
        for place in range(self._fans(hops)):
            self._send(fields, n, hops, place)

    async def coroutine(self, **fields: Any) -> None:
        n, hops = self._begin(fields)
        for place in range(self._fans(hops)):
            self._send(fields, n, hops, place)

    def generator(self, **fields: Any) -> Any:
        n, hops = self._begin(fields, fails=False)
        for place in range(self._fans(hops)):
            if place == 1:
                self._perhaps_fail(n)
            self._send(fields, n, hops, place)
            yield
        self.world.in_handler()

    def _fans(self, hops: int) -> int:
        return self.shape.fans if hops > 0 else 0

    def _send(self, fields: dict[str, Any], n: int, hops: int, place: int) -> None:
        more = {"blob": fields["blob"]} if "blob" in fields else {}
        self.emit("output", n=n * 2 + place, hops=hops - 1, **more)
        if self.shape.also and place == 0:
            self.emit("second", n=n * 3 + 1, hops=hops - 1)

    def _begin(self, fields: dict[str, Any], *, fails: bool = True) -> tuple[int, int]:
        self.world.in_handler()
        n, hops = last(fields.get("n", fields.get("m"))), last(fields.get("hops"))
        shape = self.shape
        if shape.deed is not None and n % shape.deed_at == 0:
            self._do(shape.deed, n, hops)
        if fails:
            self._perhaps_fail(n)
        return n, hops

    def _perhaps_fail(self, n: int) -> None:
        shape, context = self.shape, get_execution_context()
        if (
            shape.fails
            and n % shape.fails == 0
            and context is not None
            and context.attempt <= shape.fails_for
        ):
            raise Broken(f"number {n}, attempt {context.attempt}")

    def _do(self, deed: str, n: int, hops: int) -> None:
        context = get_execution_context()
        if context is None:
            return
        state, world = context.job_state, self.world

        def more(value: int) -> int:
            world.in_turn()
            if deed == "modify badly" and value % 3 == 2:
                raise Broken("modify")
            return value + 1

        def pause() -> None:
            if not any(point.checkpoint == n for point in state.pause_points):
                context.job.pause("asked for by a handler", n)

        def record() -> None:
            self.increment_stat("calls")
            self.set_stat("last", n)

        deeds: dict[str, Callable[[], object]] = {
            "pause": pause,
            "defer": lambda: self.emit_deferred_event("output", n=n + 1, hops=hops - 1),
            "shared": lambda: state.update_shared_data("last", n),
            "modify": lambda: state.modify_shared_data("count", more, 0),
            "modify badly": lambda: state.modify_shared_data("count", more, 0),
            "log": lambda: state.append_to_shared_log(n),
            "output": lambda: self.send_output("number", n=n),
            "stat": record,
            "state": lambda: state.update_routine_state(context.routine_id, {"seen": n}),
        }
        deeds[deed]()


def random_flow(dice: Dice, world: World, *, styles: tuple[str, ...] = STYLES) -> Flow:
    """Return a flow whose entry is `r0`; numbers have fewer hops at every step, so its jobs end."""
    flow = Flow("random", max_workers=dice.pick((None, None, 1, 2)))
    ids = [f"r{number}" for number in range(dice.number(1, 5))]
    for routine_id in ids:
        flow.add_routine(Node(random_shape(dice, styles=styles), world), routine_id)
    if dice.chance(25):
        inner = Flow("inner")
        for routine_id in ("a", "b"):
            inner.add_routine(Node(random_shape(dice, styles=styles), world), routine_id)
        inner.connect("a.output", "b.trigger")
        flow.add_routine(inner, "sub")
        ids += ["sub.a", "sub.b"]
    for source in ids:
        for event in ("output", "output", "second"):
            if dice.chance(70):
                renamed = dice.pick((None, None, None, {"n": "m"}, {"n": "hops"}))
                slot = dice.pick(("trigger", "trigger", "side"))
                flow.connect(source, event, dice.pick(ids), slot, renamed)
    if dice.chance(30):
        flow.set_error_handler(ErrorHandler(dice.pick(("continue", "skip"))))
    return flow
