"""AWS Cloud Map (F§3): namespaces, the services in them, the instances of those.

Changes to namespaces and instances go on after the answer, and may fail there for reasons that no answer shows, such
as a missing permission in Route 53: `Operations` follows them to their end. Namespaces and services of ours carry our
mark as a tag; instances, which take no tags, as an attribute.
"""

from __future__ import annotations

from expose.resources.cloudmap.instances import Instances
from expose.resources.cloudmap.namespaces import Namespaces
from expose.resources.cloudmap.operations import Operations
from expose.resources.cloudmap.services import Services

__all__ = ["ACTIONS", "Instances", "Namespaces", "Operations", "Services"]

ACTIONS = Namespaces.ACTIONS | Services.ACTIONS | Instances.ACTIONS | Operations.ACTIONS
