"""The adapters, one file for each service of AWS, and the one map that names them all.

To add a kind of resource, write its adapter and add its line to `adapters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from expose.aws import Clients
from expose.ledger import Ledger
from expose.model import Identity, Owned
from expose.names import Names
from expose.resources import apigateway, certificates, claims, cloudmap, elb, network, restapi, ssm
from expose.resources.kind import Batch, Condition, Finder, Health, Ids, Kind, Made, Operations, Settled
from expose.resources.marked import Marked
from expose.shared import Shared

__all__ = [
    "Adapters",
    "Batch",
    "Condition",
    "Finder",
    "Ids",
    "Made",
    "Marked",
    "Placement",
    "Settled",
    "adapters",
]

Placement = network.Placement


@dataclass(frozen=True, slots=True)
class Adapters:
    """By kind: what changes it, what follows its operations, what answers look-ups for it, what takes many of it in one
    call, what tells how healthy it is. `marked` finds all that carries a mark, whether or not the ledger knows of it.
    `standing` names the parameter of the stack that forbids to remove a shared resource, if there is one.
    """

    kinds: Mapping[str, Kind]
    operations: Mapping[str, Operations]
    finders: Mapping[str, Finder]
    batches: Mapping[str, Batch] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    marked: Callable[[str], Iterable[Owned]] = lambda _: ()
    standing: Callable[[Identity], str] = lambda _: ""


def adapters(
    clients: Clients,
    ledger: Ledger,
    names: Names,
    shared: Shared,
    *,
    stack: str,
    placement: network.Placement,
    standing: Callable[[Identity], str],
) -> Adapters:
    namespaces = cloudmap.Namespaces(clients, stack)
    operations = cloudmap.Operations(clients)
    balancers = elb.Balancers(clients, stack)
    groups = elb.Groups(clients)
    targets = elb.Targets(clients)
    apis = apigateway.Apis(clients, stack)
    links = apigateway.Links(clients, stack)
    routes = restapi.RestRoutes(clients)
    domains = apigateway.Domains(clients, stack)
    addresses = ssm.Addresses(clients, stack)
    return Adapters(
        kinds={
            "apigw.api": apis,
            "apigw.authorizer": apigateway.Authorizers(clients),
            "apigw.domain": domains,
            "apigw.integration": apigateway.Integrations(clients),
            "apigw.link": links,
            "apigw.mapping": apigateway.Mappings(clients),
            "apigw.route": apigateway.Routes(clients),
            "apigw.stage": apigateway.Stages(clients, stack),
            "apigw.throttle": apigateway.Throttles(clients),
            "claim": claims.Claims(names),
            "cloudmap.namespace": namespaces,
            "cloudmap.service": cloudmap.Services(clients),
            "cloudmap.instance": cloudmap.Instances(clients),
            "elb.balancer": balancers,
            "elb.listener": elb.Listeners(clients, stack),
            "elb.certificate": elb.Certificates(clients),
            "elb.group": groups,
            "elb.rule": elb.Rules(clients, shared, stack),
            "elb.network-listener": elb.NetworkListeners(clients, shared, stack),
            "elb.target": targets,
            "lambda.permission": apigateway.Permissions(clients),
            "rest.api": restapi.RestApis(clients, stack),
            "rest.authorizer": restapi.RestAuthorizers(clients),
            "rest.resource": restapi.Paths(clients),
            "rest.route": routes,
            "route53.alias": apigateway.Aliases(clients),
            "ssm.address": addresses,
            "ssm.list": ssm.Lists(clients, stack),
        },
        operations={
            "apigw.link": links,
            "cloudmap.namespace": operations,
            "cloudmap.service": operations,
            "cloudmap.instance": operations,
            "elb.balancer": balancers,
            "elb.target": targets,
        },
        finders={
            "apigw.api": apis,
            "apigw.domain": domains,
            "acm.certificate": certificates.Certificates(clients),
            "cloudmap.namespace": namespaces,
            "ec2.link": network.LinkSites(clients, placement, links),
            "ec2.site": network.Sites(clients, placement, balancers),
            "ec2.vpc": network.Vpcs(clients),
            "elb.balancer": elb.Named(clients),
            "elb.group": groups,
            "elb.native": elb.NativeListeners(clients),
            "lb.listener": elb.OwnListeners(ledger),
        },
        batches={"elb.target": targets, "rest.route": routes, "ssm.address": addresses},
        health={"elb.target": targets},
        marked=Marked(clients).of_exposure,
        standing=standing,
    )
