"""The command `gridwright`. One command a file; each imports what it runs only when it runs, so that all start fast."""

import sys
from typing import Final

INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line of this process and exit with its status."""
    try:
        from controller.cli import app  # within, so that Ctrl-C while it starts ends it as later

        sys.exit(app.main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
