"""Plain torch timed in a process of its own: as torch comes, and with this library's settings for it.

Of its own, too, because compiled code may end the process it runs in: torch 2.13's for 8 sequences of 34 tokens, on a
processor with AVX-512, corrupts the heap (docs/LOG.md). Then one contender is missing, and no row that others gave.

`crn_lib` sets two things before torch is loaded (`crn_lib/__init__.py`): large arrays get pages of 2 MiB, and waiting
threads sleep early. Both help plain torch as well, here by half at lengths where it stores hundreds of megabytes. Who
runs public code without this library has neither, so the baselines are timed without them.

    python -m crn_lib.bench.own_settings FOLDER THREADS BATCH LENGTH WIDTH CONTENDER...
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from crn_lib.bench.baselines import PLAIN
from crn_lib.bench.inputs import relation_inputs, with_gradients
from crn_lib.bench.timing import MOST_REPEATS, Elsewhere
from crn_lib.measure import added_memory, call_times

TORCHS_OWN: Mapping[str, str] = {"THP_MEM_ALLOC_ENABLE": "0", "GOMP_SPINCOUNT": "300000"}
"""Small pages, and libgomp's spin where nothing is said: what a program gets that only imports torch."""

THE_LIBRARYS: Mapping[str, str] = {}
"""What `crn_lib/__init__.py` sets where nothing is said."""


def measure_elsewhere(
    contenders: Sequence[str], batch: int, length: int, width: int, settings: Mapping[str, str] = TORCHS_OWN
) -> dict[str, Elsewhere | str]:
    """Run contenders of `PLAIN` on `relation_inputs(batch, length, width)`, forward and backward, one after another.

    Args:
        contenders: names in `PLAIN`, those that may end their process last: what comes behind is lost with them.
        batch, length, width: of the inputs.
        settings: of the process, `TORCHS_OWN` or `THE_LIBRARYS`.

    Returns:
        By name, what was measured; or why that could not be done.
    """
    if not contenders:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        numbers = [torch.get_num_threads(), batch, length, width]
        command = [sys.executable, "-m", __name__, folder, *map(str, numbers), *contenders]
        ran = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
        found: dict[str, Elsewhere | str] = {}
        for number, name in enumerate(contenders):
            row, results = Path(folder, f"{number}.json"), Path(folder, f"{number}.safetensors")
            if row.exists():
                tensors = load_file(results)
                found[name] = Elsewhere([tensors[key] for key in sorted(tensors)], **json.loads(row.read_text()))
            else:
                reason = (ran.stderr.strip().splitlines() or ["no message"])[-1]
                found[name] = f"stopped with exit status {ran.returncode}: {reason}"
    return found


def main(arguments: Sequence[str]) -> None:
    """Measure, and leave a file of results and one of numbers for each contender."""
    folder, threads, batch, length, width, *contenders = arguments
    torch.set_num_threads(int(threads))
    a, b, gradient = relation_inputs(int(batch), int(length), int(width))
    for number, name in enumerate(contenders):
        function = PLAIN[name]()

        def compute() -> list[torch.Tensor]:
            return with_gradients(function, a, b, gradient)  # noqa: B023  (called before the next function is made)

        results = {str(k): x.detach().contiguous() for k, x in enumerate(compute())}
        save_file(results, Path(folder, f"{number}.safetensors"))
        del results
        added = added_memory(compute)
        times = call_times(compute, most_repeats=MOST_REPEATS)
        row = {"seconds": min(times), "repeats": len(times), "added_bytes": added}
        Path(folder, f"{number}.json").write_text(json.dumps(row))


if __name__ == "__main__":
    main(sys.argv[1:])
