"""Classifying images piece by piece: patches or pixels as a sequence of vectors, and the class at its end."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from crn_lib.config import require, require_choice, require_whole
from crn_lib.data import Images, Split
from crn_lib.data.sources import IMAGES, ImageSource, check_path, require_classes
from crn_lib.tasks.registry import TASKS, Task, TaskKind, check_draw, check_held_out, drawn_once
from crn_lib.tasks.scores import NOT_SCORED

LAYOUTS = ("patches", "pixels", "permuted")


@dataclass(frozen=True)
class ImagesConfig:
    """Which images, and how they become a sequence.

    Attributes:
        source: one of `crn_lib.data.sources.IMAGES`; `digits`, 8 x 8 pixels, come with the library.
        path: where the files of any other source are.
        layout: `patches`, row by row, each a vector of its pixels; `pixels`, row by row; or `permuted`, pixels in one
            order for all images, drawn at random: what is near in the image is no longer near in the sequence.
        patch: pixels a side of a patch.
        split_seed: of the split into training, validation and test, and of the order of `permuted`.

    Raises:
        ConfigError: a value out of range, or a path missing or not needed.

    Example:
        >>> config = ImagesConfig(layout="patches", patch=2)
        >>> config.context, config.input_width, config.vocab_size  # 16 patches and the read-out, 4 pixels, ten digits
        (17, 4, 10)
    """

    source: str = "digits"
    path: str | None = None
    layout: str = "patches"
    patch: int = 2
    split_seed: int = 0

    def __post_init__(self) -> None:
        require_choice("source", self.source, tuple(IMAGES))
        check_path(self.source, self.shape, self.path)
        require_choice("layout", self.layout, LAYOUTS)
        require_whole("patch", self.patch)
        belongs = f"patch belongs to the layout 'patches', not to {self.layout!r}; got {self.patch}"
        require(self.layout == "patches" or self.patch == type(self).patch, belongs)
        fits = self.shape.side % self.piece == 0
        require(fits, f"patch must divide the {self.shape.side} pixels a side of {self.source}; got {self.patch}")
        require_whole("split_seed", self.split_seed, least=0)

    @property
    def shape(self) -> ImageSource:
        """Where the images come from, and how large they are."""
        return IMAGES[self.source]

    @property
    def piece(self) -> int:
        """Pixels a side of what becomes one vector."""
        return self.patch if self.layout == "patches" else 1

    @property
    def input_width(self) -> int:
        """Numbers in each vector."""
        return self.piece**2 * self.shape.channels

    @property
    def vocab_size(self) -> int:
        """Classes."""
        return self.shape.classes

    @property
    def chance(self) -> float:
        """Images right of one who names any class."""
        return 1 / self.shape.classes

    @property
    def context(self) -> int:
        """Vectors in a sequence: the pieces, and one more where the class is read out."""
        return (self.shape.side // self.piece) ** 2 + 1


class ImagesTask(Task[ImagesConfig]):
    """Draws training images, and keeps those of the other parts fixed. The images are read at first use.

    Pixels have mean 0 and standard deviation 1 over the training part, a channel at a time.

    Example:
        >>> vectors, targets = ImagesTask(ImagesConfig()).held_out(2, "validation")
        >>> vectors.shape, targets[:, -2:].tolist()
        (torch.Size([2, 17, 4]), [[-100, 1], [-100, 2]])
    """

    keeps_some_apart = True

    @cached_property
    def split(self) -> Split[Images]:
        """The images.

        Raises:
            DataError: the images are not there, or a part has none, or of one class only.
        """
        config = self.config
        split = IMAGES[config.source].load(config.path, config.split_seed)
        require_classes(split, "image", config.source)
        return split

    @cached_property
    def _scale(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel, of at most 10,000 training images."""
        pixels = torch.from_numpy(self.split.train.pixels[:10_000].astype(np.float32))
        return pixels.mean(dim=(0, 1, 2)), pixels.std(dim=(0, 1, 2)).clamp(min=1e-6)

    def sample(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Training images drawn with repetition: vectors `(batch, context, input_width)` and targets, scored last."""
        check_draw(batch, generator)
        there = len(self.split.train.classes)
        return self._lay_out(self.split.train, torch.randint(there, (batch,), generator=generator))

    def held_out(self, strings: int, split: str) -> tuple[Tensor, Tensor]:
        """Images of the validation or test part, drawn once; all of them if they are fewer.

        Returns:
            Vectors, `(images, context, input_width)`, and targets, `(images, context)`, scored at the last place.
        """
        check_held_out(strings, split)
        part: Images = getattr(self.split, split)
        return self._lay_out(part, drawn_once(len(part.classes), strings, self.config.split_seed))

    def _lay_out(self, images: Images, chosen: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = self._scale
        numbers = chosen.numpy()
        pixels = (torch.from_numpy(images.pixels[numbers].astype(np.float32)) - mean) / deviation
        pieces = self.pieces(pixels)
        vectors = torch.cat([pieces, torch.zeros_like(pieces[:, :1])], dim=1)
        targets = torch.full(vectors.shape[:2], NOT_SCORED)
        targets[:, -1] = torch.from_numpy(images.classes[numbers])
        return vectors, targets

    def pieces(self, pixels: Tensor) -> Tensor:
        """Pixels `(batch, side, side, channels)` as their pieces in order, `(batch, context - 1, input_width)`."""
        piece, config = self.config.piece, self.config
        rows = pixels.unfold(1, piece, piece).unfold(2, piece, piece)  # (batch, row, column, channel, down, right)
        found = rows.permute(0, 1, 2, 4, 5, 3).reshape(len(pixels), -1, config.input_width)
        if config.layout == "permuted":
            order = torch.Generator().manual_seed(config.split_seed)
            return found[:, torch.randperm(found.shape[1], generator=order)]
        return found


TASKS["images"] = TaskKind(ImagesConfig, ImagesTask)
