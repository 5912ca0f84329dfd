"""How a variant is called on a Triton server: `<model>--<variant>`."""

from typing import Final

SEPARATOR: Final = "--"


def triton_name(model: str, variant: str) -> str:
    """The name of the variant in a server's model repository."""
    return f"{model}{SEPARATOR}{variant}"


def model_and_variant(name: str) -> tuple[str, str] | None:
    """The (model, variant) that the name stands for; None when it is not made by `triton_name`, or not clearly."""
    model, separator, variant = name.partition(SEPARATOR)
    if not separator or not model or not variant or SEPARATOR in variant or variant.startswith("-"):
        return None
    return model, variant
