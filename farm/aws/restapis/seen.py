"""What the data plane reads of REST APIs: what their stages serve.

Whoever calls these in a farm on the wall clock holds `farm.aws.ONE_AT_A_TIME`; what they give may be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from farm.aws import REGION
from farm.aws.apigateway.deployed import AccessLogs, Deployed, RouteSettings
from farm.aws.apigateway.model import Gateway
from farm.aws.apigateway.seen import Served
from farm.aws.restapis.model import Rest, RestApi, rest

_ALL = "*/*"


def apis(region: str = REGION) -> list[Served]:
    of = rest(region)
    return [_served(of, one) for one in of.apis.values()]


def deployed(api: str, stage: str, region: str = REGION) -> Deployed | None:
    """What a stage serves; None if there is no such API or stage."""
    found = rest(region).apis.get(api)
    return _deployed(found, stage) if found and stage in found.stages else None


def linked(gateway: Gateway, link: str) -> Iterator[str]:
    """What keeps a VPC Link from being deleted: integrations as they are, and as stages serve them (F§5.5)."""
    for api in rest(gateway.region).apis.values():
        for resource in api.resources.values():
            for name, method in resource["resourceMethods"].items():
                if method.get("methodIntegration", {}).get("connectionId") == link:
                    yield f"{api.id}:{name}:{resource['id']}"
        for stage in api.stages:
            for route in api.served(stage).routes:
                if route.integration and route.integration.link == link:
                    yield f"{api.id}:{route.key.partition(' ')[0]}:{route.id}:{stage}"


def _served(of: Rest, api: RestApi) -> Served:
    return Served(
        id=api.id,
        name=api.shown["name"],
        host=of.host(api.id),
        open=not api.shown["disableExecuteApiEndpoint"],
        stages=tuple(api.stages),
    )


def _deployed(api: RestApi, name: str) -> Deployed:
    stage = api.stages[name]
    logs, settings = stage.get("accessLogSettings"), stage["methodSettings"]
    snapshot = api.served(name)
    return Deployed(
        api=api.id,
        stage=name,
        deployment=snapshot.deployment,
        routes=snapshot.routes,
        cors=None,
        route_settings={_key(one): _settings(said) for one, said in settings.items() if one != _ALL},
        default=_settings(settings.get(_ALL, {})),
        variables=dict(stage.get("variables", {})),
        access_logs=AccessLogs(logs["destinationArn"], logs["format"]) if logs else None,
    )


def _key(path: str) -> str:
    """~1orders~1{proxy+}/GET is GET /orders/{proxy+}"""
    resource, _, method = path.rpartition("/")
    plain = resource.replace("~1", "/").replace("~0", "~")
    return f"{method} /{plain.removeprefix('/')}"


def _settings(said: Mapping[str, Any]) -> RouteSettings:
    return RouteSettings(
        rate=said.get("throttlingRateLimit"),
        burst=said.get("throttlingBurstLimit"),
        metrics=said.get("metricsEnabled", False),
    )
