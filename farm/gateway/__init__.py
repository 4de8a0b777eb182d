"""API Gateway's APIs carry traffic: what `farm.aws.apigateway` and `farm.aws.restapis` say there is, authorised for real.

`routing` decides which API, stage and route a request means, and `rewriting` what its backend gets to see; both are
pure. `authorizing` asks who may: `signing` for IAM, `tokens` for JWT, `functions` for Lambda authorisers. `integrating`
finds the backend behind a VPC Link, `throttling` counts. `deciding` is all of it in AWS's order, with no socket;
`serving` puts it on the wire. `issuer` is an OIDC provider for those who need tokens. In what REST APIs differ
from HTTP APIs is in `manners` and `resting`.

Of the control plane all read the two `seen` only. `settings()` is what tests and the farm turn; `calling` is
what clients do, and a farm can.
"""

from farm.gateway.model import Entry, Reply, Settings, settings

__all__ = ["Entry", "Reply", "Settings", "settings"]
