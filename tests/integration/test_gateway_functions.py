"""Lambda authorisers at an HTTP API: what they are told, what their answers mean, and when they are not asked (F§5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from farm import gateway
from farm.farm import Farm
from farm.gateway import Reply
from tests.integration.gateways import Exposed, deployed, expose

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:who-goes-there"
TOKEN = "$request.header.X-Token"


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 1, public=False)
        farm.settle()
        yield farm


@pytest.fixture(scope="module")
def exposed(farm: Farm) -> Exposed:
    found = expose(farm, "conejo")
    for path, identity, more in (
        ("simple", [TOKEN], {}),
        ("kept", [TOKEN], {"AuthorizerResultTtlInSeconds": 60}),
        ("policy", [TOKEN], {"EnableSimpleResponses": False}),
        ("old", [TOKEN], {"EnableSimpleResponses": False, "AuthorizerPayloadFormatVersion": "1.0"}),
        ("two", [TOKEN, "$request.querystring.who"], {}),
        ("anyone", [], {}),
    ):
        authorizer = found.request_authorizer(f"{FUNCTION}-{path}", *identity, **more)
        found.route(f"ANY /{path}/{{id}}", AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    found.stage(StageVariables={"lane": "slow"})
    return found


class Function:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, path: str, answer: Any) -> None:
        self.answer = answer
        self.events: list[Mapping[str, Any]] = []
        gateway.settings().functions[f"{FUNCTION}-{path}"] = self

    def __call__(self, event: Mapping[str, Any]) -> Any:
        self.events.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def get(exposed: Exposed, path: str, token: str = "t") -> Reply:
    reply = exposed.get(path, headers={"X-Token": token} if token else {})
    assert (reply.task != "") == (reply.status == 200)
    return reply


def statement(effect: str, resource: str) -> dict[str, str]:
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}


def policy(*statements: Mapping[str, str]) -> dict[str, Any]:
    return {"principalId": "ana", "policyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


def test_a_simple_answer_lets_in_or_not(exposed: Exposed) -> None:
    function = Function("simple", {"isAuthorized": True, "context": {"who": "ana"}})
    assert get(exposed, "/simple/1").status == 200
    function.answer = {"isAuthorized": False}
    reply = get(exposed, "/simple/1")
    assert (reply.status, reply.body) == (403, b'{"message":"Forbidden"}')


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "yes",
        {},
        {"isAuthorized": "true"},
        {"isAuthorized": 1},
        policy(statement("Allow", "*")),
        OSError(),
    ],
)
def test_an_answer_that_is_none_lets_nobody_in(exposed: Exposed, answer: Any) -> None:
    Function("simple", answer)
    reply = get(exposed, "/simple/1")
    assert (reply.status, reply.body) == (500, b'{"message":"Internal Server Error"}')


def test_a_function_that_is_gone_lets_nobody_in(exposed: Exposed) -> None:
    gateway.settings().functions.pop(f"{FUNCTION}-simple", None)
    assert get(exposed, "/simple/1").status == 500


def test_without_its_identity_sources_a_function_is_not_asked(exposed: Exposed) -> None:
    function = Function("two", {"isAuthorized": True})
    for path, token in (("/two/1", "t"), ("/two/1?who=", "t"), ("/two/1?who=ana", "")):
        reply = get(exposed, path, token)
        assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
    assert not function.events
    assert get(exposed, "/two/1?who=ana").status == 200
    assert function.events[0]["identitySource"] == ["t", "ana"]


def test_a_function_without_identity_sources_is_always_asked(exposed: Exposed) -> None:
    function = Function("anyone", {"isAuthorized": True})
    assert [get(exposed, "/anyone/1", "").status for _ in range(2)] == [200, 200]
    assert len(function.events) == 2


def test_what_a_function_is_told(exposed: Exposed) -> None:
    (event,) = asked(exposed, "simple", "/simple/7?a=1&a=2")
    arn = f"arn:aws:execute-api:eu-west-1:123456789012:{exposed.api}/$default/GET/simple/7"
    assert (event["version"], event["type"], event["routeArn"]) == ("2.0", "REQUEST", arn)
    assert (event["routeKey"], event["rawPath"], event["rawQueryString"]) == (
        "ANY /simple/{id}",
        "/simple/7",
        "a=1&a=2",
    )
    assert event["headers"]["x-token"] == "t"
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["stageVariables"] == {"lane": "slow"}
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["apiId"] == exposed.api
    (old,) = asked(exposed, "old", "/old/7")
    assert (old["version"], old["resource"], old["path"]) == ("1.0", "/old/{id}", "/old/7")
    assert old["methodArn"].endswith("/$default/GET/old/7")


def asked(exposed: Exposed, name: str, path: str) -> list[Mapping[str, Any]]:
    function = Function(name, policy(statement("Allow", "*")))
    get_any = exposed.get(path, headers={"X-Token": "t"})
    assert get_any.status in {200, 500}
    return function.events


@pytest.mark.parametrize("path", ["policy", "old"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (policy(statement("Allow", "*")), 200),
        (policy(statement("Allow", "arn:aws:execute-api:*:*:*/$default/GET/*/1")), 200),
        (policy(statement("Allow", "arn:aws:execute-api:*:*:*/$default/POST/*")), 403),
        (policy(statement("Allow", "*"), statement("Deny", "*/1")), 403),
        (policy(), 403),
        ({"principalId": "ana"}, 500),
        ({"policyDocument": "Allow"}, 500),
    ],
)
def test_a_policy_decides_about_the_route(exposed: Exposed, path: str, answer: Any, status: int) -> None:
    Function(path, answer)
    assert get(exposed, f"/{path}/1").status == status


def test_an_answer_is_kept_for_its_ttl_by_identity(exposed: Exposed) -> None:
    function = Function("kept", {"isAuthorized": True})
    assert [get(exposed, "/kept/1", token).status for token in ("a", "a", "b")] == [200, 200, 200]
    assert len(function.events) == 2
    function.answer = {"isAuthorized": False}
    assert get(exposed, "/kept/1", "a").status == 200
    exposed.farm.run_for(61)
    assert get(exposed, "/kept/1", "a").status == 403


def test_a_function_must_let_api_gateway_invoke_it(farm: Farm, exposed: Exposed) -> None:
    """Its policy is asked where the account's Lambda knows the function."""
    arn = deployed(farm, "guard")
    gateway.settings().functions[arn] = lambda _: {"isAuthorized": True}
    authorizer = exposed.request_authorizer(arn)
    exposed.route("ANY /guarded", AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    permission = {"FunctionName": "guard", "StatementId": "s", "Action": "lambda:InvokeFunction"}
    principal = {"Principal": "apigateway.amazonaws.com"}
    source = f"arn:aws:execute-api:eu-west-1:123456789012:{exposed.api}/authorizers"
    functions = farm.client("lambda")
    assert get(exposed, "/guarded").status == 500
    for more, status in (
        ({"Principal": "events.amazonaws.com"}, 500),
        ({**principal, "SourceArn": f"{source}/other"}, 500),
        ({**principal, "SourceArn": f"{source}/{authorizer}"}, 200),
        ({**principal, "SourceArn": f"{source}/*"}, 200),
        (principal, 200),
    ):
        functions.add_permission(**permission, **more)
        assert get(exposed, "/guarded").status == status, more
        functions.remove_permission(FunctionName="guard", StatementId="s")
