"""Certificates of sites and pools: which of them count, until when, and why the others do not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authorities import DAY, NOTHING, Signer, root_of, trusting
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from signing import CLAIMS, HERE, NOW, YAML, ec_pair, signed

from collectors.evidence.files import read_evidence
from collectors.evidence.records import Evidence
from collectors.evidence.revocations import MOST_LISTS, Revocations, revocations
from collectors.evidence.svid import named
from collectors.evidence.verify import verify
from policy.findings import Finding
from policy.keys import root_flaw
from policy.resolved import Issuer, Revoked

CASES = Path(__file__).parents[1] / "cases" / "svid"
ROOT = root_of()
BETWEEN = ROOT.authority("between")
PARIS = "spiffe://example.org/site/paris"
LEAF = BETWEEN.workload(PARIS)
CHAIN = LEAF.pem + BETWEEN.pem
CA = trusting(ROOT)


def judged(text: str, issuer: Issuer = CA, now: datetime = NOW, crls: tuple[str, ...] = ()) -> Evidence | Finding:
    return named(text, (issuer,), Revocations(tuple(one for crl in crls for one in lists_in(crl))), now, HERE)


def lists_in(text: str) -> tuple[x509.CertificateRevocationList, ...]:
    found = revocations(text, HERE)
    assert not isinstance(found, Finding), found
    return found


def counted(text: str, issuer: Issuer = CA, now: datetime = NOW, crls: tuple[str, ...] = ()) -> Evidence:
    found = judged(text, issuer, now, crls)
    assert isinstance(found, Evidence), found
    return found


def reason(text: str, issuer: Issuer = CA, now: datetime = NOW, crls: tuple[str, ...] = ()) -> str:
    found = judged(text, issuer, now, crls)
    assert isinstance(found, Finding), found
    return f"{found.id} {found.message}"


def test_a_certificate_names_a_site_or_a_pool_until_the_first_of_its_chain_ends() -> None:
    found = counted(CHAIN)
    assert (found.subject_kind, found.subject, found.standard, found.version) == ("site", "paris", "x509-svid", (1,))
    assert (found.issuer, found.issued_at, found.expires_at) == ("ca", NOW - 2 * DAY, NOW + 30 * DAY)
    pool = ROOT.workload("spiffe://example.org/pool/gpu", ends=NOW + DAY, begins=NOW - DAY)
    assert (counted(pool.pem).subject, counted(pool.pem).issued_at) == ("gpu", NOW - DAY)
    assert counted(pool.pem).expires_at == NOW + DAY
    brief = ROOT.authority("brief", ends=NOW + 3 * DAY)
    assert counted(brief.workload(PARIS).pem + brief.pem).expires_at == NOW + 3 * DAY
    root = root_of(ends=NOW + 2 * DAY)
    assert counted(root.workload(PARIS).pem, trusting(root)).expires_at == NOW + 2 * DAY
    assert counted(CHAIN, trusting(ROOT, max_age_s=3 * 86_400)).expires_at == NOW + DAY


def test_several_roots_stand_side_by_side_while_one_takes_over() -> None:
    newer = root_of("newer")
    both = trusting(ROOT, newer)
    assert counted(newer.workload(PARIS).pem, both).subject == counted(CHAIN, both).subject


def key_of(signer: Signer) -> str:
    return signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


LEAVES = {
    "two URIs": ROOT.workload(PARIS, "spiffe://example.org/pool/gpu"),
    "another scheme": ROOT.workload("https://example.org/site/paris"),
    "a port": ROOT.workload("spiffe://example.org:8443/site/paris"),
    "a query": ROOT.workload("spiffe://example.org/site/paris?x=1"),
    "an empty part": ROOT.workload("spiffe://example.org//site/paris"),
    "no name": ROOT.workload(),
    "no usage": ROOT.workload(PARIS, usage=None),
    "an authority": ROOT.workload(PARIS, constraints=x509.BasicConstraints(ca=True, path_length=0)),
    "no signatures": ROOT.workload(PARIS, usage=x509.KeyUsage(**{**NOTHING, "key_agreement": True})),
    "signs certificates": ROOT.workload(
        PARIS, usage=x509.KeyUsage(**{**NOTHING, "digital_signature": True, "key_cert_sign": True})
    ),
    "signs lists": ROOT.workload(
        PARIS, usage=x509.KeyUsage(**{**NOTHING, "digital_signature": True, "crl_sign": True})
    ),
}


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("two URIs", "it is not for exactly one spiffe:// URI"),
        ("another scheme", "it is not for exactly one spiffe:// URI"),
        ("a port", "it is not for exactly one spiffe:// URI"),
        ("a query", "it is not for exactly one spiffe:// URI"),
        ("an empty part", "it is not for exactly one spiffe:// URI"),
        ("no name", "subject alternative name or key usage is missing"),
        ("no usage", "subject alternative name or key usage is missing"),
        ("an authority", "it is an authority's"),
        ("no signatures", "it is not for digital signatures"),
        ("signs certificates", "it may sign certificates"),
        ("signs lists", "it may sign certificates or lists"),
    ],
)
def test_a_leaf_that_is_no_svid_is_refused(name: str, start: str) -> None:
    assert reason(LEAVES[name].pem).startswith(f"GW0432 the chain is not that of an X.509-SVID: {start}")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("wrong-leaf-cert-sign", "it may sign certificates or lists of revoked ones"),
        ("wrong-leaf-no-digital-signature", "it is not for digital signatures"),
        ("wrong-intermediate-no-ca", "a certificate between it and the root is not an authority's"),
        ("wrong-intermediate-no-key-cert-sign", "an authority between it and the root may not sign certificates"),
    ],
)
def test_the_wrong_certificates_of_others_are_refused_each_for_its_reason(name: str, start: str) -> None:
    text = (CASES / f"{name}.pem").read_text()
    assert reason(text, now=datetime(2021, 1, 1, tzinfo=UTC)).startswith(
        f"GW0432 the chain is not that of an X.509-SVID: {start}"
    )


def test_the_good_chain_of_others_is_one_and_leads_nowhere_without_its_root() -> None:
    """Its two certificates stand in a row in DER, and their root is not told."""
    der = (CASES / "1-chain.der").read_bytes()
    length = int.from_bytes(der[2:4], "big") + 4
    both = [x509.load_der_x509_certificate(each) for each in (der[:length], der[length:])]
    text = "".join(each.public_bytes(Encoding.PEM).decode() for each in both)
    at = max(each.not_valid_before_utc for each in both) + timedelta(minutes=1)
    assert reason(text, now=at).startswith("GW0434 no chain leads from the certificate to a root of `ca`")
    assert reason(text, trusting(ROOT, domain="local"), at) == "GW0433 no Issuer has the trust domain `example.org`"


WRONG = {
    "": "GW0431 the file cannot be read: there is no certificate in PEM",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "GW0431",
    "x" * 65_537: "GW0431 the file cannot be read: it has 65537 characters",
    CHAIN + key_of(LEAF): "GW0431 the file cannot be read: it holds a private key",
    CHAIN + BETWEEN.revoking(): "GW0431 the file cannot be read: it holds something else than certificates",
    CHAIN + ROOT.pem[:-30]: "GW0431 the file cannot be read: there is no certificate in PEM, or a block is cut short",
    LEAF.pem * 9: "GW0431 the file cannot be read: it has 9 certificates",
    LEAF.pem: "GW0434 no chain leads from the certificate to a root of `ca`",
    root_of().workload(PARIS).pem: "GW0434",
    ROOT.workload("spiffe://example.com/site/paris").pem: "GW0433 no Issuer has the trust domain `example.com`",
    ROOT.workload("spiffe://example.org/ns/web/sa/api").pem: "GW0435 the SPIFFE ID's path `/ns/web/sa/api` is not",
    ROOT.workload("spiffe://example.org/site/paris/x").pem: "GW0435",
    ROOT.workload("spiffe://example.org").pem: "GW0435",
    ROOT.workload("spiffe://example.org/site/lyon").pem: "GW0413 `ca` may not speak of the site `lyon`",
    ROOT.workload("spiffe://example.org/pool/paris").pem: "GW0413",
    ROOT.workload(PARIS, ends=NOW - timedelta(seconds=61)).pem: "GW0408",
}


@pytest.mark.parametrize("text", WRONG, ids=list(WRONG.values()))
def test_what_must_not_count_is_refused_for_its_own_reason(text: str) -> None:
    assert reason(text).startswith(WRONG[text])


def test_a_certificate_that_begins_later_counts_from_then_on(tmp_path: Path) -> None:
    begins = NOW + DAY
    found = counted(ROOT.workload(PARIS, begins=begins, ends=NOW + 3 * DAY).pem)
    assert (found.issued_at, found.expires_at) == (begins, NOW + 3 * DAY)
    (folder := tmp_path / "evidence").mkdir()
    (folder / "paris.pem").write_text(ROOT.workload(PARIS, begins=begins).pem)
    (folder / "now.pem").write_text(CHAIN)
    evidence, (finding,) = read_evidence(folder, (CA,), NOW)
    assert [each.issued_at for each in evidence] == [NOW - 2 * DAY, begins]
    assert str(finding).startswith(
        "evidence/paris.pem:1:1: info GW0409: the statement begins at 2026-05-05T12:00:00+00:00"
    )


def test_a_certificate_that_begins_later_is_never_believed_further_than_its_list_or_its_root_reaches() -> None:
    late = ROOT.workload(PARIS, begins=NOW + 2 * DAY).pem
    assert counted(late, crls=(ROOT.revoking(due=NOW + 3 * DAY),)).expires_at == NOW + 3 * DAY
    assert reason(late, crls=(ROOT.revoking(due=NOW + 2 * DAY),)).startswith("GW0409")
    root = root_of(ends=NOW + DAY)
    assert reason(root.workload(PARIS, begins=NOW + 2 * DAY).pem, trusting(root)).startswith("GW0434")
    below = ROOT.authority("late", begins=NOW + 2 * DAY)
    aged = trusting(ROOT, max_age_s=3 * 86_400)
    assert reason(below.workload(PARIS).pem + below.pem, aged).startswith("GW0411")


def test_an_authority_below_another_may_not_go_deeper_than_it_was_allowed() -> None:
    shallow = ROOT.authority("shallow", constraints=x509.BasicConstraints(ca=True, path_length=0))
    deeper = shallow.authority("deeper")
    assert counted(shallow.workload(PARIS).pem + shallow.pem).subject == "paris"
    assert reason(deeper.workload(PARIS).pem + deeper.pem + shallow.pem).startswith("GW0434")


def test_a_root_that_has_ended_leads_nowhere() -> None:
    root = root_of(ends=NOW - timedelta(hours=1))
    assert reason(root.workload(PARIS).pem, trusting(root)).startswith("GW0434")


def test_lives_that_never_meet_are_refused() -> None:
    late = ROOT.authority("late", begins=NOW + DAY, ends=NOW + 2 * DAY)
    assert reason(late.workload(PARIS, ends=NOW + timedelta(hours=1)).pem + late.pem).startswith("GW0401")


def test_an_issuer_is_believed_of_what_it_may_say_and_no_longer_than_its_age() -> None:
    assert reason(CHAIN, trusting(ROOT, standards=("pci-dss",))) == "GW0414 `ca` may not certify `x509-svid`"
    assert reason(CHAIN, trusting(ROOT, max_age_s=86_400)).startswith("GW0411")
    revoked = (Revoked("statement", f"sha256:{counted(CHAIN).digest}", YAML),)
    assert reason(CHAIN, trusting(ROOT, revoked=revoked)).startswith("GW0430")
    assert reason("\n" + CHAIN, trusting(ROOT, revoked=revoked)).startswith("GW0430")


def test_a_list_of_its_authority_revokes_a_certificate() -> None:
    assert reason(CHAIN, crls=(BETWEEN.revoking(LEAF),)).startswith("GW0436 its authority revoked the certificate")
    assert reason(CHAIN, crls=(ROOT.revoking(BETWEEN),)).startswith("GW0436")
    older = BETWEEN.revoking(LEAF, last=NOW - 9 * DAY, due=NOW - 8 * DAY)
    assert reason(CHAIN, crls=(BETWEEN.revoking(), older)).startswith("GW0436")


def test_a_list_of_anybody_else_says_nothing() -> None:
    namesake = root_of().authority("between")
    assert counted(CHAIN, crls=(namesake.revoking(LEAF), ROOT.revoking(LEAF))).subject == "paris"


def test_a_list_holds_until_it_is_due_and_the_evidence_with_it() -> None:
    due = NOW + timedelta(hours=5)
    assert counted(CHAIN, crls=(BETWEEN.revoking(due=due),)).expires_at == due
    assert reason(CHAIN, crls=(BETWEEN.revoking(due=NOW),)).startswith("GW0437 whether `CN=between` revoked")
    renewed = (BETWEEN.revoking(due=NOW), BETWEEN.revoking(due=due))
    assert counted(CHAIN, crls=renewed).expires_at == due


def test_where_the_policy_asks_for_lists_each_authority_has_one() -> None:
    strict = trusting(ROOT, needs_crl=True)
    assert reason(CHAIN, strict).endswith("is not known: no list of it lies in the folder")
    assert reason(CHAIN, strict, crls=(BETWEEN.revoking(),)).startswith("GW0437 whether `CN=root`")
    assert counted(CHAIN, strict, crls=(BETWEEN.revoking(), ROOT.revoking())).subject == "paris"


def test_the_folder_holds_chains_and_lists(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "paris.pem").write_text(CHAIN)
    (folder / "again.crt").write_text(CHAIN)
    (folder / "ca.crl").write_text(BETWEEN.revoking())
    evidence, findings = read_evidence(folder, (CA,), NOW)
    assert ([item.subject for item in evidence], findings) == (["paris"], ())
    (folder / "ca.crl").write_text(BETWEEN.revoking(LEAF))
    assert read_evidence(folder, (CA,), NOW)[0] == ()


def test_the_same_number_of_two_authorities_is_two_certificates(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    for file, name, begins in (("a", "paris", NOW - DAY), ("b", "lyon", NOW - DAY), ("c", "lyon", NOW)):
        above = ROOT.authority(f"above {file}")
        leaf = above.workload(f"spiffe://example.org/site/{name}", serial=1, begins=begins)
        (folder / f"{file}.pem").write_text(leaf.pem + above.pem)
    evidence, findings = read_evidence(folder, (trusting(ROOT, sites=("paris", "lyon")),), NOW)
    assert ([each.subject for each in evidence], findings) == (["paris", "lyon", "lyon"], ())
    assert [each.id for each in evidence] == [f"ca/{each.digest[:16]}" for each in evidence]


OLD, NEW = BETWEEN.revoking(), BETWEEN.revoking(LEAF)


def told(tmp_path: Path, **files: str | bytes) -> list[tuple[str, str]]:
    """What is told beside the chain, of which file, where no certificate counts."""
    (folder := tmp_path / "evidence").mkdir()
    (folder / "paris.pem").write_text(CHAIN)
    for name, contents in files.items():
        (folder / name.replace("_", ".")).write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    evidence, findings = read_evidence(folder, (CA,), NOW)
    assert evidence == ()
    return [(each.id, each.place.file if each.place else "") for each in findings]


@pytest.mark.parametrize("text", [OLD + NEW, NEW + OLD, f"as of today\n{OLD}\n{NEW}"])
def test_every_list_of_a_file_revokes(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, r_crl=text) == [("GW0436", "evidence/paris.pem")]


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "none",
        NEW[:-40],
        OLD + NEW[:-40],
        OLD + NEW.replace("-----BEGIN", "----BEGIN"),
        NEW.replace("\n", "\nA", 1),
        OLD + LEAF.pem,
        OLD * (MOST_LISTS + 1),
        x509.load_pem_x509_crl(NEW.encode()).public_bytes(Encoding.DER),
    ],
    ids=["empty", "no list", "cut", "second cut", "odd marker", "spoilt", "a certificate", "too many", "DER"],
)
def test_a_list_that_cannot_be_read_may_revoke_any_certificate(tmp_path: Path, contents: str | bytes) -> None:
    unread = "GW0107" if isinstance(contents, bytes) else "GW0431"
    assert told(tmp_path, r_crl=contents) == [("GW0437", "evidence/paris.pem"), (unread, "evidence/r.crl")]


@pytest.mark.parametrize(
    ("name", "contents"),
    [("r_crl_pem", NEW), ("r_CRL_pem", b"\xff"), ("r_crl_pem", ""), ("r_pem", CHAIN + NEW), ("r_pem", NEW[:-40])],
    ids=["a list", "not UTF-8", "empty", "chain and list", "cut"],
)
def test_a_list_among_certificates_is_not_read_and_may_revoke_any(
    tmp_path: Path, name: str, contents: str | bytes
) -> None:
    unread = "GW0107" if isinstance(contents, bytes) else "GW0431"
    assert told(tmp_path, **{name: contents}) == [
        ("GW0437", "evidence/paris.pem"),
        (unread, f"evidence/{name.replace('_', '.')}"),
    ]


@pytest.mark.parametrize("name", ["R_CRL", "R_crl_txt", "R_CRL_DER"])
def test_a_list_by_a_name_that_is_not_read_is_told_and_may_revoke_any(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, **{name: NEW}) == [
        ("GW0441", f"evidence/{name.replace('_', '.')}"),
        ("GW0437", "evidence/paris.pem"),
    ]


def test_which_list_cannot_be_read_is_told_of_each_certificate(tmp_path: Path) -> None:
    (folder := tmp_path / "evidence").mkdir()
    (folder / "paris.pem").write_text(CHAIN)
    (folder / "a\nb.crl").write_text("none")
    found = read_evidence(folder, (CA,), NOW)[1]
    assert [each.message for each in found if each.id == "GW0437"] == [
        "whether `CN=root` revoked a certificate of the chain is not known: the list `evidence/a?b.crl` cannot be read"
    ]


def test_what_a_readable_list_revokes_is_told_before_what_an_unreadable_one_may(tmp_path: Path) -> None:
    assert told(tmp_path, a_crl="none", b_crl=NEW) == [("GW0431", "evidence/a.crl"), ("GW0436", "evidence/paris.pem")]


def test_a_root_is_the_certificate_of_an_authority() -> None:
    assert root_flaw(ROOT.pem) == ""
    assert root_flaw(LEAF.pem) == root_flaw(root_of(constraints=None).pem) == "it is not one of an authority"
    assert root_flaw("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") == "it is no certificate"


def test_a_token_of_an_issuer_without_keys_is_refused_with_what_it_would_need() -> None:
    token = signed(ec_pair(), {**CLAIMS, "iss": "ca"})
    found = verify(token, (CA,), NOW, HERE)
    assert isinstance(found, Finding)
    assert (found.id, found.hint.partition(":")[0]) == ("GW0406", "give the issuer's document `keys` and `algorithms`")
