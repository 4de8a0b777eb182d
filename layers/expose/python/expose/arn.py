"""How a service is named: by its ARN, in the long form that says its cluster."""

from __future__ import annotations

from dataclasses import dataclass

from expose.refusals import Refused


@dataclass(frozen=True, slots=True)
class ServiceArn:
    partition: str
    region: str
    account: str
    cluster: str
    name: str

    @classmethod
    def parse(cls, text: str) -> ServiceArn:
        """Raise `Refused` for the old short form, which does not say the cluster, and `ValueError` for no ARN at all."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[2] != "ecs" or not parts[5].startswith("service/"):
            raise ValueError(f"{text!r} is not the ARN of an ECS service")
        path = parts[5].split("/")
        if len(path) != 3:
            raise Refused(
                "ShortArn",
                f"{text} has the old short form, which does not name its cluster: opt in to long ARNs "
                "(aws ecs put-account-setting-default --name serviceLongArnFormat --value enabled) "
                "and create the service anew",
            )
        return cls(parts[1], parts[3], parts[4], path[1], path[2])

    def __str__(self) -> str:
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:service/{self.cluster}/{self.name}"

    @property
    def label(self) -> str:
        """As people say it."""
        return f"{self.cluster}/{self.name}"
