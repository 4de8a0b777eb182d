"""What an `expose:api` tag makes: routes of an API of its own or of somebody's, for paths, methods, stages and backends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from farm.farm import Farm
from farm.gate import Call
from farm.gateway.issuer import URL, issuing
from tests.integration.guarded import (
    FAST,
    TAG,
    apis,
    change,
    expose,
    gateway,
    gateway_calls,
    host,
    inventory,
    reach,
    remove,
    routes,
    stands,
)
from tests.integration.world import become

VERIFYING = {**FAST, "VerifyMinutes": "1", "CreateLoadBalancers": "any"}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters=VERIFYING) as farm:
        yield farm


def get(farm: Farm, path: str, method: str = "GET", at: str = "") -> tuple[int, str]:
    """Signed: the status and who answered."""
    reply = farm.invoke(at or host(farm), path, method=method, sign=True)
    return reply.status, reply.service


def arns(farm: Farm) -> set[str]:
    return {str(task["taskArn"]) for task in farm.tasks("conejo")}


def test_a_tag_makes_a_private_service_answer_in_a_few_calls_and_a_rotation_makes_none(farm: Farm) -> None:
    expose(farm, "/orders auth=iam", count=2)
    assert sum(gateway_calls(farm).values()) <= 13
    assert farm.invoke(host(farm), "/orders").status == 403
    assert get(farm, "/orders") == get(farm, "/orders/7/items") == (200, "conejo")
    assert get(farm, "/ordersx")[0] == 404

    before, tasks = len(farm.calls()), arns(farm)
    with farm.api_traffic(host(farm), "/orders", per_second=20, sign=True) as traffic:
        farm.deploy_new_revision("conejo")
        farm.run_for(20)
    assert arns(farm).isdisjoint(tasks)
    assert traffic.lost == []
    assert not gateway_calls(farm, before)


def test_what_is_taken_away_leaves_nothing_of_ours_and_everything_of_others(farm: Farm) -> None:
    theirs = gateway(farm).create_api(Name="theirs", ProtocolType="HTTP", Target="https://their.com")
    gateway(farm).create_vpc_link(Name="theirs", SubnetIds=list(farm.network.private))
    farm.run_for(5)
    before = inventory(farm)

    expose(farm, "/orders auth=iam rate=5 burst=7")
    farm.untag("conejo", TAG)
    reach(farm, lambda: inventory(farm) == before, limit=100)
    assert inventory(farm) == before
    assert theirs["ApiId"] in {each["ApiId"] for each in apis(farm)}


def test_two_services_share_the_api_its_stage_and_the_link(farm: Farm) -> None:
    expose(farm, "/v1/orders auth=iam")
    expose(farm, "/v2/orders auth=iam", "gallina")

    assert len(apis(farm)) == len(gateway(farm).get_vpc_links()["Items"]) == 1
    assert len(gateway(farm).get_stages(ApiId=apis(farm)[0]["ApiId"])["Items"]) == 1
    assert get(farm, "/v1/orders") == (200, "conejo")
    assert get(farm, "/v2/orders") == (200, "gallina")

    farm.untag("conejo", TAG)
    become(farm, "", tag=TAG)
    assert get(farm, "/v1/orders")[0] == 404
    assert get(farm, "/v2/orders") == (200, "gallina")
    remove(farm, "gallina")


def test_equal_terms_share_an_authoriser(farm: Farm) -> None:
    with issuing():
        terms = f"auth=jwt issuer={URL} audience=web"
        expose(farm, f"/a {terms} scopes=a", also={"expose:api:b": f"/b {terms} scopes=b"})
        become(farm, "Active", tag="expose:api:b")
        assert len(gateway(farm).get_authorizers(ApiId=apis(farm)[0]["ApiId"])["Items"]) == 1
        assert sorted(route["AuthorizationScopes"] for route in routes(farm).values()) == [
            ["a"],
            ["a"],
            ["b"],
            ["b"],
        ]


def test_only_the_methods_asked_for_are_routed(farm: Farm) -> None:
    expose(farm, "/orders auth=iam methods=GET+POST")
    assert sorted(routes(farm)) == [
        "GET /orders",
        "GET /orders/{proxy+}",
        "POST /orders",
        "POST /orders/{proxy+}",
    ]
    assert get(farm, "/orders", "PUT")[0] == 404

    change(farm, "/orders auth=iam methods=PUT")
    assert sorted(routes(farm)) == ["PUT /orders", "PUT /orders/{proxy+}"]
    assert get(farm, "/orders", "PUT") == (200, "conejo")


def seen_path(farm: Farm, path: str) -> str:
    return str(json.loads(farm.invoke(host(farm), path, sign=True).body)["path"])


def test_a_path_is_stripped_only_where_the_tag_says_so(farm: Farm) -> None:
    expose(farm, "/v1/orders auth=iam")
    assert [seen_path(farm, path) for path in ("/v1/orders", "/v1/orders/7/b")] == [
        "/v1/orders",
        "/v1/orders/7/b",
    ]

    change(farm, "/v1/orders auth=iam strip=yes")
    assert [seen_path(farm, path) for path in ("/v1/orders", "/v1/orders/7/b")] == ["/", "/7/b"]
    change(farm, "/v1/orders auth=iam")
    assert seen_path(farm, "/v1/orders/7") == "/v1/orders/7"
    remove(farm)


def throttles(farm: Farm) -> dict[str, tuple[float, int]]:
    stage = gateway(farm).get_stage(ApiId=apis(farm)[0]["ApiId"], StageName="$default")
    return {
        key: (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"])
        for key, each in stage.get("RouteSettings", {}).items()
    }


def test_throttles_are_set_changed_and_taken_back_before_their_routes(farm: Farm) -> None:
    expose(farm, "/orders auth=iam rate=5 burst=7")
    assert throttles(farm) == {"ANY /orders": (5, 7), "ANY /orders/{proxy+}": (5, 7)}
    assert sorted({get(farm, "/orders")[0] for _ in range(20)}) == [200, 429]

    change(farm, "/orders auth=iam rate=8")
    assert throttles(farm) == {"ANY /orders": (8, 8), "ANY /orders/{proxy+}": (8, 8)}
    expose(farm, "/other auth=iam", "gallina")
    removal = [call.operation for call in _removal(farm)]
    assert removal.index("DeleteRouteSettings") < removal.index("DeleteRoute")
    assert throttles(farm) == {}


def _removal(farm: Farm) -> list[Call]:
    before = len(farm.calls())
    farm.untag("conejo", TAG)
    become(farm, "", tag=TAG)
    return [call for call in farm.calls()[before:] if call.service == "apigatewayv2"]


def test_a_stage_of_its_own_is_apart_from_the_default(farm: Farm) -> None:
    expose(farm, "/orders auth=iam")
    expose(farm, "/orders auth=iam stage=beta", "gallina")
    beta, default = (
        next(
            each["ApiEndpoint"].removeprefix("https://") for each in apis(farm) if each["Name"].endswith(name)
        )
        for name in ("beta", "$default")
    )
    assert get(farm, "/orders", at=default) == (200, "conejo")
    assert get(farm, "/beta/orders", at=beta) == (200, "gallina")
    assert get(farm, "/beta/orders", at=default)[0] == 404
    reply = farm.invoke(beta, "/beta/orders", sign=True)
    assert b'"path": "/orders"' in reply.body
    remove(farm, "conejo", "gallina")


def test_a_tag_moves_to_another_path_and_another_stage_with_all_that_it_has(farm: Farm) -> None:
    expose(farm, "/orders auth=iam rate=5")
    for value in ("/bills auth=iam rate=5", "/bills auth=iam rate=5 stage=beta", "/orders auth=iam"):
        change(farm, value)
    assert sorted(routes(farm)) == ["ANY /orders", "ANY /orders/{proxy+}"]
    remove(farm)


def test_a_tag_moves_to_another_api_with_its_throttles(farm: Farm) -> None:
    expose(farm, "/orders auth=iam rate=5")
    farm.tag("conejo", {TAG: "/orders auth=iam rate=5 stage=beta"})
    assert reach(farm, lambda: len(apis(farm)) == 1 and apis(farm)[0]["Name"].endswith("beta"), limit=200)
    stage = gateway(farm).get_stage(ApiId=apis(farm)[0]["ApiId"], StageName="beta")
    assert len(stage["RouteSettings"]) == 2
    remove(farm)


def test_it_leads_to_the_load_balancer_of_the_service_where_the_tag_says_so(farm: Farm) -> None:
    expose(farm, "/orders auth=iam via=lb", also={"expose:lb": "internal host=conejo.com"})
    assert get(farm, "/orders") == (200, "conejo")
    assert not farm.cloudmap.list_namespaces()["Namespaces"]
    change(farm, "/orders auth=iam")
    assert get(farm, "/orders") == (200, "conejo")
    farm.untag("conejo", "expose:lb")
    farm.run_for(60)
    assert get(farm, "/orders") == (200, "conejo")


def registered(farm: Farm, kind: str = "SRV") -> str:
    farm.create_namespace("granja.local", "private")
    farm.run_for(5)
    space = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    record: Any = {"Type": kind, "TTL": 10}
    made = farm.cloudmap.create_service(Name="conejo", NamespaceId=space, DnsConfig={"DnsRecords": [record]})
    arn = made["Service"]["Arn"]
    port = {"containerName": "web", "containerPort": 8080} if kind == "SRV" else {}
    registries: Any = [{"registryArn": arn, **port}]
    farm.create_service("conejo", 1, public=False)
    farm.ecs.update_service(cluster="granja", service="conejo", serviceRegistries=registries)
    farm.run_for(20)
    return str(arn)


@pytest.mark.parametrize("via", ["", " via=registry"])
def test_a_registry_with_ports_that_ecs_keeps_is_used_as_it_is(farm: Farm, via: str) -> None:
    arn = registered(farm)
    change(farm, f"/orders auth=iam{via}")
    integration = gateway(farm).get_integrations(ApiId=apis(farm)[0]["ApiId"])["Items"][0]
    assert integration["IntegrationUri"] == arn
    assert len(farm.cloudmap.list_services()["Services"]) == 1
    assert get(farm, "/orders") == (200, "conejo")


def test_a_registry_without_ports_is_not_used_by_itself(farm: Farm) -> None:
    """Records of type A carry no port and do not work (F§5.1)."""
    registered(farm, "A")
    change(farm, "/orders auth=iam")
    assert get(farm, "/orders") == (200, "conejo")
    assert len(farm.cloudmap.list_services()["Services"]) == 2


def theirs(farm: Farm, key: str = "GET /health", **asked: str) -> str:
    """Somebody's API with a route, and what is in it."""
    api = gateway(farm).create_api(Name="theirs", ProtocolType="HTTP")["ApiId"]
    integration = gateway(farm).create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", PayloadFormatVersion="1.0",
        IntegrationUri="https://their.com",
    )["IntegrationId"]  # fmt: skip
    gateway(farm).create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}", **asked)
    gateway(farm).create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return str(api)


def test_an_existing_api_gets_routes_and_loses_them_again(farm: Farm) -> None:
    api = theirs(farm)
    before = inventory(farm)
    expose(farm, f"/orders api={api} auth=iam")
    assert get(farm, "/orders") == (200, "conejo")
    assert [each["ApiId"] for each in apis(farm)] == [api]
    assert not inventory(farm).keys().isdisjoint(before)

    farm.untag("conejo", TAG)
    reach(farm, lambda: inventory(farm) == before, limit=100)
    assert inventory(farm) == before


def test_a_verification_changes_nothing_where_all_is_well(farm: Farm) -> None:
    expose(farm, "/orders auth=iam rate=5 burst=7")
    before = len(farm.calls())
    farm.run_for(130)
    calls = gateway_calls(farm, before)
    assert calls["GetRoutes"] >= 2
    assert not [name for name in calls if not name.startswith("Get")]
    assert stands(farm, "/orders auth=iam rate=5 burst=7")
