"""HTTP APIs as `expose:api` makes them, for its tests: what is there of ours, and a watch that no request gets past a door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from farm.aws import restapis
from farm.aws.apigateway import seen
from farm.farm import Farm
from farm.gate import GATE, Call
from farm.gateway import Reply
from farm.gateway.model import settings
from tests.integration.gateways import deployed
from tests.integration.world import LISTED, READS, become, kept, status

TAG = "expose:api"
FAST = {**LISTED, "GraceSeconds": "0"}
PATHS = ("/orders", "/orders/7/items")
JUDGE = "judge"


def expose(
    farm: Farm, value: str, service: str = "conejo", count: int = 1, *, also: Mapping[str, str] | None = None
) -> str:
    """Create a private service with this tag, and let time pass until it answers. Its API's host."""
    farm.create_service(service, count, public=False, tags={TAG: value, **(also or {})})
    become(farm, "Active", service, TAG)
    return host(farm)


def change(farm: Farm, value: str, service: str = "conejo", tag: str = TAG) -> None:
    """Set a tag, and let time pass until what it says is so."""
    farm.tag(service, {tag: value})
    assert reach(farm, lambda: stands(farm, value, service, tag)), status(farm, service, tag)


def stands(farm: Farm, value: str, service: str = "conejo", tag: str = TAG) -> bool:
    found = status(farm, service, tag)
    return (found.get("status"), found.get("value")) == ("Active", value)


def reach(farm: Farm, reached: Callable[[], bool], limit: float = 1500) -> bool:
    """Looked at more and more rarely."""
    waited = step = 0.5
    while waited < limit:
        if reached():
            return True
        farm.run_for(step)
        waited += step
        step = min(step * 1.5, 60)
    return reached()


def remove(farm: Farm, *services: str, tag: str = TAG) -> None:
    """Untag, and let time pass until nothing of ours is left."""
    for service in services or ("conejo",):
        farm.untag(service, tag)
    assert reach(farm, lambda: clean(farm)), (inventory(farm), farm.ledger())


def clean(farm: Farm) -> bool:
    return not inventory(farm) and all(item["sk"] == "SERVICE" for item in kept(farm))


def gateway(farm: Farm) -> Any:
    return farm.client("apigatewayv2")


def apis(farm: Farm) -> list[Any]:
    return list(gateway(farm).get_apis()["Items"])


def host(farm: Farm, number: int = 0) -> str:
    return str(apis(farm)[number]["ApiEndpoint"]).removeprefix("https://")


def routes(farm: Farm, api: str = "") -> dict[str, Any]:
    """By key."""
    api = api or apis(farm)[0]["ApiId"]
    return {route["RouteKey"]: route for route in gateway(farm).get_routes(ApiId=api)["Items"]}


def inventory(farm: Farm) -> dict[str, Any]:
    """Everything in API Gateway, what Cloud Map and Lambda hold for it, by a name that people understand."""
    client = gateway(farm)
    found: dict[str, Any] = {f"link {each['VpcLinkId']}": each for each in client.get_vpc_links()["Items"]}
    found = {name: each for name, each in found.items() if each["VpcLinkStatus"] != "DELETING"}
    for api in client.get_apis()["Items"]:
        found[f"api {api['ApiId']}"] = api
        for kind in ("routes", "integrations", "authorizers", "stages"):
            for each in getattr(client, f"get_{kind}")(ApiId=api["ApiId"])["Items"]:
                name = next(each[key] for key in _NAMES[kind] if key in each)
                found[f"{kind} {api['ApiId']} {name}"] = _still(each)
    found |= rest_inventory(farm)
    for domain in client.get_domain_names()["Items"]:
        found[f"domain {domain['DomainName']}"] = domain
        for mapping in client.get_api_mappings(DomainName=domain["DomainName"])["Items"]:
            found[f"mapping {domain['DomainName']} {mapping['ApiMappingId']}"] = mapping
    found |= {f"space {each['Id']}": each["Name"] for each in farm.cloudmap.list_namespaces()["Namespaces"]}
    found |= {f"permission {each}": each for each in permissions(farm)}
    return found


def rest_inventory(farm: Farm) -> dict[str, Any]:
    client = farm.client("apigateway")
    found: dict[str, Any] = {}
    for api in client.get_rest_apis()["items"]:
        found[f"rest {api['id']}"] = api
        for each in client.get_resources(restApiId=api["id"], limit=500, embed=["methods"])["items"]:
            found[f"rest {api['id']}{each['path']}"] = each
        for each in client.get_authorizers(restApiId=api["id"])["items"]:
            found[f"rest authorizer {each['id']}"] = each
        for each in client.get_stages(restApiId=api["id"])["item"]:
            found[f"rest stage {api['id']} {each['stageName']}"] = each["stageName"]
    return found


_NAMES = {
    "routes": ("RouteId",),
    "integrations": ("IntegrationId",),
    "authorizers": ("AuthorizerId",),
    "stages": ("StageName",),
}


def _still(each: Any) -> Any:
    """Without what every automatic deployment changes."""
    return {
        name: value
        for name, value in each.items()
        if name not in {"DeploymentId", "LastUpdatedDate", "LastDeploymentStatusMessage"}
    }


def changes(farm: Farm, after: int = 0) -> list[Call]:
    """What the product changed, or tried to, with what it exposes APIs with; of the calls from number `after` on."""
    return [call for call in farm.calls()[after:] if changing(call)]


def changing(call: Call) -> bool:
    return call.caller == "reconcile" and call.service in _OURS and not call.operation.startswith(READS)


_OURS = frozenset({"apigateway", "apigatewayv2", "lambda", "route53"})


def gateway_calls(farm: Farm, after: int = 0) -> Counter[str]:
    return Counter(
        call.operation
        for call in farm.calls()[after:]
        if call.caller == "reconcile" and call.service in _OURS
    )


def create_function(farm: Farm, name: str = JUDGE, word: str = "open sesame") -> str:
    """A Lambda authoriser that lets those pass who know the word. Its ARN."""
    arn = deployed(farm, name)
    settings().functions[arn] = lambda event: {"isAuthorized": event["headers"].get("authorization") == word}
    return arn


def permissions(farm: Farm) -> list[str]:
    """The statements in the policies of the account's own functions."""
    client = farm.client("lambda")
    if JUDGE not in {each["FunctionName"] for each in client.list_functions()["Functions"]}:
        return []
    try:
        return [str(client.get_policy(FunctionName=JUDGE)["Policy"])] if _said(client) else []
    except client.exceptions.ResourceNotFoundException:
        return []


def _said(client: Any) -> bool:
    return '"Sid"' in client.get_policy(FunctionName=JUDGE)["Policy"]


@dataclass
class Watch:
    """Tries every door after every call, as somebody without the right to."""

    farm: Farm
    bearing: dict[str, str] = field(default_factory=dict)
    """Tokens that must not do, by a name."""
    tried: int = 0
    found: list[str] = field(default_factory=list)

    def observe(self, call: Call, result: Any) -> None:
        """Tokens are tried only where something can have become different for them: checking them takes its time."""
        tokens = self.bearing if call.service in _OURS and not call.operation.startswith(READS) else {}
        self.found += [f"after {call.caller}'s {call.operation}: {way}" for way in self.open(tokens)]

    def open(self, tokens: Mapping[str, str]) -> Iterator[str]:
        """The ways in that are open to somebody without any, and with each of these tokens."""
        for name in [*{one.host for one in seen.apis()}, *{one.name for one in seen.domains()}]:
            for path in PATHS:
                yield from self._try(name, path, "GET", "nothing", {})
                for who, token in tokens.items():
                    yield from self._try(name, path, "GET", who, {"authorization": f"Bearer {token}"})
            yield from self._try(name, PATHS[0], "POST", "nothing", {})
        for name in (one.host for one in restapis.seen.apis()):
            for path in PATHS:
                yield from self._try(name, f"/live{path}", "GET", "nothing", {})
                for who, token in tokens.items():
                    yield from self._try(name, f"/live{path}", "GET", who, {"authorization": token})

    def _try(self, name: str, path: str, method: str, who: str, headers: dict[str, str]) -> Iterator[str]:
        self.tried += 1
        reply: Reply = self.farm.invoke(name, path, method=method, headers=headers)
        if reply.service:
            yield f"{method} {name}{path} with {who} reaches {reply.service} by {reply.route}"


@contextmanager
def watching(farm: Farm, **bearing: str) -> Iterator[Watch]:
    """While a `with` lasts nobody gets in who may not, whatever call has just been made."""
    watch = Watch(farm, bearing)
    GATE.observers.append(watch.observe)
    try:
        yield watch
    finally:
        GATE.observers.remove(watch.observe)
    assert not watch.found, watch.found[:3]
