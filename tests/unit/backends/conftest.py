import pytest
from support.authority import new_authority


@pytest.fixture(scope="session")
def authority() -> str:
    return new_authority()
