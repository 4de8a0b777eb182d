"""REST APIs answer from what was deployed, by their resources' tree, with their integrations' URIs (F§5.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from farm import gateway
from farm.aws import apigateway, restapis
from farm.farm import Farm
from farm.gateway import Reply
from tests.integration.rest_gateways import NAME, Rested, rest_expose


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 3, public=False)
        farm.settle()
        yield farm


@pytest.fixture
def balancer(farm: Farm) -> str:
    """The name of one that knows the service by its host."""
    group = farm.create_target_group("conejo")
    farm.register(group, *((address, 8080) for address in farm.addresses("conejo", public=False)))
    farm.create_balancer("inner")
    farm.elb.create_rule(
        ListenerArn=farm.listener_arn("inner", 80),
        Priority=1,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [NAME]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    farm.run_for(120)
    return "inner"


@pytest.fixture
def rested(farm: Farm, balancer: str) -> Rested:
    return rest_expose(farm, farm.listener_arn(balancer, 80))


def seen(reply: Reply) -> str:
    """The path that the task was asked for."""
    assert (reply.status, reply.service) == (200, "conejo")
    return str(json.loads(reply.body)["path"])


def test_the_uri_says_what_the_backend_sees(rested: Rested) -> None:
    """F§5.5: the host that the listener's rule knows, the path with its variable, the query; no stage."""
    rested.route("ANY /orders", f"http://{NAME}/inside")
    rested.route("ANY /orders/{proxy+}", f"http://{NAME}/inside/{{proxy}}")
    rested.route("ANY /elsewhere", "http://other.internal/")
    rested.deploy()
    assert seen(rested.get("/orders?a=b")) == "/inside?a=b"
    assert seen(rested.get("/orders/1/%20x?a=b", method="POST")) == "/inside/1/%20x?a=b"
    assert rested.get("/elsewhere").status == 404
    assert len({rested.get("/orders").task for _ in range(6)}) == 3
    gateway.settings().staged = True
    assert seen(rested.get("/orders/1")) == "/prod/inside/1"


def test_parameters_go_where_they_are_mapped(rested: Rested) -> None:
    method = {"requestParameters": {"method.request.path.id": True, "method.request.header.X-Who": False}}
    mapped = {
        "integration.request.path.number": "method.request.path.id",
        "integration.request.querystring.who": "method.request.header.X-Who",
        "integration.request.header.X-Forwarded-Host": "'granja'",
    }
    uri = f"http://{NAME}/by/{{number}}?from=api"
    rested.route("GET /{id}", uri, method, requestParameters=mapped)
    rested.deploy()
    reply = rested.get("/7?who=forged&b=1", headers={"X-Who": "ana"})
    assert seen(reply) == "/by/7?b=1&from=api&who=ana"
    assert json.loads(reply.body)["x-forwarded-host"] == "granja"


def test_a_variable_that_nothing_maps_is_an_error(rested: Rested) -> None:
    rested.route("ANY /{proxy+}", f"http://{NAME}/{{proxy}}", requestParameters={})
    rested.deploy()
    reply = rested.get("/x")
    assert (reply.status, reply.body) == (500, b'{"message":"Internal server error"}')


def test_nothing_answers_that_is_not_deployed(rested: Rested) -> None:
    """F§5.5: each change wants a deployment; what was taken away answers until then."""
    rested.route("ANY /orders")
    assert rested.get("/orders").status == 403
    rested.deploy()
    rested.route("ANY /carts")
    rested.rest.delete_resource(restApiId=rested.api, resourceId=rested.resource("/orders"))
    assert (rested.get("/orders").status, rested.get("/carts").status) == (200, 403)
    rested.deploy()
    assert (rested.get("/orders").status, rested.get("/carts").status) == (403, 200)
    rested.rest.delete_stage(restApiId=rested.api, stageName="prod")
    assert rested.get("/carts").body == b'{"message":"Forbidden"}'


def test_a_stranger_s_stage_is_forbidden(rested: Rested) -> None:
    rested.route("ANY /orders")
    rested.deploy()
    reply = rested.farm.invoke(rested.host, "/beta/orders")
    assert (reply.status, reply.body) == (403, b'{"message":"Forbidden"}')
    patch = [{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}]
    rested.rest.update_rest_api(restApiId=rested.api, patchOperations=patch)
    assert rested.get("/orders").status == 403


def test_a_backend_that_is_late_or_gone(farm: Farm, rested: Rested) -> None:
    rested.route("ANY /orders")
    rested.deploy()
    for task in farm.tasks("conejo"):
        farm.sicken(task["taskArn"], "hang")
    reply = rested.get("/orders")
    assert (reply.status, reply.body) == (504, b'{"message":"Endpoint request timed out"}')
    apigateway.rest(rested.link)
    reply = rested.get("/orders")
    assert (reply.status, reply.body) == (504, b'{"message":"Network error communicating with endpoint"}')
    assert reply.reason == "the VPC link is INACTIVE"


def test_a_load_balancer_may_be_the_target(farm: Farm, rested: Rested, balancer: str) -> None:
    """F§5.5 [?]: then the URI's port says which of its listeners."""
    restapis.settings().targets = "balancer"
    rested.listener = farm.balancer_arn(balancer)
    rested.route("ANY /orders")
    rested.route("ANY /other", f"http://{NAME}:81/")
    rested.deploy()
    assert seen(rested.get("/orders")) == "/"
    assert rested.get("/other").reason == "the listener is not there"


def test_https_in_the_uri_is_tls_to_the_listener(farm: Farm, rested: Rested) -> None:
    """F§5.5: https://name -> TLS, and the certificate is for that name."""
    certificate = farm.request_certificate(NAME)
    group = farm.create_target_group("secure")
    farm.register(group, *((address, 8080) for address in farm.addresses("conejo", public=False)))
    farm.create_balancer("secure", listeners=[(8443, "HTTPS")], certificate=certificate, group=group)
    farm.run_for(120)
    rested.listener = farm.listener_arn("secure", 8443)
    for path, uri in (
        ("/good", f"https://{NAME}/"),
        ("/other", "https://x.internal/"),
        ("/plain", f"http://{NAME}/"),
    ):
        rested.route(f"ANY {path}", uri)
    rested.deploy()
    assert [rested.get(path).status for path in ("/good", "/other", "/plain")] == [200, 504, 504]


def test_a_stage_throttles_and_logs(farm: Farm, rested: Rested) -> None:
    logs: Any = farm.client("logs")
    logs.create_log_group(logGroupName="granja")
    rested.route("ANY /orders")
    rested.deploy()
    asked = {
        "/~1orders/ANY/throttling/rateLimit": "1",
        "/~1orders/ANY/throttling/burstLimit": "2",
        "/accessLogSettings/destinationArn": "arn:aws:logs:eu-west-1:123456789012:log-group:granja",
        "/accessLogSettings/format": "$context.requestId $context.resourcePath $context.status",
    }
    patch = [{"op": "replace", "path": path, "value": value} for path, value in asked.items()]
    rested.rest.update_stage(restApiId=rested.api, stageName="prod", patchOperations=patch)
    replies = [rested.get("/orders") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[-1].body == b'{"message":"Too Many Requests"}'
    (event,) = logs.filter_log_events(logGroupName="granja", limit=1)["events"]
    assert event["message"] == f"{replies[0].header('x-amzn-RequestId')} /orders 200"
