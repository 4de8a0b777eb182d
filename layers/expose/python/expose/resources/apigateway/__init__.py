"""API Gateway (F§5): HTTP APIs, their stages, domains and authorisers, VPC links, integrations, routes.

Little of it takes a tag, and nothing but an API's id is a name: so what is ours is told by the tag where there is one,
by the description of an integration, and of a route by the integration that it leads to. All changes of one API that
meet another are asked for again; the account allows ten calls a second for everything.
"""

from __future__ import annotations

from expose.resources.apigateway.aliases import Aliases
from expose.resources.apigateway.apis import Apis
from expose.resources.apigateway.authorizers import Authorizers
from expose.resources.apigateway.domains import Domains, Mappings
from expose.resources.apigateway.integrations import Integrations
from expose.resources.apigateway.links import Links
from expose.resources.apigateway.permissions import Permissions
from expose.resources.apigateway.routes import Routes, Throttles
from expose.resources.apigateway.stages import Stages

__all__ = [
    "ACTIONS",
    "Aliases",
    "Apis",
    "Authorizers",
    "Domains",
    "Integrations",
    "Links",
    "Mappings",
    "Permissions",
    "Routes",
    "Stages",
    "Throttles",
]

ACTIONS = (
    Aliases.ACTIONS
    | Apis.ACTIONS
    | Authorizers.ACTIONS
    | Domains.ACTIONS
    | Integrations.ACTIONS
    | Links.ACTIONS
    | Mappings.ACTIONS
    | Permissions.ACTIONS
    | Routes.ACTIONS
    | Stages.ACTIONS
    | Throttles.ACTIONS
)
