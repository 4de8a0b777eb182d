"""What others do to our part of load balancing is repaired; what they do beside it is left alone; throttling passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from farm.aws import elb
from farm.balancers.routing import Request
from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from tests.integration.balanced import (
    TAG,
    answers,
    clean,
    follows,
    foreign,
    group_of,
    inventory,
    kinds,
    owned,
    places,
    put_behind,
    weights,
)
from tests.integration.world import LISTED, become, status

ASKED = Request(host="conejo.animales.com")
RULE = "main host=conejo.animales.com weight=7"
MAY = {**LISTED, "CreateLoadBalancers": "any", "VerifyMinutes": "1", "GraceSeconds": "20"}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters=MAY) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        yield farm


def our(farm: Farm, kind: str) -> str:
    (arn,) = owned(farm, kind)
    return arn


def delete_the_rule(farm: Farm) -> None:
    farm.elb.delete_rule(RuleArn=our(farm, "listener-rule"))


def delete_the_rule_and_the_group(farm: Farm) -> None:
    group = our(farm, "targetgroup")
    delete_the_rule(farm)
    farm.elb.delete_target_group(TargetGroupArn=group)


def deregister_a_target(farm: Farm) -> None:
    elb.settings().draining = 5.0
    farm.deregister(our(farm, "targetgroup"), places(farm)[0])


def register_a_stranger(farm: Farm) -> None:
    farm.register(our(farm, "targetgroup"), ("127.20.0.250", 22))


def change_the_weight(farm: Farm) -> None:
    forward: Any = {"TargetGroups": [{"TargetGroupArn": our(farm, "targetgroup"), "Weight": 0}]}
    farm.elb.modify_rule(
        RuleArn=our(farm, "listener-rule"),
        Actions=[{"Type": "forward", "ForwardConfig": forward}],
    )


def forward_elsewhere(farm: Farm) -> None:
    theirs = farm.create_target_group("elsewhere")
    farm.elb.modify_rule(
        RuleArn=our(farm, "listener-rule"), Actions=[{"Type": "forward", "TargetGroupArn": theirs}]
    )


def change_the_conditions(farm: Farm) -> None:
    condition: Any = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/wrong"]}}
    farm.elb.modify_rule(RuleArn=our(farm, "listener-rule"), Conditions=[condition])


def change_the_health_check(farm: Farm) -> None:
    farm.elb.modify_target_group(TargetGroupArn=our(farm, "targetgroup"), HealthCheckPath="/wrong")


def change_the_drain(farm: Farm) -> None:
    attribute: Any = {"Key": "deregistration_delay.timeout_seconds", "Value": "3600"}
    farm.elb.modify_target_group_attributes(
        TargetGroupArn=our(farm, "targetgroup"),
        Attributes=[attribute],
    )


DRIFT = [
    delete_the_rule,
    delete_the_rule_and_the_group,
    deregister_a_target,
    register_a_stranger,
    change_the_weight,
    forward_elsewhere,
    change_the_conditions,
    change_the_health_check,
    change_the_drain,
]


def as_made(farm: Farm) -> list[object]:
    """What is ours without the names that AWS gives anew."""
    (rule,), (group,) = owned(farm, "listener-rule").values(), owned(farm, "targetgroup").values()
    checks = {
        key: value for key, value in group.items() if key.startswith(("Health", "Matcher", "Unhealthy"))
    }
    return [rule["Conditions"], [*weights(rule).values()], checks, group["attributes"], group["targets"]]


@pytest.mark.parametrize("drift", DRIFT)
def test_drift_is_repaired_by_the_verification(farm: Farm, drift: Callable[[Farm], None]) -> None:
    put_behind(farm, RULE)
    farm.run_for(70)  # what was just made counts as there for a minute
    before = as_made(farm)
    drift(farm)
    farm.run_for(150)
    assert as_made(farm) == before
    assert weights(next(iter(owned(farm, "listener-rule").values()))) == {group_of(farm): 7}
    assert follows(farm)
    assert answers(farm, "main", request=ASKED, count=4).answered == {"conejo": 4}
    assert status(farm, tag=TAG)["status"] == "Active"


def test_the_listener_on_an_nlb_that_somebody_deleted_comes_back(farm: Farm) -> None:
    put_behind(farm, "net:5432")
    farm.elb.delete_listener(ListenerArn=our(farm, "listener"))
    farm.run_for(150)
    assert answers(farm, "net", 5432, count=4).answered == {"conejo": 4}


@pytest.mark.parametrize("kind", ["listener", "loadbalancer"])
def test_the_shared_one_that_somebody_deleted_comes_back_for_all_its_users(farm: Farm, kind: str) -> None:
    put_behind(farm, "internal path=/a")
    put_behind(farm, "internal path=/b", "gallina")
    if kind == "listener":
        farm.elb.delete_listener(ListenerArn=our(farm, kind))
    else:
        farm.elb.delete_load_balancer(LoadBalancerArn=our(farm, kind))
    farm.run_for(300)
    assert kinds(farm) == ["listener", *["listener-rule"] * 2, "loadbalancer", *["targetgroup"] * 2]
    arn = our(farm, "loadbalancer")
    assert answers(farm, arn, request=Request(path="/a"), count=4).answered == {"conejo": 4}
    assert answers(farm, arn, request=Request(path="/b"), count=4).answered == {"gallina": 4}
    for name in ("conejo", "gallina"):
        farm.untag(name, TAG)
    farm.run_for(120)
    assert clean(farm)


def test_somebodys_rule_on_our_listener_is_not_touched_and_keeps_the_listener_until_it_goes(
    farm: Farm,
) -> None:
    put_behind(farm, "internal path=/a")
    theirs = farm.elb.create_rule(
        ListenerArn=our(farm, "listener"),
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )["Rules"][0]["RuleArn"]
    before = foreign(farm)
    farm.untag("conejo", TAG)
    farm.run_for(200)
    assert foreign(farm) == before
    assert kinds(farm) == ["listener", "loadbalancer"]
    assert "still has rules" in status(farm, tag=TAG)["message"]
    put_behind(farm, "internal path=/b", "gallina")
    assert answers(farm, our(farm, "loadbalancer"), request=Request(path="/b"), count=4).answered == {
        "gallina": 4
    }
    farm.untag("gallina", TAG)
    farm.elb.delete_rule(RuleArn=theirs)
    farm.run_for(200)
    assert clean(farm)


def test_somebodys_listener_on_our_load_balancer_keeps_it_until_it_goes(farm: Farm) -> None:
    put_behind(farm, "internal path=/a")
    theirs = farm.create_listener(our(farm, "loadbalancer"), 9999, "HTTP")
    farm.untag("conejo", TAG)
    farm.run_for(200)
    assert kinds(farm) == ["loadbalancer"]
    assert theirs in inventory(farm)
    farm.elb.delete_listener(ListenerArn=theirs)
    farm.run_for(120)
    assert clean(farm)


def test_a_priority_that_somebody_takes_at_the_same_moment_is_left_to_them() -> None:
    with Farm.virtual(parameters=LISTED) as farm:
        farm.create_balancer("main")
        taken: list[int] = []

        def race(call: Call) -> bool:
            """Between our look and our rule somebody makes one at just that priority, three times."""
            if call.operation != "CreateRule" or call.caller == "user" or len(taken) == 3:
                return False
            acting, GATE.acting = GATE.acting, None
            taken.append(int(call.params["Priority"]))
            farm.elb.create_rule(
                ListenerArn=call.params["ListenerArn"],
                Priority=taken[-1],
                Conditions=[{"Field": "path-pattern", "Values": [f"/theirs/{len(taken)}"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
            )
            GATE.acting = acting
            return False

        GATE.faults.append(Fault("error", where=race))
        put_behind(farm, RULE)
        assert len(taken) == 3
        refused = [call.error for call in farm.calls("elbv2", "CreateRule", "reconcile")]
        assert refused == ["PriorityInUse"] * 3 + [""]
        assert [int(rule["Priority"]) in taken for rule in owned(farm, "listener-rule").values()] == [False]
        assert sum(rule["Priority"] in map(str, taken) for rule in farm.rules("main")) == 3


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "ServiceUnavailable"])
def test_elb_that_asks_for_patience_delays_and_loses_nothing(farm: Farm, code: str) -> None:
    put_behind(farm, RULE)
    before = sorted(farm.targets(group_of(farm)))
    asking = Fault("error", code, "elbv2", where=lambda call: call.caller != "user")
    GATE.faults.append(asking)
    farm.tag("conejo", {TAG: f"{RULE} path=/b"})
    farm.create_service("gallina", 1, tags={TAG: "internal path=/g"})
    farm.run_for(100)
    assert sorted(farm.targets(group_of(farm))) == before
    assert status(farm, "gallina", TAG)["status"] in {"Pending", "Failed"}
    GATE.faults.remove(asking)
    become(farm, "Active", "gallina", TAG, limit=300)
    become(farm, "Active", tag=TAG, limit=300)
    assert answers(farm, "main", request=Request(host=ASKED.host, path="/b"), count=4).answered == {
        "conejo": 4
    }


def test_a_rotation_in_which_elb_is_throttled_ends_right(farm: Farm) -> None:
    put_behind(farm, RULE, count=4)
    GATE.faults.append(
        Fault("error", "Throttling", "elbv2", nth=range(1, 12), where=lambda call: call.caller != "user")
    )
    farm.deploy_new_revision("conejo")
    assert farm.run_until(lambda: farm.living.steady() and follows(farm), limit=200)


def test_a_group_that_elb_still_counts_as_in_use_goes_later(farm: Farm) -> None:
    put_behind(farm, RULE)
    elb.settings().releasing = 12.0
    farm.untag("conejo", TAG)
    become(farm, "", tag=TAG)
    assert clean(farm)
