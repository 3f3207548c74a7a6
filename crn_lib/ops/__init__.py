"""Pure functions on tensors: no modules, no configuration objects, no global state."""

from crn_lib.ops.relation import (
    ACTIVATIONS,
    BACKENDS,
    NORMS,
    BackendChoice,
    factorises,
    relation,
    which_backend,
)

__all__ = ["ACTIVATIONS", "BACKENDS", "NORMS", "BackendChoice", "factorises", "relation", "which_backend"]
