"""Which port of a task an exposure means: `port=`, else the one container port; never a guess between several."""

from __future__ import annotations

from typing import Any

import pytest

from expose.definitions import Definition, Port
from expose.mechanisms.ports import endpoint
from expose.model import Task
from expose.refusals import Refused, Status
from tests.unit.values import NAME, definition, exposure, task

WEB, ADMIN, PROXY = Port("web", 8080), Port("web", 9090), Port("proxy", 8443)
Bindings = tuple[tuple[str, int, int, str], ...]

BOUND = (("proxy", 8443, 32770, "tcp"), ("web", 8080, 32768, "tcp"), ("web", 9090, 32769, "tcp"))


def port(options: str, of: Definition, *, bindings: Bindings = (), required: bool = False) -> int:
    one: Task = task(1, bindings=bindings)
    return endpoint(exposure(f"{NAME} {options}"), one, of, required=required)


def refusal(options: str, of: Definition, **kwargs: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        port(options, of, **kwargs)
    assert refused.value.status is Status.BLOCKED
    assert refused.value.message.startswith(f"expose:dns = {f'{NAME} {options}'!r}: ")
    return refused.value


@pytest.mark.parametrize(
    ("options", "ports", "expected"),
    [
        ("", (WEB,), 8080),
        ("port=8080", (WEB,), 8080),
        ("container=web", (WEB,), 8080),
        ("port=9090", (WEB, ADMIN, PROXY), 9090),
        ("container=proxy", (WEB, ADMIN, PROXY), 8443),
        ("container=web port=9090", (WEB, ADMIN, PROXY), 9090),
        ("", (Port("web", 53, "tcp"), Port("web", 53, "udp")), 53),  # one port, whatever speaks on it
        ("port=8080", (), 8080),  # in awsvpc mode a task may listen without saying so
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_in_awsvpc_mode_the_container_port_is_the_task_s(
    options: str, ports: tuple[Port, ...], expected: int, required: bool
) -> None:
    assert port(options, definition(*ports), required=required) == expected


def test_no_container_port_is_none_unless_one_is_required() -> None:
    assert port("", definition()) == 0

    refused = refusal("", definition(), required=True)
    assert refused.code == "NoPort"
    assert "a container port is needed; task definition conejo has: none" in refused.message


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("options", ["", "container=web"])
def test_several_ports_and_none_named_is_an_error_that_lists_them(options: str, required: bool) -> None:
    refused = refusal(options, definition(WEB, ADMIN, PROXY), required=required)

    assert refused.code == "SeveralPorts"
    assert "(web:8080, web:9090, proxy:8443): say which with port= or container=" in refused.message


@pytest.mark.parametrize(
    ("options", "ports", "asked", "listed"),
    [
        ("port=80", (WEB, PROXY), "port=80", "web:8080, proxy:8443"),
        ("container=db", (WEB,), "container=db", "web:8080"),
        ("container=Web", (WEB,), "container=Web", "web:8080"),
        ("port=8080 container=proxy", (WEB, PROXY), "port=8080 container=proxy", "web:8080, proxy:8443"),
        ("container=web", (), "container=web", "none"),
    ],
)
def test_a_port_that_does_not_exist_is_refused_and_those_that_do_are_listed(
    options: str, ports: tuple[Port, ...], asked: str, listed: str
) -> None:
    refused = refusal(options, definition(*ports))

    assert refused.code == "NoPort"
    assert f"no container port fits {asked}; task definition conejo has: {listed}" in refused.message


@pytest.mark.parametrize(
    ("options", "expected"), [("port=8080", 32768), ("port=9090", 32769), ("container=proxy", 32770)]
)
def test_in_bridge_mode_the_port_is_the_host_s(options: str, expected: int) -> None:
    bridge = definition(WEB, ADMIN, PROXY, mode="bridge")

    assert port(options, bridge, bindings=BOUND) == expected


@pytest.mark.parametrize("of", [definition(WEB, mode="bridge"), definition(mode="bridge")])
def test_in_bridge_mode_a_port_that_is_not_bound_cannot_be_reached(of: Definition) -> None:
    refused = refusal("port=8080", of)

    assert refused.code == "PortNotBound"
    assert "container port 8080 is not bound to any port of the host" in refused.message


@pytest.mark.parametrize("bindings", [(), (("web", 8080, 8080, "tcp"),)])
def test_in_host_mode_the_container_port_is_the_host_s(bindings: Bindings) -> None:
    """F§1.2: the bindings may be there or not."""
    assert port("", definition(WEB, mode="host"), bindings=bindings) == 8080
    assert port("port=7070", definition(mode="host"), bindings=bindings) == 7070


def test_in_bridge_mode_the_same_number_in_two_containers_is_two_ports() -> None:
    both = definition(Port("web", 80), Port("admin", 80), mode="bridge")
    bindings = (("admin", 80, 32769, "tcp"), ("web", 80, 32768, "tcp"))
    assert port("container=web", both, bindings=bindings) == 32768
    assert port("container=admin port=80", both, bindings=bindings) == 32769

    for options in ("", "port=80"):
        assert refusal(options, both, bindings=bindings).code == "SeveralPorts"


RANGE = Port("web", 9000, "udp", last=9010)
BOTH_FAMILIES = (("web", 8080, 49154, "tcp", 6), ("web", 8080, 49153, "tcp", 4))


@pytest.mark.parametrize("bound", [BOTH_FAMILIES, BOTH_FAMILIES[::-1]])
def test_the_host_port_is_that_of_the_address_s_family(bound: Any) -> None:
    """F§1.2: Docker may bind a port in both families, to a different one of the host in each."""
    one, of = task(1, bindings=bound), definition(WEB, mode="bridge")

    found = {family: endpoint(exposure(NAME), one, of, required=True, family=family) for family in (4, 6)}

    assert found == {4: 49153, 6: 49154}


def test_where_only_one_family_is_told_its_port_has_to_do() -> None:
    one, of = task(1, bindings=BOTH_FAMILIES[1:]), definition(WEB, mode="bridge")

    assert endpoint(exposure(NAME), one, of, required=True, family=6) == 49153


@pytest.mark.parametrize("ports", [(RANGE,), (WEB, RANGE)])
@pytest.mark.parametrize(("number", "host"), [(9000, 49155), (9005, 49160), (9010, 49165)])
def test_a_port_within_a_range_is_one_that_can_be_named(
    ports: tuple[Port, ...], number: int, host: int
) -> None:
    bound: Any = (("web", 9000, 49155, "udp", 4, 11),)

    assert port(f"port={number}", definition(*ports), required=True) == number
    assert port(f"port={number}", definition(*ports, mode="bridge"), bindings=bound, required=True) == host


def test_a_port_beside_a_range_is_none_of_it() -> None:
    bound: Any = (("web", 9000, 49155, "udp", 4, 11),)
    for number in (8999, 9011):
        refused = refusal(f"port={number}", definition(RANGE, mode="bridge"), bindings=bound)
        assert refused.code == "NoPort"
        assert "task definition conejo has: web:9000-9010/udp" in refused.message


def test_a_range_is_never_meant_unless_a_port_of_it_is_named() -> None:
    assert port("", definition(WEB, RANGE), required=True) == 8080
    assert port("", definition(RANGE)) == 0

    refused = refusal("", definition(RANGE), required=True)
    assert "a container port is needed; task definition conejo has: web:9000-9010/udp" in refused.message
