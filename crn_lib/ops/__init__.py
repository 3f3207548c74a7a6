"""Pure functions on tensors: no modules, no configuration objects, no global state."""

from crn_lib.ops.relation import (
    ACTIVATIONS,
    BACKENDS,
    FACTORISING_NORMS,
    NORMS,
    BackendChoice,
    factorises,
    relation,
    which_backend,
)

__all__ = [
    "ACTIVATIONS",
    "BACKENDS",
    "FACTORISING_NORMS",
    "NORMS",
    "BackendChoice",
    "factorises",
    "relation",
    "which_backend",
]
