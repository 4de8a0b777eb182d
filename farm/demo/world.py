"""Looking at the world: what a resolver hears, what a task answers, what AWS has, what the product says of itself."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.resolver

from farm import seed
from farm.demo.apis import Apis
from farm.demo.balancing import Balancing
from farm.demo.lists import Lists
from farm.farm import Farm
from farm.gate import GATE, Call
from farm.gateway.issuer import Issuer
from farm.lambdas import Lambdas

_FUNCTIONS = frozenset({"notify", "withdraw", "reconcile", "sweep", "audit", "cleanup"})
_BOOKS = frozenset({"dynamodb", "sqs", "events"})
_FOR_THE_RECORD = "AUDIT#"
_STILL = 0.4  # seconds without a call after which the functions are taken to have nothing in hand


class UnmetError(Exception):
    """What the story waits for does not come; the text says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the name server says of a name. One that does not exist has no addresses either."""

    addresses: frozenset[str]
    exists: bool
    ttl: int = 0

    def __str__(self) -> str:
        return " ".join(in_order(self.addresses)) or ("no address" if self.exists else "NXDOMAIN")


@dataclass(frozen=True, slots=True)
class Counted:
    """AWS calls of the product's functions: those that read and change the account, and those for its own books."""

    account: int
    books: int


class World:
    def __init__(self, farm: Farm, lambdas: Lambdas, issuer: Issuer, dns_port: int) -> None:
        self.farm = farm
        self.lambdas = lambdas
        self.balancing = Balancing(farm)
        self.apis = Apis(farm, issuer)
        self.lists = Lists(farm)
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = ["127.0.0.1"]
        self._resolver.port = dns_port

    def ask(self, name: str) -> Answer | None:
        """A DNS query, through a resolver without a cache. None where no usable answer came."""
        try:
            found = self._resolver.resolve(name, "A", lifetime=2)
        except dns.resolver.NXDOMAIN:
            return Answer(frozenset(), exists=False)
        except dns.resolver.NoAnswer:
            return Answer(frozenset(), exists=True)
        except dns.exception.DNSException:
            return None
        return Answer(
            frozenset(rdata.to_text() for rdata in found),
            exists=True,
            ttl=found.rrset.ttl if found.rrset else 0,
        )

    def get(self, address: str) -> dict[str, Any]:
        """An HTTP request to a task. Raises OSError."""
        with urllib.request.urlopen(f"http://{address}:{seed.PORT}/", timeout=3) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def tasks(self, service: str) -> frozenset[str]:
        """The public addresses of the tasks that run and are to stay, as ECS and EC2 have them."""
        return frozenset(self.farm.addresses(service))

    def instances(self) -> dict[str, int]:
        """The Cloud Map services, and how many instances each has."""
        cloudmap, found = self.farm.cloudmap, {}
        for service in cloudmap.list_services()["Services"]:
            with contextlib.suppress(cloudmap.exceptions.ServiceNotFound):  # deleted between the two calls
                found[service["Name"]] = len(cloudmap.list_instances(ServiceId=service["Id"])["Instances"])
        return found

    def left_of(self, stack: str) -> list[str]:
        """What is left of the stack, and of what it made for others."""
        client = self.farm.client
        left = self.balancing.made() + self.apis.made() + self.lists.made()
        left += [f"Cloud Map service {name}" for name in self.instances()]
        left += client("dynamodb").list_tables()["TableNames"]
        left += client("sqs").list_queues(QueueNamePrefix=stack).get("QueueUrls", [])
        left += [rule["Name"] for rule in client("events").list_rules(NamePrefix=stack)["Rules"]]
        left += [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]
        left += [
            role["RoleName"]
            for role in client("iam").list_roles()["Roles"]
            if role["RoleName"].startswith(stack)
        ]
        stacks = client("cloudformation").list_stacks()["StackSummaries"]
        return left + [each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"]

    def status(self, service: str, tag: str) -> str:
        """What the ledger says of an exposure; empty for nothing."""
        mine = [entry for entry in self.remembered(service) if entry["sk"] == f"EXPOSURE#{tag}"]
        return str(mine[0]["status"]) if mine else ""

    def remembered(self, service: str) -> list[dict[str, Any]]:
        """The ledger's entries that mention a service in any way, but for those that are kept for the record."""
        return [
            entry
            for entry in self.farm.ledger()
            if service in str(entry) and not entry["pk"].startswith(_FOR_THE_RECORD)
        ]

    def said(self, kind: str, service: str, since: int) -> list[dict[str, Any]]:
        """The details of the events that the product published about a service, but for the first `since` of all."""
        arn = self.farm.arn(service)
        news = self.farm.published()[since:]
        return [
            event["detail"]
            for event in news
            if event["detail-type"] == kind and event["detail"]["service"] == arn
        ]

    def calls(self, since: int) -> list[Call]:
        """The functions' AWS calls, but for the first `since` calls of all."""
        return [call for call in GATE.calls[since:] if call.caller in _FUNCTIONS]

    def counted(self, since: int) -> Counted:
        calls = self.calls(since)
        books = sum(call.service in _BOOKS for call in calls)
        return Counted(account=len(calls) - books, books=books)

    def at_rest(self) -> bool:
        """Whether the functions have nothing in hand, and nothing in their queues, not even for later."""
        latest = max((call.at for call in self.calls(0)[-1:]), default=0.0)
        return time.time() - latest > _STILL and not any(map(self._waiting, ("WorkQueue", "LaterQueue")))

    def _waiting(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages" + suffix for suffix in ("", "NotVisible", "Delayed")]
        url = self.lambdas.deployment.ref(queue)
        found = self.farm.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)


def until(reached: Callable[[], bool], *, limit: float, every: float = 0.05) -> bool:
    """Wait for something, looking now and then. Whether it came."""
    end = time.time() + limit
    while not reached():
        if time.time() > end:
            return False
        time.sleep(every)
    return True


def in_order(addresses: frozenset[str]) -> list[str]:
    return sorted(addresses, key=lambda address: [int(part) for part in address.split(".")])
