"""What surrounds interfaces, where moto differs from EC2: ACLs, route tables, prefix lists, and how much one may ask.

- A filter takes 200 values, whatever is described; one that matches is enough.
- The default ACL of a VPC with IPv6 allows that too, and an ACL of one's own ends in a denial that AWS put there.
- A route whose gateway is detached or gone is a blackhole.
- A prefix list that is not there is an error, not an empty list.
- An ACL knows types of ICMP.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatch
from typing import Any

from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.managed_prefixes import ManagedPrefixList, ManagedPrefixListBackend
from moto.ec2.models.network_acls import NetworkAcl, NetworkAclBackend
from moto.ec2.models.route_tables import Route
from moto.ec2.models.vpcs import VPC
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.network_acls import NetworkACLs

_MOST_VALUES = 200  # of one filter
_LAST = 32767  # the number of the entry that denies what is left; of IPv6, the one after it

_moto_filters: Callable[[EC2BaseResponse], dict[str, list[str]]] = EC2BaseResponse._filters_from_querystring
_moto_create_acl = NetworkAclBackend.create_network_acl
_moto_associate = VPC.associate_vpc_cidr_block
_moto_entries = ManagedPrefixListBackend.get_managed_prefix_list_entries
_moto_matches = utils.is_filter_matching


def mend() -> None:
    EC2BaseResponse._filters_from_querystring = _filters
    utils.is_filter_matching = _matches
    NetworkAclBackend.create_network_acl = _create_acl
    VPC.associate_vpc_cidr_block = _associate
    NetworkACLs.create_network_acl_entry = _keeping_icmp(NetworkACLs.create_network_acl_entry)
    NetworkACLs.replace_network_acl_entry = _keeping_icmp(NetworkACLs.replace_network_acl_entry)
    Route.state = property(_state)
    ManagedPrefixListBackend.get_managed_prefix_list_entries = _entries


def _filters(self: EC2BaseResponse) -> dict[str, list[str]]:
    found = _moto_filters(self)
    if any(len(values) > _MOST_VALUES for values in found.values()):
        raise EC2ClientError(
            "FilterLimitExceeded",
            f"The maximum number of filter values specified on a single call is {_MOST_VALUES}",
        )
    return found


def _create_acl(
    self: Any, vpc_id: str, tags: list[dict[str, str]] | None = None, default: bool = False
) -> NetworkAcl:
    acl = _moto_create_acl(self, vpc_id, tags=tags, default=default)
    if not default:
        for egress in (True, False):
            _entry(self, acl, _LAST, "deny", egress=egress)
    if self.get_vpc(vpc_id).get_cidr_block_association_set(ipv6=True):
        _speak_ipv6(self, acl)
    return acl


def _associate(
    self: VPC, cidr_block: str, amazon_provided_ipv6_cidr_block: bool = False, *more: Any, **named: Any
) -> Any:
    """The default ACL of a VPC that gets IPv6 later learns it then."""
    made = _moto_associate(self, cidr_block, amazon_provided_ipv6_cidr_block, *more, **named)
    if amazon_provided_ipv6_cidr_block:
        for acl in self.ec2_backend.network_acls.values():
            if acl.vpc_id == self.id:
                _speak_ipv6(self.ec2_backend, acl)
    return made


def _speak_ipv6(backend: Any, acl: NetworkAcl) -> None:
    taken = {(entry.rule_number, entry.egress) for entry in acl.network_acl_entries}
    wanted = [(101, "allow")] if acl.default else []
    for number, action in (*wanted, (_LAST + 1, "deny")):
        for egress in (True, False):
            if (number, egress) not in taken:
                _entry(backend, acl, number, action, egress=egress, ipv6=True)


def _entry(
    backend: Any, acl: NetworkAcl, number: int, action: str, *, egress: bool, ipv6: bool = False
) -> None:
    backend.create_network_acl_entry(
        acl.id,
        number,
        "-1",
        action,
        egress,
        cidr_block=None if ipv6 else "0.0.0.0/0",
        ipv6_cidr_block="::/0" if ipv6 else None,
        icmp_code=None,
        icmp_type=None,
        port_range_from=None,
        port_range_to=None,
    )


def _keeping_icmp(call: Callable[[NetworkACLs], Any]) -> Callable[[NetworkACLs], Any]:
    def keeping(self: NetworkACLs) -> Any:
        answer = call(self)
        number, egress = self._get_param("RuleNumber"), self._get_param("Egress")
        icmp = self._get_param("IcmpTypeCode") or {}
        for entry in self.ec2_backend.get_network_acl(self._get_param("NetworkAclId")).network_acl_entries:
            if (entry.rule_number, entry.egress) == (number, egress):
                entry.icmp_type, entry.icmp_code = icmp.get("Type"), icmp.get("Code")
        return answer

    return keeping


def _matches(described: Any, name: str, wanted: Any) -> bool:
    """One of the values is enough, also of what has several itself."""
    has = described.get_filter_value(name)
    if wanted is None or has is None or isinstance(has, (str, bool, int, datetime)):
        return bool(_moto_matches(described, name, wanted))
    asked = [wanted] if isinstance(wanted, str) else wanted
    return any(fnmatch(str(one), pattern) for one in has for pattern in asked)


def _state(self: Route) -> str:
    backend = self.route_table.ec2_backend
    gateway = self.gateway_id or ""
    if gateway.startswith("igw-"):
        found = backend.internet_gateways.get(gateway)
        return "active" if found and found.vpc and found.vpc.id == self.route_table.vpc_id else "blackhole"
    if self.nat_gateway and self.nat_gateway.state == "deleted":
        return "blackhole"
    return "active"


def _entries(self: Any, prefix_list_id: str) -> ManagedPrefixList:
    found = _moto_entries(self, prefix_list_id)
    if not found or found.state == "delete-complete":
        raise EC2ClientError(
            "InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist"
        )
    return found
