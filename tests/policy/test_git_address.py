"""How a folder of a repository is written, and what is no such address."""

from pathlib import Path

import pytest

from policy.git.address import Address, AddressError, is_address, parse_address


@pytest.mark.parametrize(
    ("text", "url", "ref", "folder", "signers"),
    [
        ("git+file:///srv/fleet@main", "file:///srv/fleet", "main", "", None),
        ("git+file:///srv/fleet@main:policy/edge", "file:///srv/fleet", "main", "policy/edge", None),
        ("git+https://git.example.org/t/fleet.git@v1.2", "https://git.example.org/t/fleet.git", "v1.2", "", None),
        ("git+ssh://git@example.org:2222/t/fleet@a/b:p/", "ssh://git@example.org:2222/t/fleet", "a/b", "p", None),
        ("git+https://h/r@refs/heads/main:p#signers=/etc/s%23", "https://h/r", "refs/heads/main", "p", Path("/etc/s#")),
        ("git+https://h/a%40b@main", "https://h/a%40b", "main", "", None),
        ("git+https://[::1]/r@main", "https://[::1]/r", "main", "", None),
    ],
)
def test_an_address_names_repository_ref_folder_and_signers(
    text: str, url: str, ref: str, folder: str, signers: Path | None
) -> None:
    assert parse_address(text) == Address(text, url, ref, folder, signers)


@pytest.mark.parametrize(
    "text",
    [
        "git+http://h/r@main",
        "git+git://h/r@main",
        "git+ext::sh -c id@main",
        "git+fd://17/r@main",
        "git+https://h/r",
        "git+https:///r@main",
        "git+https://-oProxyCommand=id/r@main",
        "git+ssh://-l@h/r@main",
        "git+https://user:secret@h/r@main",
        "git+file://h/r@main",
        "git+https://h/r@--upload-pack=id",
        "git+https://h/r@main..other",
        "git+https://h/r@main@{1}",
        "git+https://h/r@a b",
        "git+https://h/r@main.lock",
        "git+https://h/r@main:../up",
        "git+https://h/r@main:a/%2e%2e/b",
        "git+https://h/r@main:/etc",
        "git+https://h/r?x@main",
        "git+https://h/r@main#sign=x",
        "git+https://h/r@main#signers=",
        "git+https://h/r\n@main",
        "git+https://h/" + "r" * 3000 + "@main",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert is_address(text)
    with pytest.raises(AddressError):
        parse_address(text)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(AddressError) as caught:
        parse_address("git+https://user:secret@h/r@main")
    assert "secret" not in str(caught.value)
