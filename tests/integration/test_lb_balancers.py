"""The ways in that `expose:lb` makes, on load balancers of others and on our own; and that nothing of them stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from farm.balancers.routing import Request
from farm.farm import Farm
from tests.integration.balanced import (
    OWNER,
    STACK,
    TAG,
    answers,
    changes,
    clean,
    follows,
    foreign,
    group_of,
    inventory,
    kinds,
    owned,
    places,
    put_behind,
    staying,
)
from tests.integration.world import LISTED, become, kept, status

CONEJO = Request(host="conejo.animales.com", path="/api/7")
GRACE = 30
MAY = {**LISTED, "CreateLoadBalancers": "any", "GraceSeconds": str(GRACE)}


@pytest.fixture
def farm() -> Iterator[Farm]:
    """With an ALB and an NLB that somebody else uses already."""
    with Farm.virtual(parameters=MAY) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        theirs = farm.create_target_group("theirs")
        farm.elb.create_rule(
            ListenerArn=farm.listener_arn("main", 80),
            Priority=10,
            Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": theirs}],
        )
        farm.create_target_group("lent", port=9999)
        yield farm


def create_used_group(farm: Farm) -> None:
    """Behind `net`, quick to find out how its targets are."""
    check: Any = {"HealthCheckIntervalSeconds": 10, "HealthyThresholdCount": 2}
    group = farm.create_target_group("used", protocol="TCP", **check)
    farm.create_listener("net", 80, "TCP", group=group)


NAMED = {
    "ALB": ("main host=conejo.animales.com path=/api", "main", 80, ["listener-rule", "targetgroup"]),
    "NLB": ("net:5432", "net", 5432, ["listener", "targetgroup"]),
    "NLB with UDP": ("net:5432 protocol=UDP health=/", "", 5432, ["listener", "targetgroup"]),
}


class TestLoadBalancersOfOthers:
    @pytest.mark.parametrize(("value", "balancer", "port", "made"), NAMED.values(), ids=NAMED)
    def test_get_one_rule_or_listener_and_one_group_and_are_as_before_when_the_tag_goes(
        self, farm: Farm, value: str, balancer: str, port: int, made: list[str]
    ) -> None:
        before = inventory(farm)
        put_behind(farm, value)
        assert kinds(farm) == made
        assert follows(farm)
        assert foreign(farm) == before
        if balancer:
            assert answers(farm, balancer, port, CONEJO).answered == {"conejo": 40}
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        assert clean(farm)
        assert inventory(farm) == before

    def test_nothing_is_left_of_a_service_that_is_deleted_and_no_event_tells(self, farm: Farm) -> None:
        before = inventory(farm)
        put_behind(farm, "main host=conejo.animales.com")
        farm.bus.lose(lambda event: True)
        farm.delete_service("conejo")
        assert farm.run_until(lambda: clean(farm), limit=130)
        assert inventory(farm) == before

    def test_what_is_asked_for_stands_in_the_group_and_in_the_rule(self, farm: Farm) -> None:
        put_behind(
            farm,
            "main host=Conejo.animales.com+b.com path=/x methods=get health=/h interval=7 healthy=3 "
            "matcher=200-299+301 drain=45",
        )
        group = inventory(farm)[group_of(farm)]
        assert group["HealthCheckPath"] == "/h"
        assert (group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == (7, 5)
        assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (3, 2)
        assert group["Matcher"] == {"HttpCode": "200-299,301"}
        assert {"Key": "deregistration_delay.timeout_seconds", "Value": "45"} in group["attributes"]
        (rule,) = owned(farm, "listener-rule").values()
        looked_at = {each["Field"]: sorted(each.get("Values") or each["HttpRequestMethodConfig"]["Values"])
                     for each in rule["Conditions"]}  # fmt: skip
        assert looked_at == {
            "host-header": ["b.com", "conejo.animales.com"],
            "path-pattern": ["/x", "/x/*"],
            "http-request-method": ["GET"],
        }
        assert 10_000 <= int(rule["Priority"]) < 50_000

    def test_a_path_is_itself_and_all_below_it_and_nothing_that_only_begins_alike(self, farm: Farm) -> None:
        put_behind(farm, "main path=/api")
        for path, reached in (("/api", True), ("/api/x?y", True), ("/apiary", False), ("/", False)):
            found = answers(farm, "main", request=Request(path=path), count=4)
            assert found.answered == ({"conejo": 4} if reached else {}), path

    def test_the_more_specific_path_wins_whichever_came_first(self, farm: Farm) -> None:
        put_behind(farm, "main path=/api")
        put_behind(farm, "main path=/api/v2", "gallina")
        put_behind(farm, "main host=conejo.animales.com", "cabra")
        for request, winner in (
            (Request(path="/api/v1"), "conejo"),
            (Request(path="/api/v2/x"), "gallina"),
            (CONEJO, "cabra"),
        ):
            assert answers(farm, "main", request=request, count=4).answered == {winner: 4}

    def test_a_service_may_have_several(self, farm: Farm) -> None:
        put_behind(farm, "main path=/a")
        farm.tag("conejo", {"expose:lb:b": "main path=/b", "expose:lb:n": "net:9000"})
        for tag in ("expose:lb:b", "expose:lb:n"):
            become(farm, "Active", tag=tag)
        farm.untag("conejo", "expose:lb:b")
        become(farm, "", tag="expose:lb:b")
        assert kinds(farm) == ["listener", "listener-rule", "targetgroup", "targetgroup"]
        assert answers(farm, "main", request=Request(path="/a"), count=4).answered == {"conejo": 4}
        assert answers(farm, "net", 9000, count=4).answered == {"conejo": 4}

    def test_a_change_of_the_tag_is_followed_and_nothing_old_is_left(self, farm: Farm) -> None:
        put_behind(farm, "main path=/a")
        for value, request in (
            ("main path=/b", Request(path="/b")),
            ("main path=/b health=/h drain=5", Request(path="/b")),
            ("main path=/b methods=GET port=8080", Request(path="/b")),
        ):
            farm.tag("conejo", {TAG: value})
            farm.run_for(60)
            assert status(farm, tag=TAG)["status"] == "Active"
            assert answers(farm, "main", request=request, count=4).answered == {"conejo": 4}
            assert answers(farm, "main", request=Request(path="/a"), count=4).reasons == {"404": 4}
            assert kinds(farm) == ["listener-rule", "targetgroup"]

    def test_it_moves_from_one_kind_of_load_balancer_to_the_other(self, farm: Farm) -> None:
        put_behind(farm, "main path=/a")
        farm.tag("conejo", {TAG: "net:5432"})
        farm.run_for(60)
        assert kinds(farm) == ["listener", "targetgroup"]
        assert answers(farm, "net", 5432, count=4).answered == {"conejo": 4}

    @pytest.mark.parametrize("mode", ["bridge", "host"])
    def test_tasks_on_instances_are_instance_targets(self, farm: Farm, mode: str) -> None:
        farm.add_host()
        put_behind(farm, "main path=/", mode=mode, count=1)
        group = group_of(farm)
        assert inventory(farm)[group]["TargetType"] == "instance"
        ((target, port),) = staying(farm, group)
        assert target.startswith("i-")
        bindings = farm.tasks("conejo")[0]["containers"][0].get("networkBindings", [])
        assert port == (bindings[0]["hostPort"] if bindings else 8080)


class TestATargetGroupOfSomebodyElse:
    def test_gets_the_tasks_and_nothing_else_of_it_changes(self, farm: Farm) -> None:
        create_used_group(farm)
        farm.register("used", ("127.20.0.250", 1234))
        before = inventory(farm)
        put_behind(farm, "tg/used")
        assert kinds(farm) == []
        assert sorted(farm.targets("used")) == sorted([*places(farm), ("127.20.0.250", 1234)])
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        assert inventory(farm) == before
        assert kept(farm) == []

    def test_that_nobody_forwards_to_has_targets_and_the_status_says_what_is_missing(
        self, farm: Farm
    ) -> None:
        put_behind(farm, "tg/lent")
        assert sorted(farm.targets("lent")) == places(farm)
        assert "Target.NotInUse" in status(farm, tag=TAG)["message"]

    def test_keeps_the_targets_of_the_other_service_when_one_leaves(self, farm: Farm) -> None:
        create_used_group(farm)
        put_behind(farm, "tg/used")
        put_behind(farm, "tg/used", "gallina")
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        assert sorted(staying(farm, farm.group_arn("used"))) == places(farm, "gallina")


OURS = {
    "ALB internal": ("internal host=conejo.animales.com", "application", "internal", 80),
    "ALB internet-facing": ("internet-facing host=conejo.animales.com", "application", "internet-facing", 80),
    "NLB internal": ("internal:5432 protocol=TCP", "network", "internal", 5432),
    "NLB internet-facing": ("internet-facing:5432 protocol=TCP", "network", "internet-facing", 5432),
}


class TestTheSharedOne:
    @pytest.mark.parametrize(("value", "kind", "scheme", "port"), OURS.values(), ids=OURS)
    def test_is_made_on_first_use_answers_and_goes_after_its_last_user_and_the_grace_period(
        self, farm: Farm, value: str, kind: str, scheme: str, port: int
    ) -> None:
        before = inventory(farm)
        put_behind(farm, value)
        (balancer,) = owned(farm, "loadbalancer").values()
        assert (balancer["Type"], balancer["Scheme"], balancer["VpcId"]) == (kind, scheme, farm.network.vpc)
        chosen = farm.network.public if scheme == "internet-facing" else farm.network.private
        assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == set(chosen)
        assert balancer["tags"] == {OWNER: STACK}
        assert answers(farm, balancer["DNSName"], port, CONEJO).answered == {"conejo": 40}
        assert status(farm, tag=TAG)["status"] == "Active"
        assert balancer["DNSName"] in str(farm.published("Exposure Changed")[-1]["detail"]["addresses"])
        farm.untag("conejo", TAG)
        farm.run_for(GRACE - 5)
        assert "loadbalancer" in kinds(farm), "somebody may need it again"
        assert "targetgroup" not in kinds(farm)
        assert farm.run_until(lambda: clean(farm), limit=4 * GRACE)
        assert inventory(farm) == before

    def test_says_404_to_what_nobody_has(self, farm: Farm) -> None:
        put_behind(farm, "internal path=/a")
        (balancer,) = owned(farm, "loadbalancer").values()
        assert answers(farm, balancer["DNSName"], request=Request(path="/b"), count=4).reasons == {"404": 4}

    def test_serves_two_and_stays_as_it_is_for_the_one_when_the_other_leaves(self, farm: Farm) -> None:
        put_behind(farm, "internal path=/a")
        put_behind(farm, "internal path=/b", "gallina")
        (arn,) = owned(farm, "loadbalancer")
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        farm.run_for(4 * GRACE)
        assert kinds(farm) == ["listener", "listener-rule", "loadbalancer", "targetgroup"]
        assert answers(farm, arn, request=Request(path="/b"), count=4).answered == {"gallina": 4}
        assert answers(farm, arn, request=Request(path="/a"), count=4).reasons == {"404": 4}

    def test_is_used_again_by_who_comes_within_the_grace_period(self, farm: Farm) -> None:
        put_behind(farm, "internal path=/a")
        (arn,) = owned(farm, "loadbalancer")
        farm.untag("conejo", TAG)
        farm.run_for(GRACE / 2)
        put_behind(farm, "internal path=/b", "gallina")
        farm.run_for(4 * GRACE)
        assert list(owned(farm, "loadbalancer")) == [arn]
        assert answers(farm, arn, request=Request(path="/b"), count=4).answered == {"gallina": 4}

    def test_is_one_for_two_who_come_at_once(self, farm: Farm) -> None:
        for name in ("conejo", "gallina"):
            farm.create_service(name, 1, tags={TAG: f"internal path=/{name}"})
        for name in ("conejo", "gallina"):
            become(farm, "Active", name, TAG)
        assert kinds(farm) == ["listener", *["listener-rule"] * 2, "loadbalancer", *["targetgroup"] * 2]

    def test_has_a_listener_for_each_port_and_loses_it_with_its_last_user(self, farm: Farm) -> None:
        put_behind(farm, "internal path=/a")
        put_behind(farm, "internal:8081 path=/a", "gallina")
        (arn,) = owned(farm, "loadbalancer")
        assert answers(farm, arn, 8081, Request(path="/a"), count=4).answered == {"gallina": 4}
        farm.untag("gallina", TAG)
        farm.run_for(2 * GRACE)
        assert answers(farm, arn, 8081, Request(path="/a"), count=4).reasons == {"no listener": 4}
        assert answers(farm, arn, 80, Request(path="/a"), count=4).answered == {"conejo": 4}

    def test_ends_tls_at_443_with_the_certificate_of_the_host(self, farm: Farm) -> None:
        certificate = farm.request_certificate("*.animales.com")
        put_behind(farm, "internal:443 host=conejo.animales.com")
        (listener,) = owned(farm, "listener").values()
        assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
        assert {each["CertificateArn"] for each in listener["Certificates"]} == {certificate}
        (arn,) = owned(farm, "loadbalancer")
        assert answers(farm, arn, 443, CONEJO, count=4).answered == {"conejo": 4}
        farm.untag("conejo", TAG)
        assert farm.run_until(lambda: clean(farm), limit=4 * GRACE)

    def test_that_is_there_is_used_where_none_may_be_made(self) -> None:
        with Farm.virtual(parameters=MAY | {"OnDelete": "keep"}) as farm:
            put_behind(farm, "internal path=/a")
            assert farm.lambdas is not None
            (arn,) = owned(farm, "loadbalancer")
            farm.lambdas.deployment.functions["Reconcile"].environment["EXPOSE_CREATE_LOAD_BALANCERS"] = "no"
            put_behind(farm, "internal path=/b", "gallina")
            assert list(owned(farm, "loadbalancer")) == [arn]
            assert answers(farm, arn, request=Request(path="/b"), count=4).answered == {"gallina": 4}


@pytest.mark.parametrize("value", ["internal path=/a", "net:5432", "main path=/a", "tg/used"])
def test_nothing_is_left_when_the_stack_goes(farm: Farm, value: str) -> None:
    create_used_group(farm)
    before = inventory(farm)
    put_behind(farm, value)
    put_behind(farm, "main path=/b", "gallina")
    farm.delete_stack()
    farm.run_for(1)
    assert inventory(farm) == before


@pytest.mark.parametrize("value", ["internal path=/a", "net:5432", "main host=a.com path=/a", "tg/used"])
def test_planning_again_right_after_applying_changes_nothing(value: str) -> None:
    with Farm.virtual(parameters=MAY | {"VerifyMinutes": "1"}) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        create_used_group(farm)
        put_behind(farm, value)
        farm.settle()
        before = len(farm.calls())
        farm.run_for(130)
        assert any(call.operation.startswith("DescribeTarget") for call in farm.calls()[before:])
        assert changes(farm, before) == []


def test_another_certificate_is_used_when_the_tag_names_another(farm: Farm) -> None:
    _, second = farm.request_certificate("a.com"), farm.request_certificate("b.com")
    put_behind(farm, "net:443 protocol=TLS certificate=a.com")
    farm.tag("conejo", {TAG: "net:443 protocol=TLS certificate=b.com"})
    farm.run_for(60)
    assert status(farm, tag=TAG)["status"] == "Active"
    (listener,) = owned(farm, "listener").values()
    assert [each["CertificateArn"] for each in listener["Certificates"]] == [second]


def test_a_port_that_is_named_although_it_is_the_only_one_changes_nothing_in_a_group_of_others(
    farm: Farm,
) -> None:
    create_used_group(farm)
    put_behind(farm, "tg/used")
    before = len(farm.calls())
    farm.tag("conejo", {TAG: "tg/used port=8080"})
    farm.run_for(30)
    assert status(farm, tag=TAG)["status"] == "Active"
    assert changes(farm, before) == []
    assert follows(farm, group="used")
