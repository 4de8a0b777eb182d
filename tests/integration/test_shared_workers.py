"""What is shared is made once, however many want it first; a maker that dies is succeeded; what AWS does not let go is used.

One rule for every kind: two services ask for the same thing, and the second one's worker runs in the middle of the
first one's creating call; or the first one dies at it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.guarded import create_function
from tests.integration.workers import meanwhile, second_worker
from tests.integration.world import become, kept, status

FAST = {"GraceSeconds": "0", "CreateLoadBalancers": "any", "CreateNamespaces": "public"}
SERVICES = ("conejo", "gallina")
HOST = "api1.system.com"


def _apis(farm: Farm) -> list[Any]:
    return farm.client("apigatewayv2").get_apis()["Items"]


def _in_apis(farm: Farm, call: str) -> list[Any]:
    gateway = farm.client("apigatewayv2")
    return [each for api in _apis(farm) for each in getattr(gateway, call)(ApiId=api["ApiId"])["Items"]]


def _rest_apis(farm: Farm) -> list[Any]:
    return farm.client("apigateway").get_rest_apis()["items"]


def _paths(farm: Farm) -> list[Any]:
    gateway = farm.client("apigateway")
    found = [gateway.get_resources(restApiId=api["id"])["items"] for api in _rest_apis(farm)]
    return [path for paths in found for path in paths if path["path"] == "/shop"]


def _balancers(farm: Farm) -> list[Any]:
    return farm.elb.describe_load_balancers()["LoadBalancers"]


def _listeners(farm: Farm) -> list[Any]:
    arns = [each["LoadBalancerArn"] for each in _balancers(farm)]
    return [each for arn in arns for each in farm.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]]


def _rules(farm: Farm) -> list[Any]:
    found = [farm.elb.describe_rules(ListenerArn=each["ListenerArn"])["Rules"] for each in _listeners(farm)]
    return [rule for rules in found for rule in rules if not rule["IsDefault"]]


def _mappings(farm: Farm) -> list[Any]:
    return farm.client("apigatewayv2").get_api_mappings(DomainName=HOST)["Items"]


def _namespaces(farm: Farm) -> list[Any]:
    found = farm.cloudmap.list_namespaces()["Namespaces"]
    return [each for each in found if each["Type"] != "HTTP"]


@dataclass(frozen=True)
class Kind:
    """What creates one, the tags of the two, what there is of it, and what has to be there before."""

    operation: str
    mechanism: str
    values: tuple[str, str]
    there: Callable[[Farm], list[Any]]
    before: Callable[[Farm], object] = lambda _: None
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        return f"expose:{self.mechanism}"


def _domain(farm: Farm) -> None:
    certificate = farm.request_certificate(HOST)
    farm.client("apigatewayv2").create_domain_name(
        DomainName=HOST,
        DomainNameConfigurations=[{"CertificateArn": certificate, "EndpointType": "REGIONAL"}],
    )


ROUTES = ("/orders auth=iam", "/eggs auth=iam")
JUDGED = ("/orders auth=lambda function=judge", "/eggs auth=lambda function=judge")
BEHIND = {"expose:lb": "internal:8000 weight=1"}
KINDS = {
    "API": Kind("CreateApi", "api", ROUTES, _apis),
    "API of a host": Kind("CreateApi", "api", (f"{HOST}/a auth=iam", f"{HOST}/b auth=iam"), _apis, _domain),
    "stage": Kind("CreateStage", "api", ROUTES, lambda farm: _in_apis(farm, "get_stages")),
    "mapping": Kind(
        "CreateApiMapping", "api", (f"{HOST}/a auth=iam", f"{HOST}/b auth=iam"), _mappings, _domain
    ),
    "authoriser": Kind(
        "CreateAuthorizer",
        "api",
        JUDGED,
        lambda farm: _in_apis(farm, "get_authorizers"),
        create_function,
    ),
    "VPC link": Kind(
        "CreateVpcLink", "api", ROUTES, lambda farm: farm.client("apigatewayv2").get_vpc_links()["Items"]
    ),
    "REST API": Kind(
        "CreateRestApi", "api", ("rest/shop/a auth=iam", "rest/shop/b auth=iam"), _rest_apis, also=BEHIND
    ),
    "REST path": Kind(
        "CreateResource", "api", ("rest/all/shop/a auth=iam", "rest/all/shop/b auth=iam"), _paths, also=BEHIND
    ),
    "load balancer": Kind("CreateLoadBalancer", "lb", ("internal path=/a", "internal path=/b"), _balancers),
    "listener": Kind("CreateListener", "lb", ("internal path=/a", "internal path=/b"), _listeners),
    "joint rule": Kind(
        "CreateRule", "lb", ("internal path=/a weight=1", "internal path=/a weight=3"), _rules
    ),
    "joint listener": Kind(
        "CreateListener",
        "lb",
        ("internal:5432 protocol=TCP weight=1", "internal:5432 protocol=TCP weight=3"),
        _listeners,
    ),
    "namespace": Kind(
        "CreatePublicDnsNamespace",
        "dns",
        ("conejo.granja.animales.com", "gallina.granja.animales.com"),
        _namespaces,
    ),
}
REMOVED = {
    "API": "DeleteApi",
    "VPC link": "DeleteVpcLink",
    "load balancer": "DeleteLoadBalancer",
    "joint rule": "DeleteRule",
    "namespace": "DeleteNamespace",
}


@contextmanager
def world(kind: Kind, **parameters: str) -> Iterator[Farm]:
    """Two services that have no tag of this kind yet."""
    with Farm.virtual(parameters={**FAST, **parameters}) as farm:
        kind.before(farm)
        for service in SERVICES:
            farm.create_service(service, 1, public=kind.mechanism == "dns", tags=dict(kind.also))
        farm.run_for(10)
        for service, tag in ((service, tag) for service in SERVICES for tag in kind.also):
            become(farm, "Active", service, tag)
        yield farm


def both_have_one(farm: Farm, kind: Kind) -> bool:
    active = all(status(farm, service, kind.tag).get("status") == "Active" for service in SERVICES)
    return active and len(kind.there(farm)) == 1


def nothing_leaks(farm: Farm, kind: Kind) -> None:
    for service in SERVICES:
        farm.untag(service, kind.tag, *kind.also)
    assert farm.run_until(lambda: not kept(farm), limit=2000), kept(farm)
    assert kind.there(farm) == []


def tagged(farm: Farm, kind: Kind) -> None:
    for service, value in zip(SERVICES, kind.values, strict=True):
        farm.tag(service, {kind.tag: value})


@pytest.mark.parametrize("name", KINDS)
def test_it_is_made_once_however_many_want_it_first(name: str) -> None:
    kind = KINDS[name]
    with world(kind) as farm:
        met = meanwhile(kind.operation, lambda: second_worker(farm, "gallina"))
        tagged(farm, kind)

        assert farm.run_until(lambda: both_have_one(farm, kind), limit=300), kind.there(farm)
        assert met
        nothing_leaks(farm, kind)


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("name", ["API", "VPC link", "REST API", "joint rule", "namespace"])
def test_a_maker_that_dies_is_succeeded(name: str, phase: Any) -> None:
    """The other one does not wait for the dead one's message to come back."""
    kind = KINDS[name]
    with world(kind) as farm:
        GATE.faults.append(
            Fault(
                "crash",
                operation=kind.operation,
                phase=phase,
                nth=1,
                where=lambda call: call.caller == "reconcile",
            )
        )
        farm.tag("conejo", {kind.tag: kind.values[0]})
        farm.run_for(10)  # in another batch, for a batch dies as a whole
        farm.tag("gallina", {kind.tag: kind.values[1]})
        become(farm, "Active", "gallina", kind.tag, limit=300)

        assert farm.run_until(lambda: both_have_one(farm, kind), limit=600), kind.there(farm)
        nothing_leaks(farm, kind)


@pytest.mark.parametrize("name", REMOVED)
def test_what_aws_does_not_let_go_is_used_again_and_the_refusal_is_told(name: str) -> None:
    kind, operation = KINDS[name], REMOVED[name]
    with world(kind) as farm:
        farm.tag("conejo", {kind.tag: kind.values[0]})
        become(farm, "Active", "conejo", kind.tag, limit=300)
        refusing = Fault("error", code="AccessDeniedException", operation=operation)
        GATE.faults.append(refusing)
        farm.untag("conejo", kind.tag)
        farm.run_for(600)

        told = status(farm, "conejo", kind.tag)
        assert (told["status"], told["code"]) == ("Blocked", "RemovalRefused")
        assert "AccessDeniedException" in told["message"]
        assert farm.published("Exposure Blocked")[-1]["detail"]["code"] == "RemovalRefused"
        tries = [call for call in farm.calls() if call.operation == operation]
        assert 2 <= len(tries) <= 5

        farm.tag("gallina", {kind.tag: kind.values[1]})
        become(farm, "Active", "gallina", kind.tag, limit=60)
        become(farm, "", "conejo", kind.tag, limit=1000)
        assert len(kind.there(farm)) == 1

        GATE.faults.remove(refusing)
        nothing_leaks(farm, kind)


@pytest.mark.parametrize(
    ("name", "parameter"), [("load balancer", "CreateLoadBalancers"), ("namespace", "CreateNamespaces")]
)
def test_what_may_no_longer_be_created_stays_and_is_used_on(name: str, parameter: str) -> None:
    kind = KINDS[name]
    with Farm.virtual(parameters={**FAST, parameter: "no"}) as farm:
        narrowed = farm.lambdas.deployment
    with world(kind) as farm:
        farm.tag("conejo", {kind.tag: kind.values[0]})
        become(farm, "Active", "conejo", kind.tag, limit=300)
        _update_stack(farm, narrowed)

        farm.untag("conejo", kind.tag)
        become(farm, "", "conejo", kind.tag, limit=120)
        told = farm.published("Exposure Changed")[-1]["detail"]
        assert (told["status"], told["code"]) == ("Removed", "LeftStanding")
        assert f"{parameter} is `no`" in told["message"]
        assert len(kind.there(farm)) == 1

        farm.tag("gallina", {kind.tag: kind.values[1]})
        become(farm, "Active", "gallina", kind.tag, limit=120)
        assert len(kind.there(farm)) == 1


def _update_stack(farm: Farm, to: Any) -> None:
    """Other parameters mean another environment, and other roles."""
    for name, function in farm.lambdas.deployment.functions.items():
        dict.update(
            function.environment,
            {
                key: value
                for key, value in to.functions[name].environment.items()
                if key.startswith("EXPOSE_CREATE")
            },
        )
    farm.iam._roles = dict(to.roles)


def test_a_stage_that_is_removed_as_another_service_deploys_to_it_is_there_again() -> None:
    """Rest APIs: the last method goes, and another comes before the stage has gone as well."""
    kind = KINDS["REST API"]
    with world(kind) as farm:
        farm.tag("conejo", {kind.tag: kind.values[0]})
        become(farm, "Active", "conejo", kind.tag, limit=300)

        def comes() -> None:
            farm.tag("gallina", {kind.tag: kind.values[1]})
            second_worker(farm, "gallina")

        met = meanwhile("DeleteStage", comes)
        farm.untag("conejo", kind.tag)
        become(farm, "Active", "gallina", kind.tag, limit=300)
        farm.run_for(30)

        assert met
        (api,) = kind.there(farm)
        deployed = farm.client("apigateway").get_stage(restApiId=api["id"], stageName="live")["deploymentId"]
        live = farm.client("apigateway").get_deployment(
            restApiId=api["id"], deploymentId=deployed, embed=["apisummary"]
        )
        assert "/b" in live["apiSummary"]
        nothing_leaks(farm, kind)
