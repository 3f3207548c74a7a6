"""A lesson's parameters: checked in the cell after the one papermill fills in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from crn_lib.config import ConfigError
from crn_lib.course.failures import explain_assertions
from crn_lib.device import pick_device
from crn_lib.tasks.copying import ALPHABET

PROFILES = ("smoke", "laptop", "paper")

T = TypeVar("T")


class ParameterError(ValueError):
    """A lesson parameter out of range; the message names it, its value and the values it takes."""


@dataclass(frozen=True)
class Settings:
    """What every lesson is run with.

    Attributes:
        profile: `smoke` (seconds, for tests), `laptop` (under a minute) or `paper` (the paper's own shape).
        seed: start of every random stream of the lesson.
        device: where its models are trained.
    """

    profile: str
    seed: int
    device: str

    def by_profile(self, *, smoke: T, laptop: T, paper: T) -> T:
        """The value that belongs to the profile."""
        return {"smoke": smoke, "laptop": laptop, "paper": paper}[self.profile]

    def generator(self, stream: int = 0) -> torch.Generator:
        """A random generator of its own for each `stream`, a small whole number."""
        return torch.Generator().manual_seed(1000 * self.seed + stream)


def begin(*, profile: str, seed: int, device: str) -> Settings:
    """Check the three parameters that every lesson has, and let its assertions explain themselves.

    Raises:
        ParameterError: a value that is not allowed.
    """
    one_of("profile", profile, PROFILES)
    whole_number("seed", seed, 0, 10**6)
    try:
        place, _ = pick_device(device)
    except ConfigError as error:
        raise ParameterError(str(error)) from None
    explain_assertions()
    return Settings(profile, seed, str(place))


def one_of(name: str, value: T, allowed: Sequence[T]) -> T:
    """The value, if it is one of those allowed.

    Raises:
        ParameterError: it is not.
    """
    if value not in allowed:
        raise ParameterError(f"parameter {name} must be one of {', '.join(map(str, allowed))}; got {value!r}")
    return value


def letters(name: str, value: str, most: int) -> str:
    """The value, if it is a string of 1 to `most` letters a to z.

    Raises:
        ParameterError: it is not.
    """
    if not isinstance(value, str) or not 1 <= len(value) <= most or not set(value) <= set(ALPHABET):
        raise ParameterError(f"parameter {name} must be 1 to {most} letters a to z; got {value!r}")
    return value


def whole_number(name: str, value: int, least: int, most: int) -> int:
    """The value, if it is a whole number from `least` to `most`.

    Raises:
        ParameterError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ParameterError(f"parameter {name} must be a whole number from {least} to {most}; got {value!r}")
    return value
