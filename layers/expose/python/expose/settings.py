"""The environment of the functions, read once and typed. The names and defaults are those of template.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expose.policy import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds but for `verify_minutes`."""

    stack: str
    prefix: str
    policy: str
    limits: Limits
    subnets: tuple[str, ...]
    """To choose from for created load balancers; none for all of the VPC."""
    security_groups: tuple[str, ...]
    """Of created load balancers; none for the VPC's default group."""
    verify_minutes: int
    empty_after: float
    grace: float
    window: float
    on_delete: str
    table: str
    work_queue: str
    later_queue: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raise `KeyError` naming the variable that is missing."""
        return cls(
            stack=environment["EXPOSE_STACK"],
            prefix=environment["EXPOSE_PREFIX"],
            policy=environment["EXPOSE_POLICY"],
            limits=Limits(
                clusters=_words(environment["EXPOSE_CLUSTERS"]),
                mechanisms=_words(environment["EXPOSE_MECHANISMS"]),
                names=_words(environment["EXPOSE_NAMES"]),
                create_namespaces=environment["EXPOSE_CREATE_NAMESPACES"],
                load_balancers=_words(environment["EXPOSE_LOAD_BALANCERS"]),
                create_load_balancers=environment["EXPOSE_CREATE_LOAD_BALANCERS"],
            ),
            subnets=_words(environment["EXPOSE_LOAD_BALANCER_SUBNETS"]),
            security_groups=_words(environment["EXPOSE_LOAD_BALANCER_SECURITY_GROUPS"]),
            verify_minutes=int(environment["EXPOSE_VERIFY_MINUTES"]),
            empty_after=float(environment["EXPOSE_EMPTY_AFTER"]),
            grace=float(environment["EXPOSE_GRACE"]),
            window=float(environment["EXPOSE_WINDOW"]),
            on_delete=environment["EXPOSE_ON_DELETE"],
            table=environment["EXPOSE_TABLE"],
            work_queue=environment["EXPOSE_WORK_QUEUE"],
            later_queue=environment["EXPOSE_LATER_QUEUE"],
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
