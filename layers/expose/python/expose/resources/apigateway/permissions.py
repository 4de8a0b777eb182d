"""Permissions of Lambda functions: API Gateway may invoke an authoriser's function, for that authoriser only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from expose.aws import Clients
from expose.model import Owned, Resource, digest, fingerprint
from expose.refusals import Refused
from expose.resources.kind import Ids, Made


class Permissions:
    ACTIONS = frozenset({"lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "lambda.permission" and entry.aws_id:
                function, _, statement = entry.aws_id.partition("#")
                if statement in self._statements(function):
                    yield Owned(
                        entry.identity,
                        fingerprint({"function": function}),
                        entry.aws_id,
                        refs=entry.refs,
                        shared=True,
                    )

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where there is no such function."""
        client, function = self._clients.lambda_, resource.spec["function"]
        statement = _statement(ids)
        if statement in self._statements(function):
            return Made(f"{function}#{statement}")
        arn = function.replace(":lambda:", ":execute-api:", 1).partition(":function:")[0]
        try:
            client.add_permission(
                FunctionName=function,
                StatementId=statement,
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"{arn}:{ids['api']}/authorizers/{ids['authorizer']}",
            )
        except client.exceptions.ResourceConflictException:  # added already
            return Made(f"{function}#{statement}")
        except client.exceptions.ResourceNotFoundException as error:
            raise Refused(
                "NoFunction", f"there is no Lambda function {function}: create it, or name another"
            ) from error
        return Made(f"{function}#{statement}")

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        if not ids.get("api") or not ids.get("authorizer"):
            return ""  # it cannot have been made without these
        function, statement = owned.identity.key.partition("#")[2], _statement(ids)
        return f"{function}#{statement}" if statement in self._statements(function) else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        function, _, statement = aws_id.partition("#")
        client = self._clients.lambda_
        try:
            client.remove_permission(FunctionName=function, StatementId=statement)
        except client.exceptions.ResourceNotFoundException:
            return ""
        return ""

    def _statements(self, function: str) -> set[str]:
        client = self._clients.lambda_
        try:
            policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return set()
        return {each.get("Sid", "") for each in policy.get("Statement", [])}


def _statement(ids: Ids) -> str:
    """For this authoriser only: another one of equal content would be another."""
    return f"expose-{digest(ids['api'] + ids['authorizer'])}"
