"""Looking at public addresses: the lists in Parameter Store, what the audit has said, and records that others keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from farm.account import KEY
from farm.aws import REGION
from farm.farm import Farm

ZONE = "animales.com"
"""A hosted zone that another team keeps."""
_ROOT = "/expose"
_COLUMNS = "76"


class Lists:
    def __init__(self, farm: Farm) -> None:
        self._farm = farm

    def name(self, service: str) -> str:
        """The parameter that holds a service's list."""
        return f"{_ROOT}/{self._stack}/{self._farm.cluster}/{service}"

    def entries(self, service: str) -> list[dict[str, Any]]:
        """What a client reads; nothing where there is no list."""
        ssm = self._farm.client("ssm")
        try:
            value = ssm.get_parameter(Name=self.name(service))["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return []
        found: list[dict[str, Any]] = json.loads(value)
        return found

    def addresses(self, service: str) -> frozenset[str]:
        return frozenset(entry["ipv4"] for entry in self.entries(service))

    def made(self) -> list[str]:
        """All that the product has made."""
        found = self._farm.client("ssm").get_parameters_by_path(Path=_ROOT, Recursive=True)["Parameters"]
        return [f"parameter {each['Name']}" for each in found]

    def plant(self, name: str, address: str) -> None:
        """Another team writes an A record into its zone."""
        record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
        self._farm.client("route53").change_resource_record_sets(
            HostedZoneId=self._farm.watched[ZONE],
            ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
        )

    def expose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Type `expose ...` in a shell that points at the farm."""
        pointed = {
            "AWS_ENDPOINT_URL": str(self._farm.endpoint),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "COLUMNS": _COLUMNS,
        }
        program = "from expose.cli import main; main()"
        return subprocess.run(  # noqa: S603 - our own command, with the story's own words
            [sys.executable, "-c", program, *arguments, "--stack", self._stack],
            env=os.environ | pointed,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def _stack(self) -> str:
        return self._farm.lambdas.deployment.stack_name if self._farm.lambdas else ""
