"""The command itself: its commands, and the one place where an error becomes a sentence and an exit status."""

from __future__ import annotations

from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from expose.cli.explain import explain
from expose.cli.findings import findings
from expose.cli.output import complain
from expose.cli.plan import plan
from expose.cli.status import status
from expose.cli.trouble import AWS, NOT_FOUND, Trouble, in_words
from expose.cli.whois import whois
from expose.inspecting import NotThere
from expose.refusals import NotYet, Refused


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run a command. What it cannot do is said in a sentence, and never as a traceback, unless it is a bug."""
        try:
            return super().invoke(ctx)
        except Trouble as trouble:
            said, exit_status = str(trouble), trouble.status
        except NotThere as missing:
            said, exit_status = str(missing), NOT_FOUND
        except Refused as refused:
            said, exit_status = refused.message, 1
        except (ClientError, BotoCoreError, NotYet) as error:
            said, exit_status = in_words(error), AWS
        complain(said)
        raise typer.Exit(exit_status)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""What is exposed, why it is reachable or not, and what would change. Nothing here changes anything.

    Exit status: 0 all is as asked, 1 something is not, 2 no such thing or a wrong option, 3 AWS does not answer.
    """,
)
app.command()(status)
app.command()(explain)
app.command()(plan)
app.command()(whois)
app.command()(findings)


def main() -> None:
    app()
