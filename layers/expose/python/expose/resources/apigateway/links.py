"""VPC links: one of ours for each VPC, shared by all routes into it. Making one takes minutes (F§5.1).

AWS changes neither its subnets nor its security groups: one that no longer fits is replaced by another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from expose.aws import Clients
from expose.model import MAKING, Identity, Owned, Resource, digest, fingerprint
from expose.refusals import Gone, NotYet, Refused
from expose.resources.apigateway.edge import changing, pages, said, unless_gone
from expose.resources.kind import Ids, Made, Settled
from expose.resources.mark import OWNER_TAG, owner

_USABLE = frozenset({"AVAILABLE", "INACTIVE"})
"""An inactive one, which had no traffic for 60 days, resumes by itself."""
_GOOD = _USABLE | {"PENDING"}
_MADE = 15.0  # seconds before it is looked again whether a link can be used


def check_made(clients: Clients, link: str) -> None:
    """Raise `NotYet` for a link that is being made: a route to it would answer 503."""
    if clients.apigatewayv2.get_vpc_link(VpcLinkId=link).get("VpcLinkStatus") == "PENDING":
        raise NotYet(f"VPC link {link} is being made, which takes minutes", seconds=_MADE)


class Links:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:POST"})

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def fitting(
        self, vpc: str, *, there: Collection[str], subnets: Sequence[str], groups: Sequence[str]
    ) -> tuple[str, Sequence[str]]:
        """The key and the subnets of the link into a VPC: of the one that stands in subnets which are still `there`, with
        these security groups; else of the one to be made.
        """
        fit = [
            (key, standing)
            for link in pages(self._clients.apigatewayv2.get_vpc_links)
            if link.get("VpcLinkStatus") in _GOOD and there and {*link["SubnetIds"]} <= {*there}
            for standing in [sorted(link["SubnetIds"])]
            for key in [_key(vpc, standing, groups)]
            if link.get("Tags", {}).get(OWNER_TAG) == owner(self._stack, Identity("apigw.link", key))
        ]
        return min(fit, default=(_key(vpc, subnets, groups), subnets))

    def given(self, names: Collection[str], *, there: Collection[str]) -> str:
        """The id of the first of these links that stands in one of the subnets; empty for none."""
        found = (self._subnets(name) for name in names)
        return next((name for name, standing in zip(names, found, strict=True) if standing & {*there}), "")

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            is_ours = entry.identity.kind == "apigw.link" and entry.aws_id
            if is_ours and self._status(entry.aws_id)[0] in _GOOD:
                yield Owned(entry.identity, fingerprint({}), entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Names are not unique, and creating is not safe to repeat: one that is there is found by its tag."""
        if there := self._find(resource.identity):
            return Made(there, operation=MAKING)
        self._remove_failed(resource.identity)
        gateway = self._clients.apigatewayv2
        try:
            with changing():
                link = self._clients.apigatewayv2_once.create_vpc_link(
                    Name=f"{self._stack} {resource.identity.key}",
                    SubnetIds=ids["subnets"].split(),
                    SecurityGroupIds=ids.get("groups", "").split(),
                    Tags={OWNER_TAG: owner(self._stack, resource.identity)},
                )
        except gateway.exceptions.BadRequestException as error:
            problem = f"API Gateway makes no VPC link in the subnets of the tasks: {said(error)}. Run them in other zones"
            raise Refused("BadSubnets", problem) from error
        return Made(link.get("VpcLinkId", ""), operation=MAKING)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """It cannot be changed."""
        if self._status(aws_id)[0] in _GOOD:
            return Made(aws_id, operation=MAKING)
        raise Gone(f"VPC link {aws_id} has failed")

    def settle(self, running: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Settled]:
        settled: dict[Identity, Settled] = {}
        for entry in running:
            status, words = self._status(entry.aws_id)
            if status in _USABLE:
                settled[entry.identity] = Settled(entry.aws_id)
            elif status != "PENDING":
                settled[entry.identity] = Settled(
                    error=f"VPC link {entry.aws_id} is {status or 'gone'}: {words}".rstrip(": ")
                )
        return settled

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """Whatever became of it."""
        return next((name for name, status in self._ours(owned.identity) if status != "DELETING"), "")

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Raise `NotYet` while something still refers to it."""
        gateway = self._clients.apigatewayv2
        try:
            with unless_gone(), changing():
                gateway.get_vpc_link(VpcLinkId=aws_id)
                gateway.delete_vpc_link(VpcLinkId=aws_id)
        except gateway.exceptions.BadRequestException as error:
            raise NotYet(f"VPC link {aws_id} is still in use: {said(error)}", seconds=30) from error
        return ""

    def _subnets(self, aws_id: str) -> set[str]:
        gateway = self._clients.apigatewayv2
        try:
            return {*gateway.get_vpc_link(VpcLinkId=aws_id)["SubnetIds"]}
        except gateway.exceptions.NotFoundException:
            return set()

    def _find(self, identity: Identity) -> str:
        """The id of one that can be used, or will be; empty for none."""
        return next((name for name, status in self._ours(identity) if status in _GOOD), "")

    def _remove_failed(self, identity: Identity) -> None:
        """They count among the ten of a Region."""
        for name, status in self._ours(identity):
            if status == "FAILED":
                with unless_gone(), changing():
                    self._clients.apigatewayv2.delete_vpc_link(VpcLinkId=name)

    def _ours(self, identity: Identity) -> list[tuple[str, str]]:
        return [
            (link["VpcLinkId"], link.get("VpcLinkStatus", ""))
            for link in pages(self._clients.apigatewayv2.get_vpc_links)
            if link.get("Tags", {}).get(OWNER_TAG) == owner(self._stack, identity)
        ]

    def _status(self, aws_id: str) -> tuple[str, str]:
        """And why; both empty where it is gone."""
        gateway = self._clients.apigatewayv2
        try:
            link = gateway.get_vpc_link(VpcLinkId=aws_id)
        except gateway.exceptions.NotFoundException:
            return "", ""
        return link.get("VpcLinkStatus", ""), link.get("VpcLinkStatusMessage", "")


def _key(vpc: str, subnets: Sequence[str], groups: Sequence[str]) -> str:
    return f"{vpc}/{digest(f'{sorted(subnets)} {sorted(groups)}')}"
