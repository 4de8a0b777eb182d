"""Elastic Load Balancing (F§4): load balancers, listeners, rules, target groups, and the targets in them.

What is made carries our mark as a tag, but for targets, which take none: those of our own groups are all ours, and in
a group of somebody else's only those that the ledger knows. Rules and network listeners may be shared by weight:
`joint` keeps what each exposure has in them.
"""

from __future__ import annotations

from expose.resources.elb.balancers import Balancers, Named
from expose.resources.elb.certificates import Certificates
from expose.resources.elb.groups import Groups
from expose.resources.elb.listeners import Listeners
from expose.resources.elb.network_listeners import NetworkListeners
from expose.resources.elb.own import NativeListeners, OwnListeners
from expose.resources.elb.rules import Rules
from expose.resources.elb.targets import Targets

__all__ = [
    "ACTIONS",
    "Balancers",
    "Certificates",
    "Groups",
    "Listeners",
    "Named",
    "NativeListeners",
    "NetworkListeners",
    "OwnListeners",
    "Rules",
    "Targets",
]

ACTIONS = (
    Balancers.ACTIONS
    | Named.ACTIONS
    | Certificates.ACTIONS
    | Groups.ACTIONS
    | Listeners.ACTIONS
    | NetworkListeners.ACTIONS
    | Rules.ACTIONS
    | Targets.ACTIONS
)
