"""Documents against their kinds: every deviation as a finding at its place, with what was expected there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from policy.catalogue import error
from policy.documents import API_VERSION, KINDS
from policy.documents.base import ENTRY, Metadata, Named, Spec
from policy.documents.shape import field_at, fields, part_at, words_in
from policy.findings import Finding, Place
from policy.parse import Document, Path
from policy.words import shown, suggestion

ENVELOPE: Final = ("apiVersion", "kind", "metadata", "spec")
_LIMITS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
"""What pydantic calls a value beyond a limit: how it is said, and where the limit stands."""
EVIDENCE_KIND: Final = "Evidence"
_TYPES: Final[Mapping[str, str]] = {
    "one_value": "one value",
    "string_type": "a text; quote it if it looks like a number",
    "int_type": "a whole number without a unit",
    "bool_type": "true or false",
    "list_type": "a list, such as [a, b]",
    "dict_type": "a mapping, such as {key: value}",
    "model_type": "a mapping, such as {key: value}",
}


@dataclass(frozen=True, slots=True)
class Valid:
    """A document that fits its kind."""

    kind: str
    name: str
    labels: tuple[tuple[str, str], ...]
    spec: Spec
    source: Document

    def place(self, *path: str | int) -> Place:
        """Where something of the spec stands; the document's name without a path."""
        return self.source.place("spec", *path) if path else self.source.place("metadata", "name")


@dataclass(frozen=True, slots=True)
class Language:
    """A family of kinds: what its documents state as `apiVersion`, and the page that tells of their fields."""

    api_version: str
    kinds: Mapping[str, type[Spec]]
    metadata: type[Spec]
    page: str


OURS: Final = Language(API_VERSION, KINDS, Metadata, "docs/language.md")


def validate(document: Document, language: Language = OURS) -> tuple[Valid | None, list[Finding]]:
    """The document as its kind has it, None when anything is wrong with it; and what is."""
    data, kinds = document.data, language.kinds
    if not isinstance(data, dict):
        hint = "write apiVersion, kind, metadata and spec, each with a colon"
        return None, [error("GW0201", document.place(), f"expected a document, found {_plain_type(data)}", hint)]
    findings = [_unknown(document, (key,), ENVELOPE) for key in data if key not in ENVELOPE]
    findings += _version(document, data, language.api_version)
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        message = f"there is no kind {shown(kind)}" if "kind" in data else "the document has no kind"
        hint = suggestion(str(kind), kinds, "leave the document out")
        if kind == EVIDENCE_KIND:
            hint = "evidence is no policy: put it into the folder `evidence` beside it, as docs/evidence.md shows"
        return None, [*findings, error("GW0201", document.place("kind"), message, hint)]
    metadata = _part(document, "metadata", language.metadata, findings, language.page)
    spec = _part(document, "spec", kinds[kind], findings, language.page)
    if findings or not isinstance(metadata, Named) or spec is None:
        return None, findings
    labels = tuple(sorted(metadata.labels.items())) if isinstance(metadata, Metadata) else ()
    return Valid(kind, metadata.name, labels, spec, document), findings


def _version(document: Document, data: Mapping[str, Any], wanted: str) -> list[Finding]:
    if data.get("apiVersion") == wanted:
        return []
    message = f"there is no API version {shown(data['apiVersion'])}" if "apiVersion" in data else "no apiVersion"
    return [error("GW0201", document.place("apiVersion"), message, f"write `apiVersion: {wanted}`")]


def _part(document: Document, name: str, model: type[Spec], findings: list[Finding], page: str) -> Spec | None:
    """The part of the document that the model describes; adds to `findings` what keeps it from being one."""
    data = document.data
    if not isinstance(data, dict) or name not in data:
        findings.append(error("GW0203", document.place(), f"`{name}` is missing", f"add `{name}:` to the document"))
        return None
    try:
        return model.model_validate(data[name])
    except ValidationError as trouble:
        findings += [_told(document, name, model, item, page) for item in trouble.errors(include_url=False)]
        return None


def _told(document: Document, part: str, model: type[Spec], item: Any, page: str) -> Finding:
    """One of pydantic's errors as a finding."""
    is_key = "[key]" in item["loc"]
    path: Path = (part, *(each for each in item["loc"] if each != "[key]"))
    field = field_at(model, path[1:])
    if item["type"] == ENTRY:
        path = (*path, item["ctx"]["entry"])
    if item["type"] == "extra_forbidden":
        inside = part_at(model, path[1:-1])
        return _unknown(document, path, fields(inside) if inside else ())
    if item["type"] == "missing":
        return error("GW0203", document.key_place(*path[:-1]), f"`{path[-1]}` is missing", _add(str(path[-1]), field))
    place = document.key_place(*path) if is_key else document.place(*path)
    if item["type"] == "literal_error":
        words = words_in(field.annotation) if field else ()
        written = str(item["input"]).lower() if isinstance(item["input"], bool) else item["input"]
        message = f"{_where(path)}{shown(written)} is none of the words that stand here"
        return error("GW0204", place, message, suggestion(str(item["input"]), words, f"see {page}"))
    message = f"{_where(path)}{_wrong(item)}"
    return error(
        "GW0204", place, message, _write(path, field, message, f"{page} tells what stands in {_kind(document)}")
    )


def _wrong(item: Any) -> str:
    """What is wrong with a value, and what was expected."""
    context, kind, found = item.get("ctx", {}), item["type"], _plain_type(item["input"])
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}; found {found}"
    if kind in _LIMITS:
        said, key = _LIMITS[kind]
        return f"expected {'more than zero' if context.get('ge') == 1 else f'{said} {context[key]}'}; found {found}"
    if kind == "too_short":
        least, many = context["min_length"], context["actual_length"]
        return f"expected at least {'one entry' if least == 1 else f'{least} entries'}; found {many or 'none'}"
    if kind in {"too_long", "string_too_long"}:
        things = "entries" if kind == "too_long" else "characters"
        return f"expected at most {context['max_length']} {things}"
    return str(item["msg"]).removeprefix("Value error, ")


def _plain_type(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return f"the text {shown(value)}" if isinstance(value, str) else shown(str(value).lower())


def _where(path: Path) -> str:
    """The field that a message is about, and which entry of its list; nothing for a whole part."""
    names = [each for each in path[1:] if isinstance(each, str)]
    entry = f", entry {path[-1] + 1}" if isinstance(path[-1], int) else ""
    return f"{shown(names[-1])}{entry}: " if names else ""


def _write(path: Path, field: FieldInfo | None, message: str, otherwise: str) -> str:
    """How to write the field: an example, unless the message gives one already."""
    example = field.examples[0] if field and field.examples else ""
    return f"write it like `{path[-1]}: {example}`" if example and example not in message else otherwise


def _kind(document: Document) -> str:
    kind = str(document.data.get("kind")) if isinstance(document.data, dict) else ""
    return f"{'an' if kind[:1] in 'AEIOU' or kind.isupper() else 'a'} {kind}"


def _add(name: str, field: FieldInfo | None) -> str:
    example = f" {field.examples[0]}" if field and field.examples else ""
    return f"add `{name}:{example}` here"


def _unknown(document: Document, path: Path, valid: Iterable[str]) -> Finding:
    hint = suggestion(str(path[-1]), valid, "leave it out")
    return error("GW0202", document.key_place(*path), f"there is no field {shown(path[-1])} here", hint)
