"""Which routes are whose: a claim for the path, and one for each method where the tag says which of them are its own."""

from __future__ import annotations

from dataclasses import replace

from expose.mechanisms.api.fronts import Front
from expose.mechanisms.surroundings import Surroundings, bearer
from expose.model import Exposure, Identity, Resource


def claims(exposure: Exposure, entrance: Front, surroundings: Surroundings) -> dict[str, Resource]:
    """One for the path, shared by those who say which methods are theirs, and then one for each of these. By route key."""
    apart = "methods" in exposure.options
    heir = _heir(exposure, surroundings)
    path = Resource(
        Identity("claim", f"api/{entrance.key}{entrance.path}"),
        spec={
            "said": f"{entrance.path} of {entrance.said}",
            "together": apart,
            "share": "methods=",
            **heir,
        },
    )
    if not apart:
        return dict.fromkeys(entrance.keys, path)
    return {"": path} | {
        key: Resource(
            Identity("claim", f"api/{entrance.key}/{key}"),
            spec={"said": f"{key} of {entrance.said}", **heir},
            refs={"path": path.identity},
        )
        for key in entrance.keys
    }


def _heir(exposure: Exposure, surroundings: Surroundings) -> dict[str, str]:
    """Who may take the claim over: the exposures of one other service of the cluster."""
    if "to" not in exposure.options:
        return {}
    return {"heir": bearer(surroundings.stack, replace(exposure.service, name=exposure.options["to"]))}
