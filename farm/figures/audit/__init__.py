"""Is the audit right? Combinations of groups, routes, ACLs and addresses, each with what AWS's rules make of it.

The verdicts are derived by hand from AWS's documented rules, the reason beside each; never from what the audit says.
"""

from farm.figures.audit.acls import ACLS
from farm.figures.audit.addresses import ADDRESSES
from farm.figures.audit.case import Case, Score, judged, score, table
from farm.figures.audit.groups import GROUPS
from farm.figures.audit.routes import ROUTES

__all__ = ["CASES", "Case", "Score", "judged", "score", "table"]

CASES: tuple[Case, ...] = (*GROUPS, *ROUTES, *ACLS, *ADDRESSES)
