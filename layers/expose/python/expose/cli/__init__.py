"""`expose` on the command line: what is exposed, why it is reachable or not, and what would change. It only reads.

It works with the credentials of whoever calls it, asks the deployed stack for its settings, and decides with the very
code that the functions run. No function loads it.
"""

from expose.cli.app import app, main

__all__ = ["app", "main"]
