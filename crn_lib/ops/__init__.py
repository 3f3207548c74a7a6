"""Pure functions on tensors: no modules, no configuration objects, no global state."""

from crn_lib.ops.activations import ACTIVATION_FUNCTIONS
from crn_lib.ops.backends import (
    ACTIVATIONS,
    BACKENDS,
    FACTORISING_NORMS,
    NORMS,
    BackendChoice,
    factorises,
    which_backend,
)
from crn_lib.ops.linear import LARGEST_LOG, SMALLEST_LOG, largest_normalised
from crn_lib.ops.naive import pre_activation
from crn_lib.ops.normalise import layer_norm
from crn_lib.ops.pool import Pool, RunningSum, pool_step, running_step
from crn_lib.ops.relation import relation

__all__ = [
    "ACTIVATIONS",
    "ACTIVATION_FUNCTIONS",
    "BACKENDS",
    "FACTORISING_NORMS",
    "LARGEST_LOG",
    "NORMS",
    "SMALLEST_LOG",
    "BackendChoice",
    "Pool",
    "RunningSum",
    "factorises",
    "largest_normalised",
    "layer_norm",
    "pool_step",
    "pre_activation",
    "relation",
    "running_step",
    "which_backend",
]
