"""`gridwright check`: every finding of every document."""

from controller.cli.arguments import AsJson, Folder
from controller.cli.errors import Exit
from controller.cli.terminal import console, write_json


def check(path: Folder, *, as_json: AsJson = False) -> int:
    """Tell everything that is wrong or notable in the documents. Exits 0, or 1 when there are errors."""
    from controller.cli.findings import count, show
    from controller.cli.inputs import read_all
    from policy.findings import Level

    policy, _, findings = read_all(path)
    good = policy is not None and all(finding.level is not Level.ERROR for finding in findings)
    if as_json:
        write_json({"ok": good, "policy_revision": policy.revision if policy else None, "findings": findings})
    else:
        out = console()
        show(out, findings)
        out.print(f"{path}: {count(findings)}")
    return Exit.DONE if good else Exit.BAD_INPUT
