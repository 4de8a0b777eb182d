"""Looking at load balancing: what the product has made there and for whom, who answers behind a balancer."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from farm.farm import Farm

LAGUNA = "laguna"
"""A load balancer that another team made, without a listener."""
_MARK = "ecs-expose:owner"
_OURS = "expose-"
_PATIENCE = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a tag asks for, and where that answers. Without a balancer it is the one that the product makes."""

    tag: str
    balancer: str
    port: int
    path: str


class Balancing:
    def __init__(self, farm: Farm) -> None:
        self._farm = farm

    def shared(self) -> tuple[str, str]:
        """Name and DNS name of the load balancer that the product made; empty without one."""
        for balancer in self._farm.elb.describe_load_balancers()["LoadBalancers"]:
            if balancer["LoadBalancerName"].startswith(_OURS):
                return balancer["LoadBalancerName"], balancer["DNSName"]
        return "", ""

    def groups(self) -> dict[str, str]:
        """The target groups that the product made: ARN by service, as their marks say."""
        elb, found = self._farm.elb, {}
        for arn in self._groups():
            try:
                tags = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
            except elb.exceptions.TargetGroupNotFoundException:
                continue  # deleted between the two calls
            for tag in tags:
                if tag["Key"] == _MARK:
                    found[tag["Value"].split("/")[2]] = arn
        return found

    def states(self, service: str) -> Counter[str]:
        """How many of a service's targets are in which state."""
        group, elb = self.groups().get(service), self._farm.elb
        try:
            return Counter(self._farm.targets(group).values()) if group else Counter()
        except elb.exceptions.TargetGroupNotFoundException:
            return Counter()

    def made(self) -> list[str]:
        """All that the product has made."""
        name, _ = self.shared()
        listeners = self._farm.elb.describe_listeners(LoadBalancerArn=self._farm.balancer_arn(LAGUNA))
        found = [f"load balancer {name}"] if name else []
        found += [f"target group {arn.split('/')[1]}" for arn in self._groups()]
        return found + [f"listener {LAGUNA}:{each['Port']}" for each in listeners["Listeners"]]

    def doors(self, balancer: str, port: int) -> list[str]:
        """Where it takes requests now, as a URL without its path has it."""
        return [
            f"{address}:{number}" if number != 80 else address
            for address, number in self._farm.doors(balancer, port)
        ]

    def get(self, balancer: str, port: int, path: str, *, turn: int = 0) -> dict[str, Any]:
        """An HTTP request through it, at one of its addresses after the other. Raises OSError."""
        doors = self.doors(balancer, port)
        if not doors:
            raise ConnectionRefusedError(f"nothing listens at {balancer}:{port}")
        url = f"http://{doors[turn % len(doors)]}{path}"
        with urllib.request.urlopen(url, timeout=_PATIENCE) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def _groups(self) -> Iterator[str]:
        for page in self._farm.elb.get_paginator("describe_target_groups").paginate():
            for group in page["TargetGroups"]:
                if group["TargetGroupName"].startswith(_OURS):
                    yield group["TargetGroupArn"]
