"""The `lb` mechanism: from a tag and the tasks to a claim, a target group, what forwards to it, and a target for each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from expose.definitions import Port
from expose.mechanisms import MECHANISMS
from expose.model import Identity, Owned, Resource, Service
from expose.plan import plan, recorded
from expose.policy import Detail, Limits, Replacing
from expose.refusals import NotYet, Refused
from tests.unit.values import NOW, around, balancer, definition, exposure, service, site, task

LB = MECHANISMS["lb"]
TAG = "expose:lb"
TASKS = service(task(1), task(2), subnets=("subnet-1",))
BRIDGE = service(
    task(1, bindings=(("web", 8080, 32768, "tcp"),)), of=definition(Port("web", 8080), mode="bridge")
)
ALB, NLB = balancer(), balancer("granja-nlb", "network")
LIMITS = Limits(create_load_balancers="any")


def desired(
    value: str = "granja-alb", answer: Any = ALB, of: Service = TASKS, **certificates: str
) -> Sequence[Resource]:
    asked = exposure(value, TAG)
    return LB.desired(asked, of, around(asked, of, answer, LIMITS, **certificates))


def named(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [each for each in resources if each.identity.kind == kind]


def target_group(*args: Any, **more: Any) -> Resource:
    (found,) = named(desired(*args, **more), "elb.group")
    return found


def specs(resources: Sequence[Resource]) -> list[Mapping[str, Any]]:
    return [each.spec for each in named(resources, "elb.target")]


def refusal(resources: Any, value: str, code: str, **more: Any) -> str:
    with pytest.raises(Refused) as refused:
        resources(value, **more)
    assert refused.value.code == code
    assert refused.value.message.startswith(f"{TAG} = {value!r}: ")
    return refused.value.message


def test_a_tag_is_a_claim_a_group_what_forwards_to_it_and_a_target_for_each_task() -> None:
    claim, its_group, rule, *targets = desired("granja-alb host=a.com")

    assert [each.identity.kind for each in (claim, its_group, rule)] == ["claim", "elb.group", "elb.rule"]
    assert rule.refs == {"claim": claim.identity, "listener": "arn:listener/80", "group": its_group.identity}
    assert rule.spec["group"] == its_group.identity.key
    assert [each.task for each in targets] == [each.id for each in TASKS.tasks]
    assert all(each.refs == {"group": its_group.identity} for each in targets)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("granja-alb", ALB),
        ("granja-nlb:80", NLB),
        ("internal:443 host=a.com", site()),
        ("internet-facing:80 protocol=UDP", site()),
    ],
)
def test_every_resource_comes_after_those_that_it_refers_to_and_the_claim_comes_first(
    value: str, answer: Any
) -> None:
    resources = desired(value, answer, a="arn:a")
    assert resources[0].identity.kind == "claim"
    seen: set[Identity] = set()
    for each in resources:
        assert set(each.parents) <= seen
        seen.add(each.identity)
    assert len(seen) == len(resources)


@pytest.mark.parametrize(
    ("value", "answer"), [("granja-alb", ALB), ("granja-nlb:80", NLB), ("internal:443 host=a.com", site())]
)
def test_planning_again_after_applying_is_empty(value: str, answer: Any) -> None:
    resources = desired(value, answer, a="arn:a")
    owned = {
        each.identity: Owned(each.identity, each.fingerprint, "aws", each.refs, each.task, shared=each.shared)
        for each in resources
    }

    assert not plan(desired(value, answer, a="arn:a"), recorded(owned.values()), owned)
    assert plan([], recorded(owned.values()), owned)


# the claim


@pytest.mark.parametrize(("options", "together"), [("", False), (" weight=1", True), (" weight=0", True)])
def test_who_says_a_weight_shares_and_who_says_none_does_not(options: str, *, together: bool) -> None:
    claim = desired(f"granja-alb host=a.com{options}")[0]

    assert claim.spec == {"together": together, "said": "host=a.com on granja-alb:80"}


def test_a_weight_is_what_the_rule_or_the_listener_says_and_1_where_none_is() -> None:
    for value, answer in [("granja-alb", ALB), ("granja-nlb:80", NLB)]:
        for options, weight in [("", 1), (" weight=0", 0), (" weight=90", 90)]:
            assert desired(f"{value}{options}", answer)[2].spec["weight"] == weight


# the target group


def test_a_group_says_how_its_targets_are_checked() -> None:
    usual = target_group().spec
    said = target_group("granja-alb health=/up interval=5 healthy=3 matcher=200-299+301 drain=7").spec

    assert usual == {
        "protocol": "HTTP", "type": "ip", "check": "HTTP", "path": "/", "matcher": "200", "interval": 10,
        "timeout": 5, "healthy": 2, "drain": 30,
    }  # fmt: skip
    assert said == {**usual,
        "path": "/up", "interval": 5, "timeout": 4, "healthy": 3, "matcher": "200-299,301", "drain": 7
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "answer", "protocol", "check", "path", "matcher"),
    [
        ("granja-alb protocol=HTTPS", ALB, "HTTPS", "HTTPS", "/", "200"),
        ("granja-alb protocol=GRPC", balancer(listeners=[{"arn": "l", "port": 443, "protocol": "HTTPS"}]),
         "GRPC", "HTTP", "/AWS.ALB/healthcheck", "12"),
        ("granja-nlb:80", NLB, "TCP", "TCP", "", ""),
        ("granja-nlb:80 protocol=UDP", NLB, "UDP", "TCP", "", ""),
        ("granja-nlb:80 protocol=TCP_UDP", NLB, "TCP_UDP", "TCP", "", ""),
        ("granja-nlb:80 protocol=TLS certificate=a.com", NLB, "TCP", "TCP", "", ""),
        ("granja-nlb:80 health=/up", NLB, "TCP", "HTTP", "/up", "200-399"),
        ("granja-nlb:80 health=/up matcher=204", NLB, "TCP", "HTTP", "/up", "204"),
    ],
)  # fmt: skip
def test_the_protocol_says_how_to_check(
    value: str, answer: Any, protocol: str, check: str, path: str, matcher: str
) -> None:
    spec = target_group(value, answer, a="arn:a").spec

    assert (spec["protocol"], spec["check"], spec["path"], spec["matcher"]) == (
        protocol,
        check,
        path,
        matcher,
    )


def test_what_a_group_cannot_change_is_its_identity_and_the_rest_is_not() -> None:
    """F§4.1: protocol, target type and VPC. A rule stays, and forwards to the new group."""
    now, rule = desired()[1:3]
    for value in ("granja-alb protocol=HTTPS", "granja-alb:80 protocol=HTTPS port=8080"):
        group_, rule_ = desired(value)[1:3]
        assert group_.identity != now.identity
        assert rule_.identity == rule.identity
        assert rule_.fingerprint != rule.fingerprint
    assert target_group(of=service(task(1))).identity != now.identity
    assert target_group(answer=balancer(vpc="vpc-2")).identity != now.identity
    for options in (
        "weight=3",
        "health=/up",
        "drain=5",
        "interval=20",
        "healthy=4",
        "matcher=204",
        "path=/a",
    ):
        assert target_group(f"granja-alb {options}").identity == now.identity


def test_a_weight_health_or_drain_is_only_updated() -> None:
    before = desired()
    owned = {
        each.identity: Owned(each.identity, each.fingerprint, "aws", each.refs, each.task) for each in before
    }
    for options, kind in [("weight=3", "elb.rule"), ("health=/up", "elb.group"), ("drain=5", "elb.group")]:
        changes = plan(desired(f"granja-alb {options}"), recorded(owned.values()), owned)
        updated = [change.resource.identity.kind for change in changes.openings]
        assert updated == (["claim", kind] if kind == "elb.rule" else [kind])
        assert not changes.closings


# the targets


def test_in_awsvpc_mode_targets_are_private_addresses_and_in_others_instances() -> None:
    assert specs(desired()) == [
        {"id": "10.20.0.1", "port": 8080, "zone": ""}, {"id": "10.20.0.2", "port": 8080, "zone": ""}
    ]  # fmt: skip
    assert target_group(of=BRIDGE).spec["type"] == "instance"
    assert specs(desired(of=BRIDGE)) == [{"id": task(1).instance, "port": 32768, "zone": ""}]
    host = service(task(1), of=definition(Port("web", 8080), mode="host"))
    assert specs(desired(of=host)) == [{"id": task(1).instance, "port": 8080, "zone": ""}]


def test_a_public_address_is_never_a_target_nor_looked_up() -> None:
    """F§4.1."""
    asked = exposure("internet-facing", TAG)
    assert LB.detail(asked, around(asked, TASKS, site(), LIMITS)) is Detail.PRIVATE
    for resources in (desired("internet-facing", site()), desired(), desired(of=BRIDGE)):
        assert not [
            spec for spec in specs(resources) if spec["id"] in {each.public_ipv4 for each in TASKS.tasks}
        ]


@pytest.mark.parametrize(
    ("blocks", "zone"),
    [
        (["10.20.0.0/16"], ""), (["10.30.0.0/16"], "all"), (["10.30.0.0/16", "10.20.0.0/24"], ""), ([], ""),
        (["10.20.1.0/24"], "all"),
    ],
)  # fmt: skip
def test_an_address_outside_the_vpc_is_said_to_be_in_all_zones(blocks: list[str], zone: str) -> None:
    """F§4.1."""
    for resources in (
        desired(answer=balancer(blocks=blocks)),
        desired("granja-nlb:80", NLB | {"blocks": blocks}),
    ):
        assert {spec["zone"] for spec in specs(resources)} == {zone}
    assert {spec["zone"] for spec in specs(desired(of=BRIDGE, answer=balancer(blocks=blocks)))} == {""}


def test_a_target_needs_a_port_that_the_tag_or_the_definition_names() -> None:
    several = service(task(1), of=definition(Port("web", 80), Port("proxy", 81)), subnets=("subnet-1",))

    assert "web:80, proxy:81" in refusal(desired, "granja-alb", "SeveralPorts", of=several)
    assert specs(desired("granja-alb port=81", of=several))[0]["port"] == 81
    assert specs(desired("granja-alb container=web", of=several))[0]["port"] == 80
    refusal(desired, "granja-alb", "NoPort", of=service(task(1), of=definition(), subnets=("subnet-1",)))


@pytest.mark.parametrize(
    ("code", "of", "advice"),
    [
        ("NoPrivateAddress", {"subnets": ("subnet-1",)}, "run them in subnets with IPv4"),
        ("NoInstance", {}, "the EC2 instance of the tasks is not known yet"),
    ],
)
def test_an_address_that_no_task_has_is_waited_for_while_they_are_young(
    code: str, of: dict[str, Any], advice: str
) -> None:
    bare = {"private_ipv4": "", "instance": ""}
    young = service(task(1, started_at=NOW - 29, **bare), **of)
    assert advice in refusal(desired, "granja-alb", code, of=service(task(1, **bare), **of))
    with pytest.raises(NotYet):
        desired(of=young)
    mixed = service(task(1, **bare), task(2), **of)
    assert [each.task for each in named(desired(of=mixed), "elb.target")] == [task(2).id]


def test_a_task_is_let_in_as_soon_as_it_runs_because_the_load_balancer_checks_it_itself() -> None:
    unchecked = service(task(1), task(2, running=False), of=definition(checked=True))

    assert [LB.ready(each, unchecked) for each in unchecked.tasks] == [True, False]


def test_no_task_is_no_error() -> None:
    assert named(desired(of=service(subnets=("subnet-1",))), "elb.rule")


# what is asked beforehand, and who is replaced


@pytest.mark.parametrize(
    ("value", "of", "asked"),
    [
        ("granja-alb:81", TASKS, ["elb.balancer granja-alb"]),
        ("internal", TASKS, ["ec2.site application/internal/subnet-1"]),
        ("internet-facing:80 protocol=TCP", TASKS, ["ec2.site network/internet-facing/subnet-1"]),
        ("internal:443 host=a.com", TASKS,
         ["ec2.site application/internal/subnet-1", "acm.certificate a.com"]),
        ("internal", BRIDGE, []),
    ],
)  # fmt: skip
def test_what_has_to_be_known_is_asked_beforehand(value: str, of: Service, asked: list[str]) -> None:
    assert [f"{each.kind} {each.key}" for each in LB.lookups(exposure(value, TAG), of, LIMITS)] == asked


@pytest.mark.parametrize(
    ("options", "grace", "expected"),
    [
        ("", 90, None), ("replace=no", 90, None), ("replace=yes", 90, 90), ("replace=yes", 0, 60),
        ("replace=yes grace=5", 90, 5), ("replace=yes grace=0", 90, 0), ("grace=5", 90, None),
    ],
)  # fmt: skip
def test_sick_tasks_are_replaced_only_where_the_tag_says_so(
    options: str, grace: int, expected: float | None
) -> None:
    found = LB.replacing(exposure(f"granja-alb {options}", TAG), service(health_grace=grace))

    assert found == (None if expected is None else Replacing(expected))
