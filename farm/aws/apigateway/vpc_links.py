"""VPC Links: made and unmade in minutes, immutable but for their name, names not unique (F§5.1).

`rest` and `wake` are what time and traffic do to a link: 60 idle days make it INACTIVE, a request brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from moto.ec2 import ec2_backends
from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet

from farm.aws import ACCOUNT, REGION, later
from farm.aws.apigateway.changes import telling
from farm.aws.apigateway.model import (
    Gateway,
    Params,
    Refused,
    Result,
    VpcLink,
    check_room,
    gateway,
    invalid,
    now,
    random_id,
)
from farm.aws.apigateway.paging import page

ELSEWHERE: list[Callable[[Gateway, str], Iterable[str]]] = []
"""Who else may refer to a link, and is asked before one is deleted: REST APIs, which HTTP APIs do not know."""


@telling
def create_vpc_link(of: Gateway, asked: Params) -> Result:
    """Not idempotent: the same once more is another link."""
    check_room(of, len(of.links), of.settings.most_links, "VPC links", " for this account")
    _check_name(asked["Name"])
    vpc = _vpc(of, asked["SubnetIds"], asked.get("SecurityGroupIds", ()))
    identity = random_id(6)
    shown = {
        "VpcLinkId": identity,
        "Name": asked["Name"],
        "SubnetIds": list(asked["SubnetIds"]),
        "SecurityGroupIds": list(asked.get("SecurityGroupIds", ())),
        "CreatedDate": now(),
        "VpcLinkVersion": "V2",
    }
    of.links[identity] = VpcLink(shown, vpc)
    of.tags[of.arn("vpclinks", identity)] = dict(asked.get("Tags", {}))
    _set(of.links[identity], "PENDING", "VPC link is provisioning ENIs")
    reason = of.settings.failing
    later(of.settings.linking, lambda: _finish(of, of.links.get(identity), "PENDING", reason))
    return _shown(of, of.links[identity])


def get_vpc_link(of: Gateway, asked: Params) -> Result:
    return _shown(of, of.link(asked["VpcLinkId"]))


def get_vpc_links(of: Gateway, asked: Params) -> Result:
    return page(of, [_shown(of, link) for link in of.links.values()], "VpcLinkId", asked)


def update_vpc_link(of: Gateway, asked: Params) -> Result:
    link = of.link(asked["VpcLinkId"])
    if "Name" in asked:
        _check_name(asked["Name"])
        link.shown["Name"] = asked["Name"]
    return _shown(of, link)


@telling
def delete_vpc_link(of: Gateway, asked: Params) -> Result:
    identity = asked["VpcLinkId"]
    link = of.link(identity)
    if users := sorted(set(_users(of, identity))):
        raise _in_use(identity, users, "Method:Resource")
    if users := sorted({one for look in ELSEWHERE for one in look(of, identity)}):
        raise _in_use(identity, users, "RESTApiId:Method:Resource:Stage")
    if link.shown["VpcLinkStatus"] != "DELETING":
        _set(link, "DELETING", "VPC link is deleting ENIs")
        later(of.settings.linking, lambda: _vanish(of, identity))
    return {}


def rest(link: str, region: str = REGION) -> None:
    """60 days without a request have passed."""
    of = gateway(region)
    _set(of.link(link), "INACTIVE", "VPC link is inactive due to a lack of traffic")
    of.settings.changed()


def wake(link: str, region: str = REGION) -> None:
    """A request has come: an INACTIVE link will be back after a while. Any other takes no notice."""
    of = gateway(region)
    found = of.link(link)
    if found.shown["VpcLinkStatus"] == "INACTIVE":
        _set(found, "PENDING", "VPC link is provisioning ENIs")
        later(of.settings.linking, lambda: _finish(of, of.links.get(link), "PENDING", ""))


def _users(of: Gateway, link: str) -> Iterator[str]:
    """The routes that lead through a link, served ones as well; and integrations that no route leads to."""
    for api in of.apis.values():
        linked = {one for one, shown in api.integrations.items() if shown.get("ConnectionId") == link}
        for route in api.routes.values():
            target = route.get("Target", "").removeprefix("integrations/")
            if target in linked:
                yield f"{_method(route['RouteKey'])}:{route['RouteId']}"
        for identity in linked:
            yield f"{api.integrations[identity]['IntegrationMethod']}:{identity}"
        for stage in api.stages.values():
            for served in stage.serves.routes:
                if served.integration and served.integration.link == link:
                    yield f"{_method(served.key)}:{served.id}"


def _in_use(link: str, users: Sequence[str], form: str) -> Refused:
    return invalid(
        f"Cannot delete vpc link. Vpc link '{link}', is referenced in [{', '.join(users)}] in format of [{form}]"
    )


def _method(key: str) -> str:
    return "ANY" if key == "$default" else key.partition(" ")[0]


def _set(link: VpcLink, status: str, message: str) -> None:
    link.shown |= {"VpcLinkStatus": status, "VpcLinkStatusMessage": message}


def _finish(of: Gateway, link: VpcLink | None, since: str, failing: str) -> None:
    if link is not None and link.shown["VpcLinkStatus"] == since:
        _set(link, "FAILED" if failing else "AVAILABLE", failing or "VPC link is ready to route traffic")
        of.settings.changed()


def _vanish(of: Gateway, identity: str) -> None:
    if of.links.pop(identity, None):
        of.tags.pop(of.arn("vpclinks", identity), None)
        of.settings.changed()


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= 128:
        raise invalid("Name must have between 1 and 128 characters")


def _vpc(of: Gateway, subnets: Sequence[str], groups: Sequence[str]) -> str:
    """The VPC that all of them are in."""
    if not subnets:
        raise invalid("SubnetIds for a vpc link cannot be empty")
    if len(subnets) > of.settings.most_subnets:
        raise invalid(f"A vpc link can have at most {of.settings.most_subnets} subnets")
    ec2 = ec2_backends[ACCOUNT][of.region]
    found = [_subnet(ec2, one) for one in subnets]
    vpc = str(found[0].vpc_id)
    if any(one.vpc_id != vpc for one in found):
        raise invalid("All subnets of a vpc link must belong to the same VPC")
    for one in found:
        if one.availability_zone_id in of.settings.refused_zones:
            raise invalid(
                f"Subnet '{one.id}' is in Availability Zone '{one.availability_zone_id}' where service is not available"
            )
    for group in groups:
        present = ec2.get_security_group_from_id(group)
        if present is None or present.vpc_id != vpc:
            raise invalid(f"Security group '{group}' does not exist in VPC '{vpc}'")
    return vpc


def _subnet(ec2: EC2Backend, identity: str) -> Subnet:
    try:
        return ec2.get_subnet(identity)
    except InvalidSubnetIdError as error:
        raise invalid(f"The subnet ID '{identity}' does not exist") from error


def _shown(of: Gateway, link: VpcLink) -> Result:
    return of.tagged(link.shown, "vpclinks", link.shown["VpcLinkId"])
