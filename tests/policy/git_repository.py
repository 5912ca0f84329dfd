"""A real repository with a policy in it, and real keys to sign its commits with."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GOOD = Path(__file__).parent / "good.yaml"
WHO = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
WHO |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}


@dataclass(frozen=True)
class Repository:
    path: Path

    def git(self, *arguments: str, stdin: IO[str] | None = None) -> str:
        command = ["git", "-C", self.path, *arguments]
        done = subprocess.run(command, env=os.environ | WHO, stdin=stdin, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def address(self, ref: str = "main", folder: str = "policy", signers: Path | None = None) -> str:
        behind = f"#signers={signers}" if signers else ""
        return f"git+file://{self.path}@{ref}:{folder}{behind}"

    def commit(self, message: str = "a change", key: Path | None = None) -> str:
        """Everything as it stands, committed; with a key, signed by it."""
        self.git("add", "--all")
        signing = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}") if key else ()
        self.git(*signing, "commit", "--quiet", "--allow-empty", "-m", message, *(("-S",) if key else ()))
        return self.git("rev-parse", "HEAD")

    def write(self, text: str, name: str = "policy/more.yaml") -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def repository_with_policy(path: Path) -> Repository:
    """One commit with the good policy in the folder `policy`."""
    path.mkdir()
    repository = Repository(path)
    repository.git("init", "--quiet", "--initial-branch=main")
    (path / "policy").mkdir()
    shutil.copy(GOOD, path / "policy" / "good.yaml")
    repository.commit("the first")
    return repository


def new_key(path: Path) -> Path:
    """A fresh ssh key; its public half is beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)  # noqa: S607
    return path


def allowed(file: Path, *keys: Path) -> Path:
    """The file of allowed signers with these keys."""
    lines = [f'a@example.org namespaces="git" {key.with_suffix(".pub").read_text()}' for key in keys]
    file.write_text("".join(lines))
    return file
