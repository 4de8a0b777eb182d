"""REST APIs on the wire: real requests through the gateway and a load balancer to real tasks (F§5.5)."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import pytest

from farm.farm import Farm
from farm.gateway.issuer import Issuer, issuing
from farm.pace import FAST
from tests.integration.entrances import PATIENCE, eventually, group_of, healthy, listening
from tests.integration.rest_gateways import ISSUER, NAME, Rested, rest_expose


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm.wall(deploy=False, pace=FAST) as farm:
        farm.create_service("conejo", 3, public=False)
        eventually(lambda: len(farm.addresses("conejo", public=False)) == 3)
        group = group_of(farm, "conejo", "conejo")
        farm.create_balancer("inner", group=group)
        listening(farm, "inner")
        healthy(farm, group)
        yield farm


@pytest.fixture(scope="module")
def issuer(farm: Farm) -> Iterator[Issuer]:
    with issuing(ISSUER) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def rested(farm: Farm, issuer: Issuer) -> Rested:
    found = rest_expose(farm, farm.listener_arn("inner", 80))
    guarded = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": found.pools()}
    declared = {**guarded, "requestParameters": {"method.request.path.proxy": True}}
    found.route("ANY /orders/{proxy+}", f"http://{NAME}/inside/{{proxy}}", declared)
    found.route("ANY /signed", method={"authorizationType": "AWS_IAM"})
    found.route("ANY /late", timeoutInMillis=200)
    found.deploy()
    return found


def test_requests_with_tokens_reach_every_task(rested: Rested, issuer: Issuer) -> None:
    bearer = {"Authorization": f"Bearer {issuer.token(token_use='id')}"}
    with rested.farm.api_traffic(rested.host, "/prod/orders/1", headers=bearer, per_second=100) as traffic:
        eventually(lambda: traffic.sent >= 200)
    assert not traffic.lost
    assert len(traffic.tasks) == 3


def test_who_may_not_pass_reaches_no_task(rested: Rested, issuer: Issuer) -> None:
    reply = rested.get("/orders/1?x=1", headers={"Authorization": issuer.token(token_use="id")})
    assert (reply.status, reply.route) == (200, "ANY /orders/{proxy+}")
    assert json.loads(reply.body)["path"] == "/inside/1?x=1"
    for refused, status in (
        (rested.get("/orders/1"), 401),
        (rested.get("/signed"), 403),
        (rested.get("/none"), 403),
    ):
        assert (refused.status, refused.task) == (status, "")
    assert rested.get("/signed", method="POST", body=b"{}", sign=True).status == 200


def test_its_own_name_leads_to_the_gateway(rested: Rested) -> None:
    farm = rested.farm
    address, port = farm.gateway_address(rested.host)
    eventually(lambda: farm.dig(rested.host) == [address])
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE)
    connection.request("GET", "/prod/none", headers={"Host": rested.host})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (403, b'{"message":"Missing Authentication Token"}')
    assert answer.getheader("x-amzn-RequestId")
    connection.close()


def test_a_backend_that_is_late(rested: Rested) -> None:
    """Last here: the tasks do not get well again."""
    for task in rested.farm.tasks("conejo"):
        rested.farm.sicken(task["taskArn"], "hang")
    begun = time.monotonic()
    reply = rested.get("/late")
    assert (reply.status, reply.body) == (504, b'{"message":"Endpoint request timed out"}')
    assert 0.2 <= time.monotonic() - begun < 29  # which a backend would be given otherwise
