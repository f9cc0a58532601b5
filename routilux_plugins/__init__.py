"""The plugins that Routilux brings along; each is found like anyone else's."""
