"""`expose:lb = tg/NAME`: targets in the target group of somebody else, and nothing besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from expose.definitions import Port
from expose.mechanisms import MECHANISMS, Lookup, Surroundings
from expose.model import Resource, Service
from expose.policy import Limits
from expose.refusals import Refused
from tests.unit.values import definition, exposure, group, service, task

LB = MECHANISMS["lb"]
TAG = "expose:lb"
TASKS = service(task(1), task(2), subnets=("subnet-1",))
BRIDGE = service(
    task(1, bindings=(("web", 8080, 32768, "tcp"),)), of=definition(Port("web", 8080), mode="bridge")
)
FOUND = Lookup("elb.group", "conejo-blue")


def in_group(value: str = "tg/conejo-blue", answer: Any = None, of: Service = TASKS) -> Sequence[Resource]:
    around = Surroundings(Limits(), mark="corral/granja/conejo/expose:lb", found={FOUND: answer or group()})
    return LB.desired(exposure(value, TAG), of, around)


def specs(resources: Sequence[Resource]) -> list[Mapping[str, Any]]:
    return [each.spec for each in resources if each.identity.kind == "elb.target"]


def refusal(value: str, code: str, answer: Any = None, of: Service = TASKS) -> str:
    with pytest.raises(Refused) as refused:
        in_group(value, answer, of)
    assert refused.value.code == code
    assert refused.value.message.startswith(f"{TAG} = {value!r}: ")
    return refused.value.message


def test_a_target_group_is_looked_up_by_its_name_and_no_more() -> None:
    lookups = LB.lookups(exposure("tg/conejo-blue", TAG), TASKS, Limits())

    assert lookups == (Lookup("elb.group", "conejo-blue"),)


def test_in_the_group_of_somebody_else_there_are_a_claim_and_targets_only() -> None:
    claim, *targets = in_group("tg/conejo-blue port=8080")

    assert claim.identity.kind == "claim"
    assert [each.identity.key for each in targets] == [
        "tg/conejo-blue/10.20.0.1:8080",
        "tg/conejo-blue/10.20.0.2:8080",
    ]
    assert all(each.refs == {"group": group()["arn"], "claim": claim.identity} for each in targets)
    assert {spec["zone"] for spec in specs(in_group(answer=group(blocks=["10.99.0.0/16"])))} == {"all"}


def test_two_services_may_be_in_one_group_and_two_tags_of_one_service_may_not_keep_the_same_targets() -> None:
    claims = {
        in_group(value)[0].identity
        for value in ("tg/conejo-blue port=8080", "tg/conejo-blue port=8080 replace=yes")
    }

    assert len(claims) == 1
    assert "granja/conejo" in claims.pop().key


def test_the_same_port_said_in_other_words_is_the_same_claim() -> None:
    ways = ("tg/conejo-blue", "tg/conejo-blue port=8080", "tg/conejo-blue container=web")
    assert len({in_group(value)[0].identity for value in ways}) == 1


@pytest.mark.parametrize(
    ("value", "answer", "of", "code", "advice"),
    [
        ("tg/conejo-blue", group(), replace(TASKS, native=(group()["arn"],)), "KeptByEcs", "ECS itself keeps this service's tasks in target group conejo-blue: remove the tag"),
        ("tg/conejo-blue", group(kind="instance"), TASKS, "WrongTargetType", "takes instance targets"),
        ("tg/conejo-blue", group(kind="lambda"), TASKS, "WrongTargetType", "needs ip: name another group"),
        ("tg/conejo-blue", group(kind="alb"), BRIDGE, "WrongTargetType", "needs ip or instance: name another"),
        *((f"tg/conejo-blue {option}={value}", group(), TASKS, "WrongOption", f"{option}= means nothing for targets")
          for option, value in [("host", "a.com"), ("weight", "1"), ("drain", "5"), ("health", "/"), ("scheme", "internal")]),
    ],
)  # fmt: skip
def test_a_group_that_cannot_be_had_is_refused_with_what_to_do(
    value: str, answer: Any, of: Service, code: str, advice: str
) -> None:
    assert advice in refusal(value, code, answer, of)


def test_a_group_that_does_not_exist_is_refused() -> None:
    said = refusal("tg/conejo-red", "NoTargetGroup")
    assert "there is no target group conejo-red: create it" in said


def test_bridge_tasks_go_into_either_kind_of_group() -> None:
    assert specs(in_group(of=BRIDGE))[0]["id"] == "10.20.0.1"
    assert specs(in_group(answer=group(kind="instance"), of=BRIDGE))[0]["id"] == task(1).instance
