"""Frozen configurations from plain mappings and back."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crn_lib.config import (
    ConfigError,
    from_mapping,
    parse_value,
    read_yaml,
    require,
    require_choice,
    require_number,
    require_whole,
    to_mapping,
)


@dataclass(frozen=True)
class Inner:
    size: int
    name: str = "a"

    def __post_init__(self) -> None:
        require_whole("size", self.size)


@dataclass(frozen=True)
class Outer:
    inner: Inner
    other: Inner | None = None
    sizes: tuple[int, ...] = ()
    again: Inner = field(default_factory=lambda: Inner(3))


@pytest.mark.parametrize(
    "config",
    [Outer(Inner(1)), Outer(Inner(1, "b"), Inner(2), (1, 2), Inner(4)), Outer(Inner(1), other=None, sizes=(5,))],
)
def test_a_configuration_survives_the_way_through_a_mapping(config):
    assert from_mapping(Outer, to_mapping(config)) == config


def test_lists_as_yaml_and_json_have_them_become_tuples():
    assert from_mapping(Outer, {"inner": {"size": 1}, "sizes": [1, 2]}).sizes == (1, 2)


def test_fields_with_a_default_may_be_left_out():
    assert from_mapping(Outer, {"inner": {"size": 1}}) == Outer(Inner(1))


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"size": 1, "nmae": "b"}, r"Inner has no field 'nmae' \(did you mean name\?\); its fields are size, name"),
        ({"size": 1, "z": 1, "y": 1}, "Inner has no field 'y', 'z'; its fields are size, name"),
        ({}, "Inner needs the field 'size'"),
        ({"size": 0}, "size must be a whole number >= 1; got 0"),
        ([("size", 1)], r"Inner must be a mapping of fields; got \[\('size', 1\)\]"),
        (None, "Inner must be a mapping of fields; got None"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_in_one_line(mapping, message):
    with pytest.raises(ConfigError, match=f"^{message}$"):
        from_mapping(Inner, mapping)


def test_the_inner_class_is_checked_too():
    with pytest.raises(ConfigError, match=r"^Inner has no field 'sise'"):
        from_mapping(Outer, {"inner": {"sise": 1}})
    with pytest.raises(ConfigError, match=r"^Inner needs the field 'size'$"):
        from_mapping(Outer, {"inner": {"size": 1}, "other": {}})


@pytest.mark.parametrize("value", [1, 5])
def test_whole_numbers_pass(value):
    require_whole("n", value)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True])
def test_what_is_no_whole_number_does_not_pass(value):
    with pytest.raises(ConfigError, match=f"^n must be a whole number >= 1; got {value!r}$"):
        require_whole("n", value)


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_numbers_within_their_bounds_pass(value):
    require_number("x", value, 0, 1)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), "0.5", None, True])
def test_numbers_outside_their_bounds_do_not_pass(value):
    with pytest.raises(ConfigError, match=f"^x must be a number from 0 to 1; got {value!r}$"):
        require_number("x", value, 0, 1)


def test_infinity_is_no_number_even_without_an_upper_bound():
    with pytest.raises(ConfigError, match=r"^x must be a number >= 0; got inf$"):
        require_number("x", float("inf"), 0)


def test_a_choice_names_what_there_is():
    require_choice("letter", "a", ("a", "b"))
    with pytest.raises(ConfigError, match=r"^letter must be one of a, b; got 'c'$"):
        require_choice("letter", "c", ("a", "b"))


def test_a_requirement_that_holds_says_nothing():
    require(True, "never")
    with pytest.raises(ConfigError, match=r"^why$"):
        require(False, "why")


def test_yaml_has_numbers_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text("a: 2e-3\nb: [1E5, -.5e1, 3.5]\nc: '2e-3'\nd: e5\ne: 7\nf: 1e\n")
    read = read_yaml(path)
    assert read == {"a": 0.002, "b": [1e5, -5.0, 3.5], "c": "2e-3", "d": "e5", "e": 7, "f": "1e"}
    assert isinstance(read["e"], int)
    for wrong in ("!!bool x", "!!timestamp x", "!!int ''", "!!float x"):
        path.write_text(f"a: {wrong}")
        with pytest.raises(ConfigError, match=r"some\.yaml is not valid YAML"):
            read_yaml(path)
        with pytest.raises(ConfigError):
            parse_value(wrong)
    path.write_text("a: [")
    with pytest.raises(ConfigError, match=r"some\.yaml is not valid YAML"):
        read_yaml(path)
