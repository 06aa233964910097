"""Reading JSON that a client sent: every error names the field, what it holds and what it may."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from engines.errors import ProtocolError

T = TypeVar("T")


class Fields:
    """A JSON object and its place in the message, such as `session.audio.input`."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise invalid(path, value, "an object")
        self.path = path
        self._values: Mapping[str, Any] = value

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def only(self, names: Collection[str]) -> None:
        """Raise for a field that is none of `names`."""
        for name in self._values:
            if name not in names:
                raise ProtocolError(
                    f"Unknown parameter: '{self._at(name)}'. Known here: "
                    f"{', '.join(sorted(names))}.",
                    code="unknown_parameter",
                    param=self._at(name),
                )

    def object(self, name: str) -> "Fields":
        """The object in a field."""
        return Fields(self.required(name), self._at(name))

    def objects(self, name: str) -> Iterator["Fields"]:
        """The objects of a list in a field."""
        values = self.required(name)
        if not isinstance(values, list):
            raise invalid(self._at(name), values, "a list of objects")
        for index, value in enumerate(values):
            yield Fields(value, f"{self._at(name)}[{index}]")

    def required(self, name: str) -> Any:
        """A field's value of whatever type."""
        if name not in self._values:
            raise ProtocolError(
                f"Missing required parameter: '{self._at(name)}'.",
                code="missing_required_parameter",
                param=self._at(name),
            )
        return self._values[name]

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self._values.get(name) is not None

    def is_null(self, name: str) -> bool:
        """Whether a field is there and null."""
        return name in self._values and self._values[name] is None

    def text(self, name: str, default: str | None = None) -> str:
        """A string; required without a default."""
        return self._checked(name, default, "a string", lambda value: isinstance(value, str))

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        return self._checked(name, default, "true or false", lambda v: isinstance(v, bool))

    def number(
        self, name: str, minimum: float, maximum: float, default: float | None = None
    ) -> float:
        """A number within bounds, both included; required without a default."""
        allowed = f"a number from {minimum:g} to {maximum:g}"
        return self._checked(name, default, allowed, lambda v: _is_within(v, minimum, maximum))

    def integer(self, name: str, minimum: int, maximum: int, default: int | None = None) -> int:
        """A whole number within bounds, both included; required without a default."""
        allowed = f"a whole number from {minimum} to {maximum}"
        return self._checked(
            name,
            default,
            allowed,
            lambda value: isinstance(value, int) and _is_within(value, minimum, maximum),
        )

    def choice(self, name: str, allowed: Collection[T], default: T | None = None) -> T:
        """One of a few values; required without a default."""
        names = " or ".join(repr(value) for value in allowed)
        chosen = self._checked(name, default, names, lambda value: value in allowed)
        return next(value for value in allowed if value == chosen)  # 8000 for 8000.0

    def _checked(
        self, name: str, default: T | None, allowed: str, is_valid: Callable[[Any], bool]
    ) -> T:
        if name not in self._values and default is not None:
            return default
        value: T = self.required(name)
        try:
            valid = is_valid(value)
        except TypeError:  # an unhashable value among choices
            valid = False
        if not valid:
            raise invalid(self._at(name), value, allowed)
        return value

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def invalid(path: str, value: object, allowed: str) -> ProtocolError:
    """The error for a field that holds what it may not."""
    shown = repr(value)
    if len(shown) > 80:
        shown = f"{shown[:80]}…"
    return ProtocolError(
        f"Invalid value for '{path}': {shown}. Expected {allowed}.",
        code="invalid_value",
        param=path,
    )


def _is_within(value: object, minimum: float, maximum: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and minimum <= value <= maximum  # type: ignore[operator]
