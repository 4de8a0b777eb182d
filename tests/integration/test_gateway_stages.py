"""Stages and domains of HTTP APIs as clients see them: names, prefixes, throttles, CORS, logs (F§5.4)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest

from farm import wire
from farm.farm import Farm
from farm.gateway.routing import Request
from tests.integration.gateways import Exposed, expose

DOMAIN = "api1.system.com"
ORIGIN = {"Origin": "https://shop.example"}
_NUMBERS = itertools.count()
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PUT"}


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 1, public=False)
        farm.settle()
        yield farm


@pytest.fixture
def exposed(farm: Farm) -> Exposed:
    """One for each test, with the one task behind it."""
    found = expose(farm, f"api-{next(_NUMBERS)}", registered=False)
    (address,) = farm.addresses("conejo", public=False)
    found.register(AWS_INSTANCE_IPV4=address, AWS_INSTANCE_PORT="8080")
    return found


def path(exposed: Exposed, asked: str, host: str = "") -> str | int:
    """The path that the backend saw; the status if it saw none."""
    reply = exposed.farm.invoke(host or exposed.host, asked)
    return json.loads(reply.body)["path"] if reply.task else reply.status


def test_a_named_stage_is_in_the_path_unless_it_is_taken_out(exposed: Exposed) -> None:
    exposed.route("ANY /as-is", exposed.integration(RequestParameters={}))
    exposed.route("ANY /inner")
    strip = exposed.integration(RequestParameters={"overwrite:path": "/$request.path.proxy"})
    exposed.route("ANY /orders/{proxy+}", strip)
    exposed.stage()
    exposed.stage("beta")
    assert path(exposed, "/as-is") == "/as-is"
    assert path(exposed, "/beta/as-is") == "/beta/as-is"
    assert path(exposed, "/beta/inner?x=1") == "/inner?x=1"
    assert path(exposed, "/beta/orders/1/2") == path(exposed, "/orders/1/2") == "/1/2"
    assert path(exposed, "/gamma/inner") == 404


def test_a_route_is_there_once_it_is_deployed(exposed: Exposed) -> None:
    exposed.gateway.create_stage(ApiId=exposed.api, StageName="$default")
    exposed.route("ANY /orders")
    assert path(exposed, "/orders") == 404
    exposed.gateway.create_deployment(ApiId=exposed.api, StageName="$default")
    assert path(exposed, "/orders") == "/orders"
    exposed.gateway.delete_route(ApiId=exposed.api, RouteId=exposed.ids["ANY /orders"])
    assert path(exposed, "/orders") == "/orders"


def test_a_domain_leads_to_stages_by_its_mappings(farm: Farm, exposed: Exposed) -> None:
    exposed.route("ANY /{proxy+}")
    exposed.stage()
    exposed.stage("beta")
    domain = domain_of(farm, exposed)
    assert path(exposed, "/orders", DOMAIN) == 403
    exposed.gateway.create_api_mapping(DomainName=DOMAIN, ApiId=exposed.api, Stage="$default")
    beta = {"DomainName": DOMAIN, "ApiId": exposed.api, "Stage": "beta", "ApiMappingKey": "new"}
    exposed.gateway.create_api_mapping(**beta)
    assert path(exposed, "/orders", DOMAIN) == "/orders"
    assert path(exposed, "/new/orders", DOMAIN) == "/orders"
    assert path(exposed, "/newer/orders", DOMAIN) == "/newer/orders"
    assert farm.resolve(domain) == farm.resolve(exposed.host) != []
    exposed.gateway.update_api(ApiId=exposed.api, DisableExecuteApiEndpoint=True)
    assert path(exposed, "/orders", DOMAIN) == "/orders"
    closed = exposed.get("/orders")
    assert (closed.status, closed.body) == (404, b'{"message":"Not Found"}')


def test_a_record_in_route_53_leads_to_a_domain(farm: Farm, exposed: Exposed) -> None:
    name = "api2.system.com"
    target = domain_of(farm, exposed, name)
    zones = farm.client("route53")
    zone = zones.create_hosted_zone(Name="system.com", CallerReference="1")["HostedZone"]["Id"]
    alias = {"HostedZoneId": "Z1", "DNSName": target, "EvaluateTargetHealth": False}
    record = {"Name": name, "Type": "A", "AliasTarget": alias}
    plain = {"Name": "www.system.com", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": name}]}
    for action, found in (("CREATE", ["127.30.254.1"]), ("DELETE", [])):
        changes = [{"Action": action, "ResourceRecordSet": one} for one in (record, plain)]
        zones.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        assert farm.resolve(name) == found
        assert farm.resolve("www.system.com", "CNAME") == ([f"{name}."] if found else [])


def domain_of(farm: Farm, exposed: Exposed, name: str = DOMAIN) -> str:
    """Made; the name that its record would lead to."""
    made = exposed.gateway.create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[
            {"CertificateArn": farm.request_certificate(name), "EndpointType": "REGIONAL"}
        ],
    )
    return made["DomainNameConfigurations"][0]["ApiGatewayDomainName"]


def test_a_route_passes_what_its_bucket_holds(farm: Farm, exposed: Exposed) -> None:
    exposed.route("ANY /slow")
    exposed.route("ANY /fast")
    exposed.route("ANY /metered")
    exposed.route("ANY /shut")
    exposed.stage(
        DefaultRouteSettings={"ThrottlingRateLimit": 5.0, "ThrottlingBurstLimit": 5},
        RouteSettings={
            "ANY /slow": {"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 2},
            "ANY /metered": {"DetailedMetricsEnabled": True},
            "ANY /shut": {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0},
        },
    )
    statuses = [exposed.get("/slow").status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert exposed.get("/slow").body == b'{"message":"Too Many Requests"}'
    assert [exposed.get("/fast").status for _ in range(6)] == [200] * 5 + [429]
    assert {exposed.get("/metered").status for _ in range(50)} == {200}, "its settings replace the default"
    assert exposed.get("/shut").status == 429
    farm.run_for(1)
    assert [exposed.get("/slow").status for _ in range(2)] == [200, 429]


def test_who_is_throttled_is_not_let_in_either(exposed: Exposed) -> None:
    exposed.route("ANY /orders", AuthorizationType="AWS_IAM")
    exposed.stage(DefaultRouteSettings={"ThrottlingRateLimit": 1.0, "ThrottlingBurstLimit": 1})
    assert [exposed.get("/orders", sign=True).status for _ in range(2)] == [200, 429]


def cors(exposed: Exposed) -> None:
    exposed.gateway.update_api(
        ApiId=exposed.api,
        CorsConfiguration={
            "AllowOrigins": ["https://shop.example"],
            "AllowMethods": ["GET", "PUT"],
            "AllowHeaders": ["authorization"],
            "MaxAge": 60,
        },
    )


def test_a_preflight_is_answered_where_no_route_takes_it(exposed: Exposed) -> None:
    exposed.route("GET /orders", AuthorizationType="AWS_IAM")
    exposed.route("ANY /any", AuthorizationType="AWS_IAM")
    exposed.stage()
    assert exposed.get("/orders", method="OPTIONS", headers=PREFLIGHT).status == 404
    cors(exposed)
    reply = exposed.get("/orders", method="OPTIONS", headers=PREFLIGHT)
    assert (reply.status, reply.body, reply.task) == (204, b"", "")
    assert reply.header("access-control-allow-origin") == "https://shop.example"
    assert reply.header("access-control-allow-methods") == "GET,PUT"
    assert reply.header("access-control-allow-headers") == "authorization"
    assert reply.header("access-control-max-age") == "60"
    stranger = exposed.get("/orders", method="OPTIONS", headers={**PREFLIGHT, "Origin": "https://x.example"})
    assert not stranger.header("access-control-allow-origin")
    guarded = exposed.get("/any", method="OPTIONS", headers=PREFLIGHT)
    assert (guarded.status, guarded.task) == (403, "")
    assert exposed.get("/orders", method="OPTIONS").status == 404


def test_answers_say_which_origin_may_read_them(exposed: Exposed) -> None:
    exposed.route("ANY /orders")
    exposed.stage()
    cors(exposed)
    assert exposed.get("/orders", headers=ORIGIN).header("access-control-allow-origin") == ORIGIN["Origin"]
    assert not exposed.get("/orders").header("access-control-allow-origin")


def test_what_a_backend_says_of_origins_is_overridden(farm: Farm, exposed: Exposed) -> None:
    exposed.route("ANY /orders")
    exposed.stage()
    cors(exposed)
    said = wire.response(200, b"", "text/plain", ("access-control-allow-origin", "*"), ("X-Own", "1"))
    exchange = farm.gateway.decide(Request(exposed.host, "/orders", headers={"Origin": "https://x.example"}))
    names = [name.lower() for name, _ in farm.gateway.finish(exchange, said).headers]
    assert names == ["content-type", "x-own", "apigw-requestid"]


def test_every_request_is_counted_and_logged(farm: Farm, exposed: Exposed) -> None:
    logs = farm.client("logs")
    logs.create_log_group(logGroupName="/apis/conejo")
    group = logs.describe_log_groups(logGroupNamePrefix="/apis/")["logGroups"][0]["arn"]
    form = (
        '{"id":"$context.requestId","route":"$context.routeKey","status":$context.status,"who":"$context.x"}'
    )
    exposed.route("ANY /orders")
    exposed.route("ANY /closed", AuthorizationType="AWS_IAM")
    exposed.stage(AccessLogSettings={"DestinationArn": group.removesuffix(":*"), "Format": form})
    for asked in ("/orders", "/orders", "/closed", "/none"):
        exposed.get(asked)
    counted = {key[2]: n for key, n in farm.gateway.counts.items() if key[0] == exposed.api}
    assert counted == {"ANY /orders": 2, "ANY /closed": 1, "": 1}
    events = logs.filter_log_events(logGroupName="/apis/conejo")["events"]
    lines = [json.loads(event["message"]) for event in events]
    assert [(one["route"], one["status"]) for one in lines] == [
        ("ANY /orders", 200),
        ("ANY /orders", 200),
        ("ANY /closed", 403),
        ("-", 404),
    ]
    assert {one["who"] for one in lines} == {"-"}
    assert lines[0]["id"] == farm.gateway.entries[-4].id


def test_a_host_that_nobody_has_is_forbidden(farm: Farm) -> None:
    reply = farm.invoke("nobody.example", "/orders")
    assert (reply.status, reply.body) == (403, b'{"message":"Forbidden"}')
