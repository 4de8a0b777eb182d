"""What `expose` cannot do is said in a sentence with what to do, on standard error, with its own exit status."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from expose.cli import app
from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.commands import Answer, expose

COMMANDS = [
    ("status",),
    ("explain", "granja/conejo"),
    ("plan", "granja/conejo"),
    ("whois", "127.30.0.1"),
    ("findings",),
]


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_service("conejo", 1)
        farm.create_service("gallina", 1)
        farm.run_for(60)
        yield farm


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    GATE.faults.clear()


def assert_told(answer: Answer, status: int, *says: str) -> None:
    assert (answer.status, answer.said) == (status, "")
    assert answer.complained.startswith("error: ")
    assert "Traceback" not in answer.complained
    for said in says:
        assert said in answer.complained


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_such_stack(farm: Farm, command: tuple[str, ...]) -> None:
    assert_told(
        expose(farm, *command, "--stack", "granero"), 2, "'granero'", "eu-west-1", "--stack", "--region"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_not_allowed(farm: Farm, command: tuple[str, ...]) -> None:
    GATE.faults.append(Fault("error", "AccessDenied", service="cloudformation"))
    assert_told(expose(farm, *command), 3, "AccessDenied", "DescribeStackResource", "README.md")


def test_a_stack_of_another_version(farm: Farm) -> None:
    function = next(name for name in _functions(farm) if "Reconcile" in name)
    settings = farm.client("lambda").get_function_configuration(FunctionName=function)["Environment"]
    old = {key: str(value) for key, value in settings["Variables"].items() if key != "EXPOSE_TABLE"}
    farm.client("lambda").update_function_configuration(FunctionName=function, Environment={"Variables": old})
    try:
        assert_told(expose(farm, "status"), 2, "another version", "EXPOSE_TABLE")
    finally:
        all_of_it = {key: str(value) for key, value in settings["Variables"].items()}
        farm.client("lambda").update_function_configuration(
            FunctionName=function, Environment={"Variables": all_of_it}
        )


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("conejo", "expected CLUSTER/SERVICE such as granja/conejo, got 'conejo'"),
        ("granja/", "expected CLUSTER/SERVICE"),
        ("granja/cnejo", "no service in cluster 'granja' is called 'cnejo': did you mean conejo?"),
        ("granja/zzz", "there are conejo, gallina"),
        ("granj/conejo", "no cluster is called 'granj': did you mean granja?"),
    ],
)
def test_no_such_service(farm: Farm, target: str, says: str) -> None:
    assert_told(expose(farm, "explain", target), 2, says)


def test_the_arn_does_as_well(farm: Farm) -> None:
    by_arn, by_name = (expose(farm, "explain", each) for each in (farm.arn("conejo"), "granja/conejo"))
    assert by_arn == by_name


def test_no_credentials(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    answer = _alone("status")
    assert_told(answer, 3, "no credentials", "aws configure")


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert_told(_alone("status"), 3, "no Region", "--region")


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert_told(_alone("status"), 3, "http://127.0.0.1:9", "AWS_ENDPOINT_URL")


def _functions(farm: Farm) -> list[str]:
    return [each["FunctionName"] for each in farm.client("lambda").list_functions()["Functions"]]


def _alone(*arguments: str) -> Answer:
    """Without a farm to be asked."""
    done = CliRunner().invoke(app, arguments)
    return Answer(done.exit_code, done.stdout, done.stderr)
