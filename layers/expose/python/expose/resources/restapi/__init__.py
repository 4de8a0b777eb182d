"""API Gateway's REST APIs (F§5.5): one of ours for each name and stage, its paths and authorisers, and its routes.

What is in an API of ours is ours; a route says in its operation name for which exposure. What is changed is live only
once it is deployed, as a copy of all that the API holds at that moment: so whoever changes routes deploys them.
"""

from __future__ import annotations

from expose.resources.restapi.apis import RestApis
from expose.resources.restapi.authorizers import RestAuthorizers
from expose.resources.restapi.paths import Paths
from expose.resources.restapi.routes import RestRoutes

__all__ = ["ACTIONS", "Paths", "RestApis", "RestAuthorizers", "RestRoutes"]

ACTIONS = RestApis.ACTIONS | RestAuthorizers.ACTIONS | Paths.ACTIONS | RestRoutes.ACTIONS
