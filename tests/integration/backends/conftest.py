import pytest
from support.authority import new_authority


@pytest.fixture(scope="session")
def foreign_authority() -> str:
    """An authority that signed none of the services' certificates."""
    return new_authority()
