"""Our own template.yaml, deployed into the farm: what `sam deploy` does, and what CloudFormation does afterwards.

The stack is created in moto. What moto does not run is read out of the translated template with every reference
resolved: the functions with their environment and role, the queues that they are fed from, the custom resources.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json
from moto.sqs.models import sqs_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION
from farm.custom import CustomResource, DeploymentError
from farm.functions import EventSource, Function
from farm.gate import GATE
from farm.iam import Statement
from farm.roles import statements_of
from farm.sam import Template, dependencies, translate

Invoke = Callable[[Function, Mapping[str, Any]], object]


def deploy(
    template_path: Path | str = "template.yaml",
    parameters: Mapping[str, str] | None = None,
    stack_name: str = "ecs-expose",
) -> Deployment:
    """Create the stack and tell the gate whose keys are whose. `Lambdas(...).start()` brings it to life."""
    template, folders = translate(Path(template_path).resolve(), parameters or {})
    backend = cloudformation_backends[ACCOUNT][REGION]
    with ONE_AT_A_TIME:
        backend.create_stack(stack_name, json.dumps(template), dict(parameters or {}))
    return Deployment(stack_name, template, folders)


class Deployment:
    """A stack that was created: what is in it, by logical id, with all references resolved."""

    def __init__(self, stack_name: str, template: Template, folders: Mapping[str, Path]) -> None:
        self.stack_name = stack_name
        self.template = template
        self._stack = cloudformation_backends[ACCOUNT][REGION].get_stack(stack_name)
        self._folders = folders
        self.functions = {name: self._function(name) for name in self._of_type("AWS::Lambda::Function")}
        self.sources = {name: self._source(name) for name in self._of_type("AWS::Lambda::EventSourceMapping")}
        self.roles: dict[str, list[Statement]] = {
            f.caller: self._statements(f) for f in self.functions.values()
        }
        self.schedules = self._schedules()
        self.custom = {
            name: self._custom(name) for name in self.template["Resources"] if self._is_custom(name)
        }
        for function in self.functions.values():
            GATE.callers[function.environment["AWS_ACCESS_KEY_ID"]] = function.caller
        for source in self.sources.values():
            self._check(source)

    def ref(self, logical_id: str) -> str:
        """What `Ref` gives: a queue's URL, a table's or a function's name."""
        return str(self._resolve({"Ref": logical_id}))

    def arn(self, logical_id: str) -> str:
        """What `GetAtt ...Arn` gives."""
        return str(self._resolve({"Fn::GetAtt": [logical_id, "Arn"]}))

    def function(self, caller: str) -> Function:
        """The function from this folder."""
        return next(function for function in self.functions.values() if function.caller == caller)

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._stack.outputs or ()}

    def create(self, invoke: Invoke) -> None:
        """Send every custom resource its Create request and wait for the answer."""
        for name, resource in self.custom.items():
            resource.request("Create", self.functions[resource.function], self._stack.stack_id, name, invoke)

    def delete(self, invoke: Invoke) -> None:
        """Delete the stack in CloudFormation's order: what nothing depends on goes first, custom resources are asked."""
        needed = dependencies(self.template)
        while needed:
            free = [name for name in needed if not any(name in others for others in needed.values())]
            # A custom resource takes its time: whatever else may go is gone before it answers
            for name in [name for name in free if name not in self.custom] or free:
                self._delete(name, invoke)
                del needed[name]
        with ONE_AT_A_TIME:
            cloudformation_backends[ACCOUNT][REGION].delete_stack(self.stack_name)

    def _delete(self, name: str, invoke: Invoke) -> None:
        if name in self.custom:
            resource = self.custom.pop(name)
            resource.request("Delete", self.functions[resource.function], self._stack.stack_id, name, invoke)
        self._forget(name)
        definition = self.template["Resources"][name]
        with ONE_AT_A_TIME:
            created = self._stack.resource_map._parsed_resources.pop(name, None)
            if created is not None and definition.get("DeletionPolicy") != "Retain":
                self._stack.resource_map._delete_resource(created, definition)

    def _forget(self, name: str) -> None:
        self.sources.pop(name, None)
        self.functions.pop(name, None)
        if self.template["Resources"][name]["Type"] == "AWS::IAM::Role":
            for function in self.functions.values():
                if function.role == self.arn(name):
                    self.roles[function.caller] = []

    def _resolve(self, value: Any) -> Any:
        return _without_nothing(clean_json(copy.deepcopy(value), self._stack.resource_map))

    def _of_type(self, kind: str) -> list[str]:
        return [
            name
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind and self._exists(resource)
        ]

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        conditions = self._stack.resource_map.lazy_condition_map
        return "Condition" not in resource or bool(conditions[resource["Condition"]])

    def _property(self, name: str, member: str, default: Any = None) -> Any:
        properties = self.template["Resources"][name].get("Properties", {})
        return self._resolve(properties[member]) if member in properties else default

    def _is_custom(self, name: str) -> bool:
        resource = self.template["Resources"][name]
        kind = resource["Type"]
        return (
            kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"
        ) and self._exists(resource)

    def _function(self, name: str) -> Function:
        folder = self._folders[name]
        handler = self._property(name, "Handler")
        declared = self._property(name, "Environment", {}).get("Variables", {})
        invoke = self._invoke_config(name)
        destination = invoke.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        memory = self._property(name, "MemorySize", 128)
        return Function(
            logical_id=name,
            name=self.ref(name),
            arn=self.arn(name),
            caller=folder.name,
            module_path=folder / f"{handler.partition('.')[0]}.py",
            handler=handler,
            role=self._property(name, "Role"),
            environment=_environment(folder.name, self.ref(name), memory, declared),
            timeout=float(self._property(name, "Timeout", 3)),
            memory=memory,
            reserved=None
            if (reserved := self._property(name, "ReservedConcurrentExecutions")) is None
            else int(reserved),
            retries=int(invoke.get("MaximumRetryAttempts", 2)),
            max_age=float(invoke.get("MaximumEventAgeInSeconds", 21600)),
            dead_letters=destination or self._property(name, "DeadLetterConfig", {}).get("TargetArn", ""),
            on_failure=bool(destination),
        )

    def _invoke_config(self, function: str) -> dict[str, Any]:
        for name in self._of_type("AWS::Lambda::EventInvokeConfig"):
            properties: dict[str, Any] = self._resolve(self.template["Resources"][name]["Properties"])
            if properties["FunctionName"] == self.ref(function):
                return properties
        return {}

    def _source(self, name: str) -> EventSource:
        fed = self._property(name, "FunctionName")
        return EventSource(
            function=next(f.logical_id for f in self.functions.values() if fed in {f.name, f.arn}),
            queue_arn=self._property(name, "EventSourceArn"),
            batch_size=int(self._property(name, "BatchSize", 10)),
            window=float(self._property(name, "MaximumBatchingWindowInSeconds", 0)),
            concurrency=int(self._property(name, "ScalingConfig", {}).get("MaximumConcurrency", 1000)),
            reports_failures="ReportBatchItemFailures" in self._property(name, "FunctionResponseTypes", []),
        )

    def _check(self, source: EventSource) -> None:
        """What Lambda refuses when the mapping is made."""
        function = self.functions[source.function]
        queue = sqs_backends[ACCOUNT][REGION].get_queue(source.queue_arn.rpartition(":")[2])
        if queue.visibility_timeout < function.timeout:
            raise DeploymentError(
                f"{function.logical_id}: queue visibility timeout of {queue.visibility_timeout} seconds is less than "
                f"the function's timeout of {function.timeout:g} seconds"
            )

    def _statements(self, function: Function) -> list[Statement]:
        roles = [name for name in self._of_type("AWS::IAM::Role") if self.arn(name) == function.role]
        if not roles:
            raise DeploymentError(f"{function.logical_id}: role {function.role} is not in the template")
        policies = self._of_type("AWS::IAM::ManagedPolicy")
        managed = {self.ref(name): self._property(name, "PolicyDocument") for name in policies}
        return statements_of(self._resolve(self.template["Resources"][roles[0]]["Properties"]), managed)

    def _schedules(self) -> dict[str, str]:
        rules = self._of_type("AWS::Events::Rule")
        rates = {self.ref(name): self._property(name, "ScheduleExpression") for name in rules}
        return {name: rate for name, rate in rates.items() if rate}

    def _custom(self, name: str) -> CustomResource:
        resource = self.template["Resources"][name]
        properties = self._resolve(resource.get("Properties", {}))
        function = next(f for f in self.functions.values() if f.arn == properties["ServiceToken"])
        return CustomResource(resource["Type"], function.logical_id, properties)


def _environment(caller: str, name: str, memory: int, declared: Mapping[str, Any]) -> dict[str, str]:
    """What Lambda sets beside what the template declares. The access key tells the gate who calls."""
    letters = "".join(char for char in caller.upper() if char.isalnum())
    return {
        **{key: str(value) for key, value in declared.items()},
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": f"AKIAFARM{letters:X<12}"[:20],
        "AWS_SECRET_ACCESS_KEY": "farm",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "TZ": ":UTC",
    }


def _without_nothing(value: Any) -> Any:
    """Drop what `AWS::NoValue` left behind in lists."""
    if isinstance(value, list):
        return [_without_nothing(item) for item in value if item is not None]
    if isinstance(value, dict):
        return {name: _without_nothing(item) for name, item in value.items()}
    return value
