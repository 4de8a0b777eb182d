"""HTTP APIs on the wire: real requests through the gateway to real tasks, with real tokens and certificates (F§5)."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from farm import gateway
from farm.balancers import tls
from farm.farm import Farm
from farm.gateway.issuer import Issuer, issuing
from farm.pace import FAST
from tests.integration.entrances import PATIENCE, eventually, healthy, listening
from tests.integration.entrances import group_of as checked_group
from tests.integration.gateways import Exposed, expose

DOMAIN = "api1.system.com"
INNER = "inner.animales.com"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:asks-the-account"


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm.wall(deploy=False, pace=FAST) as farm:
        farm.create_service("conejo", 3, public=False)
        farm.create_service("enfermo", 1, public=False)
        eventually(
            lambda: len(farm.addresses("conejo", public=False) + farm.addresses("enfermo", public=False)) == 4
        )
        yield farm


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def exposed(farm: Farm, issuer: Issuer) -> Exposed:
    issuer.known()
    found = expose(farm, "conejo")
    guarded: dict[str, Any] = {"AuthorizationType": "JWT", "AuthorizerId": found.jwt(issuer.url, "orders")}
    found.route("ANY /orders/{proxy+}", **guarded)
    found.route("ANY /signed", AuthorizationType="AWS_IAM")
    found.route("ANY /open")
    found.stage()
    return found


def test_hundreds_of_requests_a_second_with_tokens(exposed: Exposed, issuer: Issuer) -> None:
    bearer = {"Authorization": f"Bearer {issuer.token(audience='orders')}"}
    with exposed.farm.api_traffic(exposed.host, "/orders/1", headers=bearer, per_second=200) as traffic:
        eventually(lambda: traffic.sent >= 500)
    assert not traffic.lost
    assert len(traffic.tasks) == 3
    assert max(traffic.tasks.values()) - min(traffic.tasks.values()) <= 5


def test_who_may_not_pass_reaches_no_task(exposed: Exposed, issuer: Issuer) -> None:
    before = exposed.get("/orders/1")
    assert (before.status, before.body, before.task) == (401, b'{"message":"Unauthorized"}', "")
    forged = {"Authorization": issuer.token(audience="orders", forged=True)}
    assert exposed.get("/orders/1", headers=forged).status == 401
    reply = exposed.get("/orders/1?x=1", headers={"Authorization": issuer.token(audience="orders")})
    assert (reply.status, reply.service, reply.route) == (200, "conejo", "ANY /orders/{proxy+}")
    assert json.loads(reply.body)["path"] == "/orders/1?x=1"
    assert exposed.get("/signed").status == 403
    assert exposed.get("/signed", method="POST", body=b"{}", sign=True).status == 200
    assert exposed.get("/none").status == 404


def test_two_headers_of_one_name_are_one(exposed: Exposed, issuer: Issuer) -> None:
    """A second token must not slip in behind the first."""
    address, port = exposed.farm.gateway_address(exposed.host)
    good = f"Authorization: Bearer {issuer.token(audience='orders')}\r\n"
    said = f"GET /orders/1 HTTP/1.1\r\nHost: {exposed.host}\r\n{good}authorization: Bearer x\r\n\r\n"
    with socket.create_connection((address, port), timeout=PATIENCE) as connection:
        connection.sendall(said.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_function_may_ask_the_account(exposed: Exposed) -> None:
    """An authoriser is asked without a lock: whoever it asks may need it."""
    services = exposed.farm.ecs
    gateway.settings().functions[FUNCTION] = lambda _: {"isAuthorized": bool(services.list_clusters())}
    authorizer = exposed.request_authorizer(FUNCTION)
    exposed.route("ANY /asked", AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    assert exposed.get("/asked").status == 200


def test_head_and_garbage(exposed: Exposed) -> None:
    reply = exposed.get("/open", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.header("content-length")) > 0
    place = exposed.farm.gateway_address(exposed.host)
    with socket.create_connection(place, timeout=PATIENCE) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(100) == b""
    assert exposed.get("/open").status == 200


def test_a_domain_is_served_with_its_certificate(exposed: Exposed) -> None:
    farm, certificate = exposed.farm, exposed.farm.request_certificate(DOMAIN)
    made = exposed.gateway.create_domain_name(
        DomainName=DOMAIN,
        DomainNameConfigurations=[{"CertificateArn": certificate, "EndpointType": "REGIONAL"}],
    )
    exposed.gateway.create_api_mapping(DomainName=DOMAIN, ApiId=exposed.api, Stage="$default")
    target = made["DomainNameConfigurations"][0]["ApiGatewayDomainName"]
    address, port = farm.gateway_address(DOMAIN, secure=True)
    eventually(lambda: farm.dig(target) == farm.dig(exposed.host) == [address])
    with farm.api_traffic(DOMAIN, "/open", per_second=50, certificate=certificate) as traffic:
        eventually(lambda: traffic.sent >= 20)
    assert not traffic.lost
    trusting = tls.trusting(certificate)
    with (
        pytest.raises(ssl.SSLError),
        socket.create_connection((address, port), timeout=PATIENCE) as connection,
    ):
        trusting.wrap_socket(connection, server_hostname="other.example").close()


def test_a_backend_that_is_late_or_gone(exposed: Exposed) -> None:
    farm = exposed.farm
    sick = expose(farm, "enfermo")
    sick.route("ANY /", sick.integration(TimeoutInMillis=200))
    sick.stage()
    assert sick.get("/").service == "enfermo"
    farm.sicken(farm.tasks("enfermo")[0]["taskArn"], "hang")
    begun = time.monotonic()
    reply = sick.get("/")
    assert (reply.status, reply.body) == (504, b'{"message":"Endpoint request timed out"}')
    assert 0.2 <= time.monotonic() - begun < 30  # which a backend would be given otherwise
    farm.scale("enfermo", 0)
    eventually(lambda: sick.get("/").status == 503)
    assert sick.get("/").body == b'{"message":"Service Unavailable"}'
    assert sick.get("/").reason == "the backend broke off: ConnectionRefusedError"


@pytest.mark.parametrize(("port", "protocol", "secure"), [(80, "HTTP", {}), (8443, "HTTPS", {"name": INNER})])
def test_a_listener_is_reached_through_its_own_door(
    exposed: Exposed, port: int, protocol: str, secure: dict[str, str]
) -> None:
    farm, name = exposed.farm, f"inner-{port}"
    certificate = farm.request_certificate(INNER) if secure else ""
    group = checked_group(farm, "conejo", name)
    farm.create_balancer(name, listeners=[(port, protocol)], certificate=certificate, group=group)
    listening(farm, name, port)
    healthy(farm, group)
    config = {"TlsConfig": {"ServerNameToVerify": secure["name"]}} if secure else {}
    exposed.route(f"ANY /{name}", exposed.integration(farm.listener_arn(name, port), **config))
    page = json.loads(exposed.get(f"/{name}").body)
    assert (page["service"], page["path"]) == ("conejo", f"/{name}")
    assert page["x-forwarded-for"].startswith("127.0.0.1, 127.")


def test_only_names_of_apis_have_an_address(farm: Farm, exposed: Exposed) -> None:
    address, port = farm.gateway_address(exposed.host)
    assert (address.rpartition(".")[0], port) == ("127.30.254", 8080)
    with pytest.raises(LookupError, match=r"nobody\.example: no API has this name"):
        farm.gateway_address("nobody.example")
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE)
    connection.request("GET", "/open", headers={"Host": "nobody.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_an_issuer_speaks_oidc() -> None:
    with Farm.virtual(deploy=False), issuing() as issuer:
        place = issuer.address.removeprefix("http://")
        connection = http.client.HTTPConnection(place, timeout=PATIENCE)
        connection.request("GET", "/.well-known/openid-configuration")
        told = json.loads(connection.getresponse().read())
        connection.close()
        assert told["issuer"] == issuer.url
        assert told["jwks_uri"] == f"{issuer.url}/jwks.json"
        assert gateway.settings().issuers == {issuer.url: issuer.address}
