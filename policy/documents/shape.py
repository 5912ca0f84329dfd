"""What may stand at a path inside a kind of document: its fields and their words."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a part, as they are written in YAML."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def field_at(model: type[BaseModel], path: Sequence[str | int]) -> FieldInfo | None:
    """The field that a path of keys and indexes leads to; None where the path leaves what is declared."""
    found: FieldInfo | None = None
    inside: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str):
            found = fields(inside).get(part) if inside else None
            inside = part_in(found.annotation) if found else None
    return found


def part_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The part that stands at a path; the model itself at an empty one."""
    if not path:
        return model
    found = field_at(model, path)
    return part_in(found.annotation) if found else None


def takes_one_value(model: type[BaseModel], path: Sequence[str | int]) -> bool:
    """Whether a single text or number stands at a path inside a kind, not a list and not a mapping."""
    inside: Any = model
    for part in path:
        if isinstance(inside, type) and issubclass(inside, BaseModel):
            found = fields(inside).get(str(part))
            inside = _bare(found.annotation) if found else None
        else:
            wanted = {list: int, dict: str}.get(get_origin(inside))
            inside = _bare(get_args(inside)[-1]) if wanted and isinstance(part, wanted) else None
        if inside is None:
            return False
    return get_origin(inside) not in {list, dict} and not (isinstance(inside, type) and issubclass(inside, BaseModel))


def _bare(annotation: Any) -> Any:
    """A type without what is annotated to it, and without that it may be left out."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return _bare(next(each for each in get_args(annotation) if each is not NoneType))
    return annotation


def part_in(annotation: Any) -> type[BaseModel] | None:
    """The part of a document that a type holds, itself or inside a list or an optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (part_in(each) for each in get_args(annotation))
    return next((each for each in inner if each is not None), None)


def words_in(annotation: Any) -> tuple[str, ...]:
    """The words that a type allows; none when it takes other values."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(word for each in get_args(annotation) for word in words_in(each))
