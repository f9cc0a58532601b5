"""A routine in many shapes that any process can import; payload and attempt alone decide what it does."""

from routilux_core import ErrorHandler, Event, Routine, get_execution_context

STYLES = ("plain", "plain", "coroutine", "generator", "async_generator")
SMALL = {"max_retries": 3, "retry_delay": 0.005, "jitter": False, "is_optional": True}


class Weathered(Routine):
    """Sends numbers on, with fewer hops to go, until there are none."""

    output = Event("n", "hops")

    def __init__(
        self,
        style,
        fans,
        deed="",
        fails=0,
        attempts=1,
        strategy="continue",
        timeout=None,
        concurrency=None,
        priority=0,
    ):
        super().__init__(
            style=style, fans=fans, deed=deed, fails=fails, attempts=attempts, strategy=strategy,
            timeout=timeout, concurrency=concurrency, priority=priority,
        )  # fmt: skip
        self.fans, self.deed, self.fails, self.attempts = fans, deed, fails, attempts
        self.define_slot(
            "trigger",
            getattr(self, style),
            timeout=timeout,
            concurrency=concurrency,
            priority=priority,
            retry=ErrorHandler(strategy, **SMALL),
        )

    def plain(self, n, hops):
        for payload in self.payloads(n, hops):
            self.emit("output", **payload)

    async def coroutine(self, n, hops):
        self.plain(n, hops)

    def generator(self, n, hops):
        for payload in self.payloads(n, hops):
            self.emit("output", **payload)
            yield

    async def async_generator(self, n, hops):
        for payload in self.payloads(n, hops):
            self.emit("output", **payload)
            yield

    def payloads(self, n, hops):
        if hops < 0:
            return []
        context = get_execution_context()
        self.do(context, n)
        if self.fails and n % self.fails == 0 and context.attempt <= self.attempts:
            raise ValueError(n)
        return [{"n": n * 2 + place, "hops": hops - 1} for place in range(self.fans)]

    def do(self, context, n):
        state = context.job_state
        if self.deed == "count":
            state.modify_shared_data("count", one_more, 0)
        elif self.deed == "record":
            self.increment_stat("calls")
        elif self.deed == "log":
            state.append_to_shared_log(n)
        elif self.deed == "tell" and context.attempt > self.attempts:
            self.send_output("number", n=n)
        elif self.deed == "pause" and n % 7 == 0 and not state.get_shared_data(f"paused at {n}"):
            state.update_shared_data(f"paused at {n}", value=True)
            context.flow.pause(state)


def one_more(count):
    return count + 1
