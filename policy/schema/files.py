"""The files that hold the schema: one in this package, which commands read, and a definition for each kind."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from policy.schema.crd import definitions
from policy.schema.json import json_schema
from policy.schema.page import told

SCHEMA: Final = "gridwright.schema.json"
ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "language.md"
DEFINITIONS: Final = ROOT / "deploy" / "crds"


def kept() -> dict[str, Any]:
    """The schema of all kinds. It was made with the page on the language, which is not installed."""
    text = (files("policy.schema") / SCHEMA).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def made() -> Mapping[Path, str]:
    """Every file as the code and the page have it now."""
    schema = json_schema(told(PAGE.read_text(encoding="utf-8")))
    crds = {DEFINITIONS / name: as_yaml([each]) for name, each in definitions(schema).items()}
    return {Path(__file__).with_name(SCHEMA): as_json(schema), **crds}


def as_json(schema: Mapping[str, Any]) -> str:
    """Indented, as it is reviewed."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def as_yaml(documents: list[dict[str, Any]]) -> str:
    """Documents one after the other, each field where the code puts it."""
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=10_000, explicit_start=True)
