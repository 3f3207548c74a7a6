"""Frozen configurations: checked when made, read from and written to plain mappings (YAML, JSON, flags)."""

import dataclasses
import difflib
import re
import reprlib
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

C = TypeVar("C")


class ConfigError(ValueError):
    """A configuration that cannot be; the message names the field, its value and what would be right."""


def require(condition: bool, message: str) -> None:
    """Raise `ConfigError(message)` unless the condition holds."""
    if not condition:
        raise ConfigError(message)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200


def shown(value: object) -> str:
    """A value for a message, in one line however long it is."""
    try:
        return " ".join(map(str.strip, _SHORT.repr(value).splitlines()))
    except ValueError:  # a whole number of more digits than Python writes out
        return "a very large number"


def require_choice(name: str, value: object, allowed: Sequence[object]) -> None:
    """Raise `ConfigError` unless the value is one of those allowed."""
    require(value in allowed, f"{name} must be one of {', '.join(map(str, allowed))}; got {shown(value)}")


class Named(dict[str, C]):
    """What stands for each of a few names; `[]` with any other is a `ConfigError` that lists them."""

    def __init__(self, what: str, named: Mapping[str, C]) -> None:
        super().__init__(named)
        self.what = what

    def __missing__(self, name: object) -> C:
        require_choice(self.what, name, tuple(self))
        raise AssertionError  # what is missing is not among them


LARGEST = 10**9
"""Of whole numbers that have no bound of their own: more would be no machine's."""


def require_whole(name: str, value: object, least: int = 1, most: int = LARGEST) -> None:
    """Raise `ConfigError` unless the value is a whole number in `[least, most]`."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = typing.cast(int, value) if whole else least - 1
    bounds = f">= {least}" if most == LARGEST >= number else f"from {least} to {most}"
    require(least <= number <= most, f"{name} must be a whole number {bounds}; got {shown(value)}")


def require_number(name: str, value: object, least: float, most: float = float("inf")) -> None:
    """Raise `ConfigError` unless the value is a finite number in `[least, most]`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    good = number and least <= typing.cast(float, value) <= min(most, sys.float_info.max)
    bounds = f">= {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
    require(good, f"{name} must be a number {bounds}; got {shown(value)}")


def from_mapping(kind: type[C], mapping: Mapping[str, Any], where: str = "") -> C:
    """Make a configuration (and the ones inside it) from a plain mapping.

    Raises:
        ConfigError: an unknown or missing field, or a value its class refuses; the message names the field.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{where or kind.__name__} must be a mapping of fields; got {shown(mapping)}")
    require_names(mapping, where or kind.__name__)
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    kinds = {name: _kinds(field, hints[name]) for name, field in fields.items()}
    unknown = sorted(set(mapping) - set(fields))
    if unknown:
        named = ", ".join(repr(name) + _near(name, kinds) for name in unknown)
        raise ConfigError(f"{kind.__name__} has no field {named}; its fields are {', '.join(fields)}")
    values = {}
    for name, value in mapping.items():
        if kinds[name] and isinstance(value, Mapping):
            value = from_named(kinds[name], value, name)
        values[name] = tuple(value) if isinstance(value, list) else value
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"{kind.__name__} needs the field {', '.join(map(repr, missing))}")
    return kind(**values)


def require_names(mapping: Mapping[Any, Any], where: str) -> None:
    """Raise `ConfigError` unless all keys are text: YAML has others, a field's name is none of them."""
    wrong = [name for name in mapping if not isinstance(name, str)]
    require(not wrong, f"the fields of {where} must be named by text; got {', '.join(map(shown, wrong[:3]))}")


def from_named(kinds: Mapping[str, type[C]], mapping: Mapping[str, Any], where: str) -> C:
    """Make a configuration of the kind that the mapping's `name` says; of the first where it has none.

    Where there is but one kind, `name` is a field like any other.

    Raises:
        ConfigError: an unknown name, or what `from_mapping` refuses.
    """
    name, fields = next(iter(kinds)), mapping
    if name and isinstance(mapping, Mapping):
        name = mapping.get("name", name)
        require_choice(f"{where}.name", name, tuple(kinds))
        fields = {field: value for field, value in mapping.items() if field != "name"}
    return from_mapping(kinds[name], fields, where)


def name_of(field: "dataclasses.Field[Any]", value: object) -> str | None:
    """The name of a field's value among the field's kinds; `None` for the first, which needs no name."""
    named = list(_kinds(field, None).items())[1:]
    return next((name for name, kind in named if type(value) is kind), None)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's numbers. PyYAML keeps to 1.1, where 2e-3 is text, since it has no point."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What the loader raises: a date that is none is a `ValueError`, and so is a number of 5,000 digits; `!!bool x` a
`KeyError`, `!!timestamp x` an `AttributeError`."""


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds: plain values only.

    Raises:
        ConfigError: it is not valid YAML.
        OSError: it cannot be read.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
    except _NOT_YAML as error:
        raise ConfigError(f"{path} is not valid YAML ({str(error).splitlines()[0]})") from None


def parse_value(text: str) -> Any:
    """The value that YAML gives the text: a number, true or false, null, a list, a mapping, else the text itself.

    Raises:
        ConfigError: it is not valid YAML.
    """
    try:
        return yaml.load(text, _Loader)
    except _NOT_YAML:
        raise ConfigError(f"{shown(text)} is not a value that YAML knows") from None


def to_mapping(config: Any) -> dict[str, Any]:
    """The configuration as a plain mapping; `from_mapping(type(config), ...)` brings it back, equal."""
    plain = dataclasses.asdict(config)
    for field in dataclasses.fields(config):
        if name := name_of(field, getattr(config, field.name)):
            plain[field.name] = {"name": name, **plain[field.name]}
    return plain


def _near(name: str, kinds: Mapping[str, Mapping[str, Any]]) -> str:
    """`" (did you mean ...?)"`: the field of that name further inside, else the most similar one; `""` for none."""
    inner = {field: next(iter(own.values())) for field, own in kinds.items() if own}
    deep = [f"{field}.{one.name}" for field, kind in inner.items() for one in dataclasses.fields(kind)]
    found = [path for path in deep if path.endswith(f".{name}")] or difflib.get_close_matches(name, [*kinds, *deep], 1)
    return f" (did you mean {found[0]}?)" if found else ""


def _kinds(field: "dataclasses.Field[Any]", hint: Any) -> Mapping[str, Any]:
    """The configurations that a field may hold: those by name of its metadata `kinds`, or that of its hint as `""`."""
    if "kinds" in field.metadata:
        named: Mapping[str, Any] = field.metadata["kinds"]()
        return named
    inner = _dataclass_in(hint)
    return {"": inner} if inner else {}


def _dataclass_in(hint: Any) -> Any:
    """The dataclass a type hint stands for, alone or in `X | None`."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return next((option for option in options if dataclasses.is_dataclass(option)), None)
