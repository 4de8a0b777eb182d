"""A small farm of values for the tests of what is pure: a service, its tasks, its tag, the namespaces around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expose.arn import ServiceArn
from expose.definitions import Binding, Definition, Port
from expose.mechanisms import MECHANISMS, Lookup, Surroundings
from expose.mechanisms.dns import NAMESPACE
from expose.model import Exposure, Service, Task
from expose.policy import Limits
from expose.tags import read_one

ARN = ServiceArn("aws", "eu-west-1", "123456789012", "granja", "conejo")
NAME = "conejo.granja.animales.com"
NOW = 1_795_165_251.402
GRAMMARS = {name: mechanism.grammar for name, mechanism in MECHANISMS.items()}
DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/conejo:7"


def definition(*ports: Port, mode: str = "awsvpc", checked: bool = False) -> Definition:
    return Definition(DEFINITION, "conejo", mode, ports, checked)


def task(number: int, **differences: Any) -> Task:
    """Running for an hour, with every address that it may be asked for."""
    usual: dict[str, Any] = {
        "id": f"{number:032x}",
        "definition": DEFINITION,
        "running": True,
        "started_at": NOW - 3600,
        "zone": "eu-west-1a",
        "private_ipv4": f"10.20.{number // 256}.{number % 256}",
        "public_ipv4": f"203.0.{number // 256}.{number % 256}",
        "ipv6": f"2001:db8::{number:x}",
        "instance": f"i-{number:017x}",
    }
    bindings = tuple(Binding(*each) for each in differences.pop("bindings", ()))
    return Task(**usual | differences, bindings=bindings)


def service(*tasks: Task, of: Definition | None = None, **differences: Any) -> Service:
    definitions = {DEFINITION: of or definition(Port("web", 8080))}
    usual: dict[str, Any] = {
        "arn": ARN,
        "wanted": len(tasks),
        "definitions": definitions,
        "tasks": tasks,
        "read_at": NOW,
    }
    return Service(**usual | differences)


def exposure(value: str = NAME, tag: str = "expose:dns") -> Exposure:
    return read_one(ARN, tag, value, GRAMMARS)


def namespace(name: str, kind: str = "public", **differences: Any) -> dict[str, Any]:
    return {"id": f"ns-{kind}-{name}", "name": name, "kind": kind, "ours": False} | differences


def surroundings(
    *namespaces: Mapping[str, Any], name: str = NAME, limits: Limits | None = None, vpcs: Sequence[str] = ()
) -> Surroundings:
    """What the look-ups have found for `name`."""
    found: dict[Lookup, Any] = {Lookup(NAMESPACE, name): list(namespaces)}
    found |= {Lookup("ec2.vpc", f"subnet-{vpc}"): vpc for vpc in vpcs}
    return Surroundings(limits or Limits(), mark="corral/granja/conejo/expose:dns", found=found)


def balancer(name: str = "granja-alb", kind: str = "application", **differences: Any) -> dict[str, Any]:
    """What the look-up of a load balancer that exists answers."""
    return {
        "arn": f"arn:balancer/{name}",
        "type": kind,
        "scheme": "internal",
        "address": f"{name}.elb.amazonaws.com",
        "vpc": "vpc-1",
        "blocks": ["10.20.0.0/16"],
        "listeners": [] if kind == "network" else [listener(80)],
    } | differences


def listener(port: int, protocol: str = "HTTP") -> dict[str, Any]:
    return {"arn": f"arn:listener/{port}", "port": port, "protocol": protocol}


def site(**differences: Any) -> dict[str, Any]:
    """What the look-up of where a load balancer of our own can stand answers: nowhere is one yet."""
    return {
        "vpc": "vpc-1",
        "balancer": "",
        "subnets": ["subnet-1", "subnet-2"],
        "groups": [],
    } | differences


def group(name: str = "conejo-blue", kind: str = "ip", **differences: Any) -> dict[str, Any]:
    """What the look-up of a target group that exists answers."""
    return {
        "arn": f"arn:group/{name}",
        "type": kind,
        "vpc": "vpc-1",
        "blocks": ["10.20.0.0/16"],
    } | differences


def around(of: Exposure, its: Service, answer: Any, limits: Limits, **certificates: str) -> Surroundings:
    """Every look-up of an exposure answered: with `answer`, and for names with the ARNs of their certificates."""
    lookups = MECHANISMS[of.mechanism].lookups(of, its, limits)
    found = {
        lookup: certificates.get(lookup.key.partition(".")[0], "")
        if lookup.kind == "acm.certificate"
        else answer
        for lookup in lookups
    }
    return Surroundings(limits, mark=f"corral/granja/conejo/{of.tag}", found=found)
