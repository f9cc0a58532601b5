"""Let payloads hold objects of a class that the core does not know."""

from routilux_core import JobManager, hookimpl


class Money:
    """An amount in a currency."""

    def __init__(self, cents: int, currency: str) -> None:
        self.cents, self.currency = cents, currency


class Teach:
    """The plugin."""

    @hookimpl
    def extend_converter(self, converter):
        converter.teach(
            Money,
            "shop.money",
            encode=lambda money: [money.cents, money.currency],
            decode=lambda parts: Money(*parts),
        )


with JobManager(plugins=[Teach()]) as manager:
    plain = manager.converter.encode({"price": Money(995, "EUR")})
    print(plain)
    assert manager.converter.decode(plain)["price"].cents == 995
