"""What several tests of reliability have in common."""

import pytest


@pytest.fixture
def url(kind, tmp_path, request):
    """The URL of a place in a store of that kind that nobody has used."""
    if kind in {"postgresql", "redis"}:
        return request.getfixturevalue(f"{kind.removesuffix('ql')}_url")
    return f"{kind}:///{tmp_path / 'jobs'}"
