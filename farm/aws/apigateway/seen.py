"""What the data plane reads: APIs, what their stages serve, VPC Links, domain names and their mappings.

Whoever calls these in a farm on the wall clock holds `farm.aws.ONE_AT_A_TIME`; what they give may be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from farm.aws import REGION
from farm.aws.apigateway.deployed import AccessLogs, Deployed, route_settings
from farm.aws.apigateway.model import Api, Result, Stage, VpcLink, gateway


@dataclass(frozen=True, slots=True)
class Served:
    """An HTTP API. `host` is its own name in DNS, which answers only while `open`."""

    id: str
    name: str
    host: str
    open: bool
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A VPC Link. Only an AVAILABLE one carries requests."""

    id: str
    name: str
    status: str
    vpc: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    """Its security groups; none stands for the VPC's own."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A custom domain name: `target` is what its record in DNS must lead to."""

    name: str
    target: str
    zone: str
    certificate: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """Under which path of a domain a stage answers; an empty key is the root."""

    key: str
    api: str
    stage: str


def apis(region: str = REGION) -> list[Served]:
    return [_served(one) for one in gateway(region).apis.values()]


def deployed(api: str, stage: str, region: str = REGION) -> Deployed | None:
    """What a stage serves; None if there is no such API or stage. Without a deployment it serves no routes."""
    found = gateway(region).apis.get(api)
    held = found.stages.get(stage) if found else None
    return _deployed(api, held) if held else None


def links(region: str = REGION) -> list[Link]:
    """All that are not gone."""
    return [_link(one) for one in gateway(region).links.values()]


def domains(region: str = REGION) -> list[Domain]:
    return [_domain(one.shown) for one in gateway(region).domains.values()]


def mappings(domain: str, region: str = REGION) -> list[Mapping]:
    """Of a domain name, the longest key first; none if there is no such domain."""
    found = gateway(region).domains.get(domain)
    all_of_it = found.mappings.values() if found else ()
    values = [Mapping(one.get("ApiMappingKey", ""), one["ApiId"], one["Stage"]) for one in all_of_it]
    return sorted(values, key=lambda one: (-len(one.key), one.key))


def _served(api: Api) -> Served:
    return Served(
        id=api.id,
        name=api.shown["Name"],
        host=api.shown["ApiEndpoint"].removeprefix("https://"),
        open=not api.shown["DisableExecuteApiEndpoint"],
        stages=tuple(api.stages),
    )


def _deployed(api: str, stage: Stage) -> Deployed:
    shown = stage.shown
    logs = shown.get("AccessLogSettings")
    return Deployed(
        api=api,
        stage=shown["StageName"],
        deployment=stage.serves.deployment,
        routes=stage.serves.routes,
        cors=stage.serves.cors,
        route_settings={key: route_settings(one) for key, one in shown["RouteSettings"].items()},
        default=route_settings(shown["DefaultRouteSettings"]),
        variables=dict(shown["StageVariables"]),
        access_logs=AccessLogs(logs["DestinationArn"], logs["Format"]) if logs else None,
    )


def _link(link: VpcLink) -> Link:
    shown = link.shown
    return Link(
        id=shown["VpcLinkId"],
        name=shown["Name"],
        status=shown["VpcLinkStatus"],
        vpc=link.vpc,
        subnets=tuple(shown["SubnetIds"]),
        groups=tuple(shown["SecurityGroupIds"]),
    )


def _domain(shown: Result) -> Domain:
    configured = shown["DomainNameConfigurations"][0]
    return Domain(
        name=shown["DomainName"],
        target=configured["ApiGatewayDomainName"],
        zone=configured["HostedZoneId"],
        certificate=configured["CertificateArn"],
    )
