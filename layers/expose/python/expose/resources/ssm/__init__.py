"""AWS Systems Manager Parameter Store: lists of addresses, each in one standard parameter, and in more where one is full.

Nothing goes on after the answer here. Three writes a second are all that Parameter Store takes by default, so many
addresses go in one; and a list takes as many parameters as it needs, because those of the advanced tier cost.
"""

from __future__ import annotations

from expose.resources.ssm.addresses import Addresses
from expose.resources.ssm.lists import Lists
from expose.resources.ssm.parameters import Parameters

__all__ = ["ACTIONS", "Addresses", "Lists"]

ACTIONS = Parameters.ACTIONS
