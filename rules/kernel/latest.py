"""What was worked out for the last arguments is not worked out again: rules ask the same of one plan, one by one."""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class Latest(Generic[Asked, Answer]):
    """A function that keeps its last answer, for arguments that never change.

    They are told apart by identity: to compare two plans or problems takes longer than most answers. The last arguments
    and their answer stay in memory until others take their place. That is one problem and plan for each function here,
    however many are asked about; a weak reference would free no problem whose answer refers to it.
    """

    def __init__(self, answer: Callable[Asked, Answer]) -> None:
        self._answer = answer
        self._last: tuple[tuple[object, ...], Answer] | None = None

    def __call__(self, *arguments: Asked.args, **names: Asked.kwargs) -> Answer:
        """The answer, kept or new."""
        last, these = self._last, (*arguments, *names.values())
        if last is not None and len(last[0]) == len(these) and all(a is b for a, b in zip(last[0], these, strict=True)):
            return last[1]
        answer = self._answer(*arguments, **names)
        self._last = these, answer
        return answer
