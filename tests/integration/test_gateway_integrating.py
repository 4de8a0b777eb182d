"""Private integrations of an HTTP API: through a VPC Link to tasks and listeners, or not at all (F§5.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from farm import gateway
from farm.aws import apigateway, cloudmap
from farm.farm import Farm
from farm.gateway import Reply
from tests.integration.gateways import Exposed, expose

NAME = "inner.animales.com"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 3, public=False)
        farm.settle()
        yield farm


@pytest.fixture
def exposed(farm: Farm) -> Exposed:
    found = expose(farm, "conejo")
    found.route("ANY /orders")
    found.stage()
    return found


def unavailable(reply: Reply, reason: str) -> None:
    assert (reply.status, reply.body) == (503, b'{"message":"Service Unavailable"}')
    assert reply.reason == reason
    assert not reply.task


def test_healthy_instances_get_their_turns(exposed: Exposed) -> None:
    tasks = [exposed.get("/orders").task for _ in range(9)]
    assert len(set(tasks)) == 3
    assert tasks[:3] == tasks[3:6] == tasks[6:]


def test_unhealthy_instances_get_nothing(farm: Farm, exposed: Exposed) -> None:
    service = cloudmap.registry().services[exposed.registry]
    instances = list(service.instances.values())
    instances[0].healthy = False
    farm.run_for(1)
    assert len({exposed.get("/orders").task for _ in range(6)}) == 2
    for one in instances:
        one.healthy = False
    farm.run_for(1)
    unavailable(exposed.get("/orders"), "Cloud Map knows of no healthy instance")


def test_query_parameters_choose_among_instances(farm: Farm, exposed: Exposed) -> None:
    farm.create_service("gallina", 1, public=False)
    farm.settle()
    (address,) = farm.addresses("gallina", public=False)
    exposed.register(AWS_INSTANCE_IPV4=address, AWS_INSTANCE_PORT="8080", deployment="green", lane="a")
    exposed.route("ANY /green", exposed.integration(f"{exposed.uri}?deployment=green&lane=a"))
    exposed.route("ANY /blue", exposed.integration(f"{exposed.uri}?deployment=blue"))
    assert {exposed.get("/green").service for _ in range(4)} == {"gallina"}
    unavailable(exposed.get("/blue"), "Cloud Map knows of no healthy instance")
    assert {exposed.get("/orders").service for _ in range(4)} == {"conejo", "gallina"}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"AWS_INSTANCE_IPV4": "127.20.128.200"}, "the instance has no address or no port"),
        ({"AWS_INSTANCE_PORT": "8080"}, "the instance has no address or no port"),
        (
            {"AWS_INSTANCE_IPV4": "127.30.0.9", "AWS_INSTANCE_PORT": "8080"},
            "the instance is not in the VPC of the link",
        ),
        ({"AWS_INSTANCE_IPV4": "127.20.128.200", "AWS_INSTANCE_PORT": "8080"}, "nobody answers"),
    ],
)
def test_an_instance_that_cannot_be_reached_fails_its_requests(
    exposed: Exposed, place: dict[str, str], reason: str
) -> None:
    """ECS's own A records lack the port; public addresses are out of a link's reach; nobody tries another."""
    exposed.register(**place)
    replies = [exposed.get("/orders") for _ in range(8)]
    failed = [reply for reply in replies if reply.status != 200]
    assert len(failed) == 2
    for reply in failed:
        unavailable(reply, reason)


def test_what_cloud_map_told_is_used_for_a_while(farm: Farm, exposed: Exposed) -> None:
    gateway.settings().discovery = 30
    assert exposed.get("/orders").status == 200
    exposed.deregister()
    assert exposed.get("/orders").status == 200
    farm.run_for(30)
    unavailable(exposed.get("/orders"), "Cloud Map knows of no healthy instance")


def test_a_link_must_be_available(farm: Farm, exposed: Exposed) -> None:
    made = exposed.gateway.create_vpc_link(Name="late", SubnetIds=list(farm.network.private))["VpcLinkId"]
    exposed.route("ANY /late", exposed.integration(ConnectionId=made))
    unavailable(exposed.get("/late"), "the VPC link is PENDING")
    farm.run_for(2)
    assert exposed.get("/late").status == 200
    apigateway.rest(made)
    unavailable(exposed.get("/late"), "the VPC link is INACTIVE")
    farm.run_for(2)
    assert exposed.get("/late").status == 200


def test_an_answer_that_is_bad_is_passed_on_and_one_that_is_late_is_not(farm: Farm, exposed: Exposed) -> None:
    for task in farm.tasks("conejo"):
        farm.sicken(task["taskArn"], 418)
    assert exposed.get("/orders").status == 418
    for task in farm.tasks("conejo"):
        farm.sicken(task["taskArn"], "hang")
    reply = exposed.get("/orders")
    assert (reply.status, reply.body) == (504, b'{"message":"Endpoint request timed out"}')


def test_the_backend_is_told_who_asked(exposed: Exposed) -> None:
    page = json.loads(exposed.get("/orders?a=b", headers={"X-Forwarded-For": "10.0.0.1"}).body)
    assert page["path"] == "/orders?a=b"
    assert page["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
    assert (page["x-forwarded-proto"], page["x-forwarded-port"]) == ("https", "443")


def test_a_listener_decides_by_its_rules(farm: Farm, exposed: Exposed) -> None:
    group = farm.create_target_group("conejo")
    farm.register(group, *((address, 8080) for address in farm.addresses("conejo", public=False)))
    farm.create_balancer("inner")
    listener = farm.listener_arn("inner", 80)
    farm.elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [NAME]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    told = {"overwrite:path": "/inside", "overwrite:header.host": NAME}
    exposed.route("ANY /inner", exposed.integration(listener, RequestParameters=told))
    exposed.route("ANY /plain", exposed.integration(listener))
    unavailable(exposed.get("/inner"), "the listener is not there")
    farm.run_for(120)
    assert json.loads(exposed.get("/inner").body)["path"] == "/inside"
    assert len({exposed.get("/inner").task for _ in range(6)}) == 3
    assert exposed.get("/plain").status == 404


@pytest.mark.parametrize(
    ("protocol", "server_name", "reason"),
    [
        ("HTTPS", NAME, ""),
        ("HTTPS", "other.example", "the listener's certificate is not for other.example"),
        ("HTTPS", "", "one end of the hop speaks TLS, and the other does not"),
        ("HTTP", NAME, "one end of the hop speaks TLS, and the other does not"),
    ],
)
def test_tls_to_a_listener_is_in_earnest(
    farm: Farm, exposed: Exposed, protocol: str, server_name: str, reason: str
) -> None:
    certificate = farm.request_certificate(NAME)
    group = farm.create_target_group("conejo")
    farm.register(group, *((address, 8080) for address in farm.addresses("conejo", public=False)))
    farm.create_balancer("inner", listeners=[(8443, protocol)], certificate=certificate, group=group)
    farm.run_for(120)
    tls = {"TlsConfig": {"ServerNameToVerify": server_name}} if server_name else {}
    exposed.route("ANY /inner", exposed.integration(farm.listener_arn("inner", 8443), **tls))
    reply = exposed.get("/inner")
    if reason:
        unavailable(reply, reason)
    else:
        assert (reply.status, reply.service) == (200, "conejo")


def test_traffic_counts_who_answered_and_what_was_lost(farm: Farm, exposed: Exposed) -> None:
    with farm.api_traffic(exposed.host, "/orders", per_second=50) as traffic:
        farm.run_for(6)
    assert (traffic.sent, traffic.reasons) == (300, {})
    assert set(traffic.tasks.values()) == {100}
    gone = farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2]
    farm.kill(gone)
    with farm.api_traffic(exposed.host, "/orders", per_second=50) as traffic:
        farm.run_for(6)
    assert traffic.reasons == {"503": 100}, "nobody deregistered it"
    assert gone not in traffic.tasks
