"""Calls that `torch.compile` does not look into: it breaks its graph around them.

Only code that is being traced imports this file. `torch.compiler.disable` loads the compiler, which takes longer than
everything else between `import crn_lib` and a first result.
"""

from collections.abc import Callable
from typing import Any

import torch


@torch.compiler.disable
def outside_graph(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """`function(*arguments, **options)`, not traced."""
    return function(*arguments, **options)
