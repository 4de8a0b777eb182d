"""AWS_IAM at an HTTP API: a signature of Version 4 is really checked (F§5.3)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from farm import gateway
from farm.aws import clock
from farm.farm import Farm
from farm.gateway.routing import Request
from farm.gateway.signing import signed, verify
from tests.integration.gateways import Exposed, expose


@pytest.fixture(scope="module")
def exposed() -> Iterator[Exposed]:
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 2, public=False)
        farm.settle()
        found = expose(farm, "conejo")
        found.route("ANY /orders/{proxy+}", AuthorizationType="AWS_IAM")
        found.stage()
        yield found


def send(exposed: Exposed, request: Request) -> tuple[int, str]:
    reply = exposed.farm.invoke(
        request.host, request.path, method=request.method, headers=request.headers, body=request.body
    )
    assert (reply.task != "") == (reply.status == 200)
    if reply.status != 200:
        assert (reply.status, reply.body) == (403, b'{"message":"Forbidden"}')
    return reply.status, reply.reason


def asked(exposed: Exposed, path: str = "/orders/1?a=b&c=%20d", **more: Any) -> Request:
    return Request(exposed.host, path, more.pop("method", "POST"), body=more.pop("body", b"{}"), **more)


def test_the_farms_user_is_let_in(exposed: Exposed) -> None:
    assert send(exposed, signed(asked(exposed))) == (200, "")
    assert exposed.get("/orders/1", sign=True).status == 200


def test_an_iam_users_key_counts_while_it_is_active(exposed: Exposed) -> None:
    iam = exposed.farm.client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    pair = key["AccessKeyId"], key["SecretAccessKey"]
    assert send(exposed, signed(asked(exposed), *pair)) == (200, "")
    iam.update_access_key(UserName="ana", AccessKeyId=pair[0], Status="Inactive")
    assert send(exposed, signed(asked(exposed), *pair)) == (403, "the access key is unknown")


@pytest.mark.parametrize(
    ("key", "secret", "late", "reason"),
    [
        ("farm", "guessed", 0, "the signature does not match"),
        ("stranger", "farm", 0, "the access key is unknown"),
        ("farm", "farm", -301, "the signature has expired"),
        ("farm", "farm", 301, "the signature has expired"),
    ],
)
def test_a_signature_that_is_wrong_or_late_is_refused(
    exposed: Exposed, key: str, secret: str, late: float, reason: str
) -> None:
    request = signed(asked(exposed), key, secret, at=clock.now() + late)
    assert send(exposed, request) == (403, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"path": "/orders/2?a=b&c=%20d"}, "the signature does not match"),
        ({"path": "/orders/1?a=c&c=%20d"}, "the signature does not match"),
        ({"method": "GET"}, "the signature does not match"),
        ({"body": b"{1}"}, "the signature does not match"),
        ({"headers": {}}, "the request is not signed"),
        ({"headers": {"Authorization": "AWS4-HMAC-SHA256 nonsense"}}, "the request is not signed"),
        ({"headers": {"Authorization": "Bearer x.y.z"}}, "the request is not signed"),
    ],
)
def test_a_request_that_was_changed_on_its_way_is_refused(
    exposed: Exposed, change: dict[str, Any], reason: str
) -> None:
    assert send(exposed, replace(signed(asked(exposed)), **change)) == (403, reason)


def test_a_signature_for_something_else_is_refused(exposed: Exposed) -> None:
    elsewhere = signed(replace(asked(exposed), host="other.example"))
    assert send(exposed, replace(elsewhere, host=exposed.host)) == (403, "the signature does not match")
    made = signed(asked(exposed))
    other = made.headers["Authorization"].replace("/execute-api/", "/s3/")
    refused = send(exposed, replace(made, headers={**made.headers, "Authorization": other}))
    assert refused == (403, "the signature is for s3 in eu-west-1")
    bare = made.headers["Authorization"].replace("host;", "")
    refused = send(exposed, replace(made, headers={**made.headers, "Authorization": bare}))
    assert refused == (403, "the signature does not cover host and date")


def test_a_body_is_held_to_the_hash_that_is_sent_with_it(exposed: Exposed) -> None:
    told = asked(exposed, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert send(exposed, signed(told)) == (403, "the body is not the one that was signed")


def test_iam_decides_after_the_signature(exposed: Exposed) -> None:
    asked_for: list[tuple[str, str]] = []
    gateway.settings().allow = lambda key, arn: bool(asked_for.append((key, arn)))
    try:
        refused = send(exposed, signed(asked(exposed)))
    finally:
        gateway.settings().allow = lambda *_: True
    assert refused == (403, "IAM does not let the caller invoke this")
    arn = f"arn:aws:execute-api:eu-west-1:123456789012:{exposed.api}/$default/POST/orders/1"
    assert asked_for == [("farm", arn)]


def test_what_any_client_of_aws_signs_is_understood() -> None:
    """The other end: botocore's signer as a client uses it, with the wall's clock."""
    sent = AWSRequest(
        "PUT", "https://h.example/a%20b/c?z=1&y=%C3%A9", {"X-Custom": "  spaced   out "}, b"data"
    )
    SigV4Auth(Credentials("key", "secret"), "execute-api", "eu-west-1").add_auth(sent)
    headers = dict(sent.headers.items())
    request = Request("h.example", "/a%20b/c?z=1&y=%C3%A9", "PUT", headers, body=b"data")
    secrets = {"key": "secret"}
    assert verify(request, secrets.get, time.time()) == "key"
