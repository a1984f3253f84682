"""What the watches, the rounds and their tests share: an API server that can be watched, who hears of news, what is known."""

import pytest
from reconcile.watched import WatchedKube
from unit.operator.listening import Heard
from vivero_operator.reconcile.cluster import Cluster


@pytest.fixture
def kube() -> WatchedKube:
    return WatchedKube()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()
