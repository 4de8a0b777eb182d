"""Which Cloud Map namespace a name falls in: the one with the longest name that it ends with, else a new one of ours.

Private namespaces of one name stand in different VPCs: the VPC of the service's tasks says which is meant, and each of
them has the name for itself. Those that another account shares are not used: they want ARNs in place of ids, and what is
made in them is lost to us when sharing ends (F§11.9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service
from expose.refusals import NotYet, Refused

NAMESPACE, VPC = "cloudmap.namespace", "ec2.vpc"

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Namespace:
    """`made` is the resource where it is, or will be, one of ours. `zone` is where no two services may have a name: for
    the first of several it is the same as before there were others.
    """

    name: str
    kind: str
    ref: Identity | str
    made: Resource | None = None
    zone: str = ""


def candidates(exposure: Exposure, surroundings: Surroundings) -> Sequence[Found]:
    """The existing namespaces that may be meant: several where their names do not tell."""
    found: Sequence[Found] = surroundings.found.get(Lookup(NAMESPACE, exposure.target), ())
    fitting = [space for space in found if f".{exposure.target}".endswith(f".{space['name']}")]
    longest = max((len(space["name"]) for space in fitting), default=0)
    named = [space for space in fitting if len(space["name"]) == longest]
    named = [space for space in named if not _is_shared(space, exposure)] or named
    if len(named) > 1:
        named = [space for space in named if _suits(space["kind"], exposure)] or named
    return named


def choose(exposure: Exposure, service: Service, surroundings: Surroundings) -> Namespace:
    """Raise `Refused` where none may be had, `NotYet` where the first task will tell which of several."""
    named = candidates(exposure, surroundings)
    if not named:
        return _new(exposure, surroundings)
    if named[0]["name"] == exposure.target:
        problem = (
            f"{exposure.target} is a namespace itself: expected a name in it, such as www.{exposure.target}"
        )
        raise Refused("NoNamespace", exposure.said(problem))
    space = named[0] if len(named) == 1 else _of_vpc(exposure, service, named)
    if _is_shared(space, exposure):
        problem = (
            f"namespace {space['name']} belongs to account {space['owner']}, which shares it with this one: choose a name in "
            "a namespace of this account, or let a stack over there expose the service"
        )
        raise Refused("SharedNamespace", exposure.said(problem))
    kind = space["kind"]
    if space["ours"]:
        return _ours(space["name"], kind, vpc="")
    zone = f"{kind}/{space['id']}" if space.get("later") and len(named) > 1 else kind
    return Namespace(space["name"], kind, space["id"], zone=zone)


def _of_vpc(exposure: Exposure, service: Service, named: Sequence[Found]) -> Found:
    """The private one in the VPC of the service's tasks."""
    names = ", ".join(f"{space['id']} ({space['kind']})" for space in named)
    said = f"{named[0]['name']} is the name of several namespaces, {names}"
    vpcs = {task.vpc for task in service.tasks if task.vpc}
    if not vpcs and all(space.get("vpcs") for space in named):
        raise NotYet(exposure.said(f"{said}: the VPC of the first task will tell which is meant"), seconds=60)
    there = [space for space in named if vpcs & {*space.get("vpcs", ())}]
    if len(there) == 1:
        return there[0]
    raise Refused(
        "SeveralNamespaces",
        exposure.said(
            f"{said}: say ip=public or ip=private if that tells them apart, or choose a name in another namespace"
        ),
    )


def _is_shared(space: Found, exposure: Exposure) -> bool:
    """With this account, by another one."""
    return bool(space.get("owner", exposure.service.account) != exposure.service.account)


def _suits(kind: str, exposure: Exposure) -> bool:
    wanted = exposure.options.get("ip")
    return wanted is not None and (kind == "public") == (wanted == "public")


def _new(exposure: Exposure, surroundings: Surroundings) -> Namespace:
    kind = surroundings.limits.create_namespaces
    parent = exposure.target.partition(".")[2]
    if kind == "no" or (kind == "public" and "." not in parent):
        raise Refused(
            "NoNamespace",
            exposure.said(
                f"no Cloud Map namespace has a name that {exposure.target} ends with: create namespace "
                f"{parent}, or let the stack do it with its parameter CreateNamespaces"
            ),
        )
    surroundings.limits.check_name(parent, exposure)
    vpcs = [value for lookup, value in surroundings.found.items() if lookup.kind == VPC]
    if kind == "private" and not vpcs:
        raise Refused(
            "NoVpc",
            exposure.said(
                f"cannot tell the VPC for a private namespace, because the service has no network "
                f"configuration of its own: create namespace {parent} yourself"
            ),
        )
    return _ours(parent, kind, vpc=vpcs[0] if kind == "private" else "")


def _ours(name: str, kind: str, *, vpc: str) -> Namespace:
    identity = Identity(NAMESPACE, f"{kind}/{name}")
    made = Resource(
        identity, spec={"name": name, "kind": kind}, refs={"vpc": vpc} if vpc else {}, shared=True
    )
    return Namespace(name, kind, identity, made, zone=kind)
