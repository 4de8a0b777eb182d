"""The `ip` mechanism: from a tag and the tasks to a list of addresses, and one entry in it for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from expose.audit.findings import Declared
from expose.mechanisms import MECHANISMS, Surroundings, ip
from expose.model import Opening, Resource, Service
from expose.policy import Detail, Limits
from expose.refusals import Invalid, NotYet, Partly, Refused
from tests.unit.values import ARN, NOW, Port, definition, exposure, service, task

IP = MECHANISMS["ip"]
AROUND = Surroundings(Limits(), mark="corral/granja/conejo/expose:ip")
TASKS = service(task(1), task(2))
NAME = "/expose/corral/granja/conejo"
NO_ADDRESS = {"public_ipv4": "", "ipv6": ""}
YOUNG = {"started_at": NOW - 29}


def desired(value: str = "8080", of: Service = TASKS, tag: str = "expose:ip") -> Sequence[Resource]:
    return IP.desired(exposure(value, tag), of, AROUND)


def entries(*args: Any) -> list[Mapping[str, Any]]:
    return [each.spec for each in desired(*args)[1:]]


def refusal(value: str = "8080", of: Service = TASKS, tag: str = "expose:ip") -> Refused:
    with pytest.raises(Refused) as refused:
        desired(value, of, tag)
    assert refused.value.message.startswith(f"{tag} = {value!r}: ")
    return refused.value


def world(port: int, last: int = 0, *, protocol: str = "tcp", family: int = 4) -> Opening:
    return Opening(family, protocol, port, last or port, True, ("0.0.0.0/0",), ("sg-0a1b",))


def test_a_list_and_an_entry_for_each_task() -> None:
    list_, first, second = desired()

    assert str(list_.identity) == f"ssm.list/{NAME}"
    assert first.spec == {
        "task": task(1).id,
        "ipv4": "203.0.0.1",
        "ipv6": "2001:db8::1",
        "ports": {"8080": 8080},
    }
    assert first.refs == second.refs == {"list": list_.identity}
    assert (first.task, first.address) == (task(1).id, "203.0.0.1 2001:db8::1")
    assert first.identity != second.identity


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("8080", "8080"),
        ("8080+8443", "8080+8443"),
        ("8443+8080+8443", "8443+8080"),
        ("8080/tcp", "8080"),
        ("8080+53/UDP", "8080+53/udp"),
        ("53+53/udp", "53+53/udp"),
        ("08080", "8080"),
    ],
)
def test_ports_are_read_in_any_writing(value: str, target: str) -> None:
    assert exposure(value, "expose:ip").target == target


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("web", "expected a whole number from 1 to 65535, such as 8080 or 8080+53/udp, got 'web'"),
        ("0", "whole number from 1 to 65535"),
        ("65536", "whole number from 1 to 65535"),
        ("8080+", "got ''"),
        ("8080-8090", "got '8080-8090'"),
        ("8080/sctp", "expected ports such as 8080 or 8080+53/udp, got '8080/sctp'"),
        ("8080/", "expected ports such as"),
        ("٨٠٨٠", "whole number"),
        ("8080 guard=on", "guard=on: expected one of enforce, report"),
        ("8080 port=8080", "unknown option 'port', expected one of container, guard"),
        ("8080 8443", "expected option=value, got '8443'"),
        ("", "the target is missing"),
    ],
)
def test_what_is_no_port_is_refused_with_an_example(value: str, problem: str) -> None:
    with pytest.raises(Invalid) as refused:
        exposure(value, "expose:ip")

    assert problem in refused.value.message
    assert "for example expose:ip = 8080+8443 guard=enforce" in refused.value.message


def test_the_label_is_part_of_the_parameter_s_name_and_must_fit_into_it() -> None:
    (list_, *_) = desired(tag="expose:ip:admin_2-b")
    assert list_.identity.key == f"{NAME}/admin_2-b"

    for label in ("a.2", "a b", "a/b", "ñ", "a@b"):
        refused = refusal(tag=f"expose:ip:{label}")
        assert refused.code == "UnfitLabel"
        assert "expected a label of letters, digits, _ and -" in refused.message


def test_an_entry_has_the_families_that_the_task_has() -> None:
    (only_4,) = entries("8080", service(task(1, ipv6="")))
    (only_6,) = entries("8080", service(task(1, public_ipv4="")))
    (private_6,) = entries("8080", service(task(1, ipv6="fd00::1")))

    assert set(only_4) == set(private_6) == {"task", "ipv4", "ports"}
    assert set(only_6) == {"task", "ipv6", "ports"}


@pytest.mark.parametrize(
    ("mode", "advice"),
    [
        (
            "awsvpc",
            "on Fargate set assignPublicIp=ENABLED in a public subnet and deploy; awsvpc tasks on EC2",
        ),
        ("bridge", "the container instances have none: run them in public subnets"),
        ("host", "the container instances have none: run them in public subnets"),
    ],
)
def test_tasks_without_a_public_address_are_waited_for_while_young_and_refused_when_not(
    mode: str, advice: str
) -> None:
    of = definition(Port("web", 8080), mode=mode)
    with pytest.raises(NotYet):
        desired("8080", service(task(1, **NO_ADDRESS, **YOUNG), of=of))
    refused = refusal("8080", service(task(1, **NO_ADDRESS), of=of))

    assert refused.code == "NoPublicAddress"
    assert advice in refused.message


def test_a_task_without_an_address_does_not_take_the_others_with_it() -> None:
    assert [each["task"] for each in entries("8080", service(task(1), task(2, **NO_ADDRESS)))] == [task(1).id]


def test_a_port_that_no_container_has_is_refused_with_those_that_there_are() -> None:
    of = definition(Port("web", 8080), Port("dns", 53, "udp"))
    for value, named in [("8081", "8081"), ("53", "53"), ("8080/udp", "8080/udp"), ("8080+9090", "9090")]:
        refused = refusal(value, service(task(1), of=of))
        assert refused.code == "NoPort"
        assert (
            f"no container port fits {named}; task definition conejo has: web:8080, dns:53/udp"
            in refused.message
        )

    assert "8080 container=dns" in refusal("8080 container=dns", service(task(1), of=of)).message


def test_a_task_definition_without_port_mappings_may_listen_anywhere_in_awsvpc_mode() -> None:
    (entry,) = entries("7000+53/udp", service(task(1), of=definition()))

    assert entry["ports"] == {"7000": 7000, "53/udp": 53}


def test_in_bridge_mode_the_port_to_dial_is_the_host_s_for_each_protocol() -> None:
    of = definition(Port("web", 8080), Port("dns", 53), Port("dns", 53, "udp"), mode="bridge")
    bound = (("dns", 53, 32770, "tcp"), ("dns", 53, 32771, "udp"), ("web", 8080, 32768, "tcp"))
    (entry,) = entries("8080+53+53/udp", service(task(1, bindings=bound), of=of))

    assert entry["ports"] == {"8080": 32768, "53": 32770, "53/udp": 32771}
    assert refusal("8080", service(task(1), of=of)).code == "PortNotBound"


def test_in_bridge_mode_two_containers_may_have_the_same_port_and_the_tag_says_which() -> None:
    of = definition(Port("a", 80), Port("b", 80), mode="bridge")
    two = service(task(1, bindings=(("a", 80, 1000, "tcp"), ("b", 80, 2000, "tcp"))), of=of)

    assert refusal("80", two).message.endswith("say which with container=")
    assert entries("80 container=b", two)[0]["ports"] == {"80": 2000}


def test_no_task_is_no_error() -> None:
    assert [str(each.identity) for each in desired("8080", service())] == [f"ssm.list/{NAME}"]


def test_only_the_guard_asks_what_the_internet_reaches() -> None:
    for value, wanted in [
        ("8080", Detail.PUBLIC),
        ("8080 guard=report", Detail.PUBLIC),
        ("8080 guard=enforce", Detail.OPEN),
    ]:
        assert IP.detail(exposure(value, "expose:ip"), AROUND) is wanted


def guarded(*openings: Opening, **more: Any) -> Service:
    """The first of two tasks has these openings, the second one only the port that is declared."""
    return service(task(1, openings=openings), task(2, openings=(world(8080),)), **more)


@pytest.mark.parametrize(
    "beside",
    [
        world(22),
        world(8080, 8081),
        world(0, 65535),
        world(8080, protocol="udp"),
        world(0, 65535, protocol="-1"),
        world(22, family=6),
    ],
    ids=str,
)
def test_the_guard_holds_back_whom_the_whole_internet_reaches_beside_the_declared_ports(
    beside: Opening,
) -> None:
    with pytest.raises(Partly) as held:
        desired("8080 guard=enforce", guarded(world(8080), beside))

    assert [each.task for each in held.value.desired] == ["", task(2).id]
    assert held.value.code == "WorldOpen"
    assert "1 of 2 tasks are not published" in held.value.message
    assert "(sg-0a1b)" in held.value.message


@pytest.mark.parametrize(
    "beside",
    [
        world(8080),
        world(0, 65535, protocol="icmp"),
        Opening(4, "tcp", 22, 22, False, ("198.51.100.0/24",), ("sg-0a1b",)),
    ],
    ids=str,
)
def test_the_guard_lets_declared_ports_pings_and_ranges_be(beside: Opening) -> None:
    assert len(desired("8080 guard=enforce", guarded(world(8080), beside))) == 3
    assert len(desired("8080", guarded(world(8080), world(22)))) == 3


def test_what_another_ip_tag_of_the_service_declares_is_declared() -> None:
    tags = {"expose:ip": "8080 guard=enforce", "expose:ip:ssh": "22", "expose:ip:x": "?", "expose:dns": "80"}
    of = definition(Port("web", 8080), Port("web", 22))

    assert len(desired("8080 guard=enforce", guarded(world(22), of=of, tags=tags))) == 3
    assert ip.declared(guarded(of=of, tags=tags), task(1), prefix="expose") == (
        Declared("tcp", 22, 22),
        Declared("tcp", 8080, 8080),
    )


def test_what_is_declared_in_bridge_mode_is_open_at_the_host_s_port() -> None:
    of = definition(Port("web", 8080), mode="bridge")
    bound = task(1, bindings=(("web", 8080, 32768, "tcp"),), openings=(world(32768),))
    tags = {"expose:ip": "8080 guard=enforce"}

    assert len(desired("8080 guard=enforce", service(bound, of=of, tags=tags))) == 2


def test_the_guard_publishes_nobody_of_whom_it_does_not_know_what_is_open() -> None:
    unknown = task(2, openings=None)

    assert refusal("8080 guard=enforce", service(unknown)).code == "NotAudited"
    with pytest.raises(NotYet):
        desired("8080 guard=enforce", service(task(2, openings=None, **YOUNG)))
    with pytest.raises(Partly) as held:
        desired("8080 guard=enforce", service(task(1, openings=(world(22),)), unknown))
    assert [each.task for each in held.value.desired] == [""]


def test_the_service_is_that_of_the_tag() -> None:
    assert exposure("8080", "expose:ip").service == ARN


def test_an_address_that_answers_at_other_ports_than_the_entry_says_is_left_out() -> None:
    """Each family may be bound to a port of its own; the entry says IPv4's."""
    of = definition(Port("web", 8080), mode="bridge")
    apart = (("web", 8080, 49154, "tcp", 6), ("web", 8080, 49153, "tcp", 4))
    alike = (("web", 8080, 49153, "tcp", 6), ("web", 8080, 49153, "tcp", 4))
    world_wide = {"ipv6": "2001:db8::1"}

    (one,) = entries("8080", service(task(1, bindings=apart, **world_wide), of=of))
    assert ("ipv6" in one, one["ports"]) == (False, {"8080": 49153})
    (one,) = entries("8080", service(task(1, bindings=alike, **world_wide), of=of))
    assert ("ipv6" in one, one["ports"]) == (True, {"8080": 49153})
    (one,) = entries("8080", service(task(1, bindings=apart, public_ipv4="", **world_wide), of=of))
    assert ("ipv6" in one, one["ports"]) == (True, {"8080": 49154})
