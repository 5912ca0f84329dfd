"""The command `gridwright`. One command a file; each imports what it runs only when it runs, so that all start fast."""

import sys

from controller.cli import app


def main() -> None:
    """Run the command line of this process and exit with its status."""
    sys.exit(app.main(sys.argv[1:]))
