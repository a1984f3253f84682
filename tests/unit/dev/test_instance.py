import json
import socket
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_dev.errors import AllocationError, BadNameError
from vivero_dev.instance import (
    MAX_INSTANCES,
    PREFERRED_PORTS,
    Addresses,
    choose_ports,
    forget_instance,
    list_instances,
    load_instance,
    open_instance,
    port_is_free,
    validated_name,
)


def ranges(index: int) -> list[IPv4Network]:
    addresses = Addresses(index)
    return [addresses.veth, addresses.pods, addresses.services]


def test_no_two_instances_share_an_address() -> None:
    blocks = [block for index in range(MAX_INSTANCES) for block in ranges(index)]
    assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))


def test_both_ends_of_the_veth_pair_are_in_its_network() -> None:
    addresses = Addresses(3)
    assert addresses.host.ip in addresses.veth
    assert addresses.node.ip in addresses.veth
    assert addresses.host.ip != addresses.node.ip
    assert addresses.dns in addresses.services


@pytest.mark.parametrize("index", [-1, MAX_INSTANCES])
def test_an_index_outside_the_blocks_is_refused(index: int) -> None:
    with pytest.raises(AllocationError):
        Addresses(index)


@pytest.mark.parametrize("name", ["", "a", "A1", "1a", "a-", "-a", "a_b", "a/b", "..", "a" * 25, "a\n", "ä1"])
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(BadNameError):
        validated_name(name)


def test_an_instance_is_the_same_when_opened_again() -> None:
    first = open_instance("one")
    assert open_instance("one") == first
    assert load_instance("one") == first


def test_an_instance_of_an_older_version_gets_ports_for_services_that_are_new() -> None:
    first, other = open_instance("one"), open_instance("two")
    file = first.state_dir / "instance.json"
    older = {name: port for name, port in first.ports.items() if name != "payments"}
    file.write_text(json.dumps({"index": first.index, "ports": older}))
    completed = open_instance("one")
    assert completed.ports.keys() == PREFERRED_PORTS.keys()
    assert {name: completed.ports[name] for name in older} == older
    assert not set(completed.ports.values()) & set(other.ports.values())
    assert load_instance("one") == completed


def test_two_instances_share_no_port_and_no_index() -> None:
    one, two = open_instance("one"), open_instance("two")
    assert not set(one.ports.values()) & set(two.ports.values())
    assert one.index != two.index
    assert [found.name for found in list_instances()] == ["one", "two"]


def test_a_forgotten_instance_gives_its_ports_back() -> None:
    one = open_instance("one")
    forget_instance(one)
    assert load_instance("one") is None
    assert open_instance("two").index == one.index


def test_names_of_an_instance_follow_from_its_own() -> None:
    instance = open_instance("one")
    assert instance.netns == "vivero-one"
    assert instance.netns_path == Path("/var/run/netns/vivero-one")
    assert instance.cgroup == "vivero-one"
    assert max(len(instance.veth_host), len(instance.veth_node)) <= 15
    assert instance.tenant_url("acme") == f"https://acme.vivero.localhost:{instance.ports['https']}"


def test_secrets_are_in_a_folder_of_their_owner() -> None:
    assert open_instance("one").secrets_dir.stat().st_mode & 0o077 == 0


@given(taken=st.sets(st.sampled_from(sorted(PREFERRED_PORTS.values()))), busy=st.sets(st.integers(20000, 20010)))
def test_chosen_ports_are_distinct_free_and_preferred_where_possible(taken: set[int], busy: set[int]) -> None:
    chosen = choose_ports(PREFERRED_PORTS, taken, lambda port: port not in busy)
    assert len(set(chosen.values())) == len(PREFERRED_PORTS)
    assert not set(chosen.values()) & (taken | busy)
    for name, wish in PREFERRED_PORTS.items():
        assert chosen[name] == wish or wish in taken


def test_no_port_left_names_what_it_was_for() -> None:
    with pytest.raises(AllocationError, match="mariadb"):
        choose_ports({"mariadb": 3306}, {3306}, lambda _: False)


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not port_is_free(listener.getsockname()[1])
