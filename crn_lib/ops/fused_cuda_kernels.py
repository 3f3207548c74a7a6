"""The kernels of `fused_cuda`, in Triton.

A program holds a block of rows of one side (receivers, or senders) and meets the rows of the other side one at a time,
in order. A row is cut into parts of PART columns, which must be a power of two where the width need not be: width 192
is 6 parts of 32 and not one of 256. The parts of a row are added up first and summed across lanes then, so a pair
costs one such sum (two for a gradient) whatever its width. All arithmetic is in float32, whatever the rows are
stored in.

`a`, `b`, `out`, their gradients: `(batch, length, HEADS * WIDTH)`, contiguous. Means: `(batch, length, HEADS, 2)`.
A block of rows is a tuple of tiles `(ROWS, PART)`. A sequence is one head of one sequence of the batch.
"""

import math
from typing import Any

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1 / math.log(2))
HALF_LOG2_E_LESS = tl.constexpr(-0.5 / math.log(2))
ROOT_HALF = tl.constexpr(math.sqrt(0.5))
BELL_HEIGHT = tl.constexpr(1 / math.sqrt(2 * math.pi))


@triton.jit
def load_parts(
    rows: Any, positions: Any, inside: Any, WIDTH: tl.constexpr, STRIDE: tl.constexpr, PART: tl.constexpr
) -> Any:
    """The rows at `positions`, `(ROWS, 1)`, in parts; zeros where not `inside`, and behind the width."""
    parts = ()
    for first in tl.static_range(0, WIDTH, PART):
        columns = first + tl.arange(0, PART)[None, :]
        here = inside
        if first + PART > WIDTH:
            here = inside & (columns < WIDTH)
        parts = parts + (tl.load(rows + positions * STRIDE + columns, mask=here, other=0.0).to(tl.float32),)
    return parts


@triton.jit
def store_parts(
    rows: Any, parts: Any, positions: Any, inside: Any, WIDTH: tl.constexpr, STRIDE: tl.constexpr, PART: tl.constexpr
) -> None:
    """Write the parts to the rows at `positions`, rounded to the type of the memory they go to."""
    for first in tl.static_range(0, WIDTH, PART):
        columns = first + tl.arange(0, PART)[None, :]
        here = inside & (columns < WIDTH)
        tl.store(rows + positions * STRIDE + columns, parts[first // PART].to(rows.dtype.element_ty), mask=here)


@triton.jit
def times(parts: Any, factor: Any) -> Any:
    """Every part times one number, or one number a row."""
    products = ()
    for part in tl.static_range(len(parts)):
        products = products + (parts[part] * factor,)
    return products


@triton.jit
def zeros_like(parts: Any) -> Any:
    """As many zeros, in as many parts."""
    zeros = ()
    for part in tl.static_range(len(parts)):
        zeros = zeros + (tl.zeros(parts[part].shape, tl.float32),)
    return zeros


@triton.jit
def pre_activations(
    held: Any,
    met: Any,
    shift: Any,
    WIDTH: tl.constexpr,
    PART: tl.constexpr,
    NORMALISED: tl.constexpr,
    UNIT: tl.constexpr,
    EPSILON: tl.constexpr,
) -> Any:
    """`UNIT` times what the activation sees, in parts, and what `held + met + shift` was multiplied by for it.

    In this order: where the two rows nearly cancel their sum is exact, and where all columns are equal, what is left
    after the shift is exactly 0, however large the scale.
    """
    centred = ()
    squares = held[0] * 0.0
    for first in tl.static_range(0, WIDTH, PART):
        z = held[first // PART] + met[first // PART]
        if NORMALISED:
            z += shift
            if first + PART > WIDTH:
                z = tl.where(first + tl.arange(0, PART)[None, :] < WIDTH, z, 0.0)
            squares += z * z
        centred = centred + (z,)
    scale = UNIT
    if NORMALISED:
        scale = UNIT * tl.rsqrt(tl.sum(squares, 1, keep_dims=True) / WIDTH + EPSILON)
    return times(centred, scale), scale


@triton.jit
def activate(u: Any, ACTIVATION: tl.constexpr) -> Any:
    """`f(u)`; for `exp`, `u` comes times log2(e). NaN stays NaN."""
    if ACTIVATION == "exp":
        return tl.exp2(u)
    elif ACTIVATION == "gelu":
        return 0.5 * u * (1.0 + tl.erf(u * ROOT_HALF))
    else:
        kept = tl.where(u <= 0.0, 0.0, u)
        return kept * kept if ACTIVATION == "squared_relu" else kept


@triton.jit
def slope(u: Any, ACTIVATION: tl.constexpr) -> Any:
    """`f'(u)`; for `exp`, `u` comes times log2(e), and the slope is that of `exp`."""
    if ACTIVATION == "exp":
        return tl.exp2(u)
    elif ACTIVATION == "gelu":
        return 0.5 * (1.0 + tl.erf(u * ROOT_HALF)) + u * BELL_HEIGHT * tl.exp2(u * u * HALF_LOG2_E_LESS)
    else:
        return tl.where(u <= 0.0, 0.0, 2.0 * u if ACTIVATION == "squared_relu" else 1.0)


@triton.jit
def load_mean(means: Any, positions: Any, inside: Any, HEADS: tl.constexpr) -> Any:
    """The means of the rows at `positions`: float32, and what is left of the float64 mean."""
    first = means + positions * (2 * HEADS)
    return tl.load(first, mask=inside, other=0.0), tl.load(first + 1, mask=inside, other=0.0)


@triton.jit
def weight_of(receiver: Any, length: Any, CAUSAL: tl.constexpr) -> Any:
    """One over the number of senders that this receiver sees."""
    return 1.0 / (receiver + 1) if CAUSAL else 1.0 / length


@triton.jit
def mean_kernel(a: Any, b: Any, a_means: Any, b_means: Any, rows: Any, WIDTH: tl.constexpr, PART: tl.constexpr, ROWS: tl.constexpr) -> None:
    """The mean over the width of every head of every row, as two float32 numbers whose sum is the float64 mean."""
    positions = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    inside = positions < rows
    for side in tl.static_range(2):
        source, means = (b, b_means) if side else (a, a_means)
        total = tl.zeros([ROWS, 1], tl.float64)
        parts = load_parts(source, positions, inside, WIDTH, WIDTH, PART)
        for part in tl.static_range(len(parts)):
            total += tl.sum(parts[part].to(tl.float64), 1, keep_dims=True)
        mean = total / WIDTH
        rounded = mean.to(tl.float32)
        tl.store(means + 2 * positions, rounded, mask=inside)
        tl.store(means + 2 * positions + 1, (mean - rounded.to(tl.float64)).to(tl.float32), mask=inside)


@triton.jit
def forward_kernel(
    a: Any,
    b: Any,
    a_means: Any,
    b_means: Any,
    out: Any,
    length: Any,
    WIDTH: tl.constexpr,
    HEADS: tl.constexpr,
    PART: tl.constexpr,
    ROWS: tl.constexpr,
    ACTIVATION: tl.constexpr,
    NORMALISED: tl.constexpr,
    CAUSAL: tl.constexpr,
    EPSILON: tl.constexpr,
) -> None:
    """`out_i = weight_i * sum_j f(...)` for one block of receivers; they meet their senders in order."""
    STRIDE: tl.constexpr = HEADS * WIDTH
    UNIT: tl.constexpr = LOG2_E if ACTIVATION == "exp" else 1.0
    blocks = tl.cdiv(length, ROWS)
    sequence, block = tl.program_id(0) // blocks, blocks - 1 - tl.program_id(0) % blocks  # the longest first
    head = (sequence // HEADS).to(tl.int64) * length * HEADS + sequence % HEADS
    a, b, out = a + head * WIDTH, b + head * WIDTH, out + head * WIDTH
    a_means, b_means = a_means + 2 * head, b_means + 2 * head

    first = block * ROWS
    receivers = first + tl.arange(0, ROWS)[:, None]
    inside = receivers < length
    everywhere = tl.full([ROWS, 1], True, tl.int1)
    held = load_parts(a, receivers, inside, WIDTH, STRIDE, PART)
    held_mean, held_rest = load_mean(a_means, receivers, inside, HEADS)
    totals = zeros_like(held)
    for AT_THE_EDGE in tl.static_range(2 if CAUSAL else 1):
        # Causal: first the senders that all these receivers see, then those that stand among them.
        start, stop = 0, first if CAUSAL else length
        if AT_THE_EDGE:
            start, stop = first, tl.minimum(first + ROWS, length)
        for sender in range(start, stop):
            met = load_parts(b, sender + tl.zeros([ROWS, 1], tl.int32), everywhere, WIDTH, STRIDE, PART)
            shift = 0.0
            if NORMALISED:
                met_mean, met_rest = load_mean(b_means, sender, True, HEADS)
                shift = -((held_mean + met_mean) + (held_rest + met_rest))
            u, _ = pre_activations(held, met, shift, WIDTH, PART, NORMALISED, UNIT, EPSILON)
            sums = ()
            for part in tl.static_range(len(held)):
                value = activate(u[part], ACTIVATION)
                if AT_THE_EDGE:
                    value = tl.where(sender <= receivers, value, 0.0)
                sums = sums + (totals[part] + value,)
            totals = sums
    means = times(totals, weight_of(receivers, length, CAUSAL))
    store_parts(out, means, receivers, inside, WIDTH, STRIDE, PART)


@triton.jit
def gradient_kernel(
    held_side: Any,
    met_side: Any,
    held_means: Any,
    met_means: Any,
    upstream: Any,
    gradient: Any,
    length: Any,
    WIDTH: tl.constexpr,
    HEADS: tl.constexpr,
    PART: tl.constexpr,
    ROWS: tl.constexpr,
    ACTIVATION: tl.constexpr,
    NORMALISED: tl.constexpr,
    CAUSAL: tl.constexpr,
    BY_SENDER: tl.constexpr,
    EPSILON: tl.constexpr,
) -> None:
    """The gradient of one block of rows, which meet the rows of the other side in order.

    Held are senders (`BY_SENDER`), met receivers, or the other way round: the sum of two rows does not care. With `u`
    the pre-activation, `s` its pair's scale and `q = weight * upstream * f'(u)` of the receiver, a pair adds
    `s * (q - u * mean(q * u))` to both its rows; at the end the gradient is centred over the width.
    """
    STRIDE: tl.constexpr = HEADS * WIDTH
    UNIT: tl.constexpr = LOG2_E if ACTIVATION == "exp" else 1.0
    blocks = tl.cdiv(length, ROWS)
    sequence, block = tl.program_id(0) // blocks, tl.program_id(0) % blocks
    if CAUSAL and not BY_SENDER:
        block = blocks - 1 - block  # the longest first
    head = (sequence // HEADS).to(tl.int64) * length * HEADS + sequence % HEADS
    held_side, met_side = held_side + head * WIDTH, met_side + head * WIDTH
    held_means, met_means = held_means + 2 * head, met_means + 2 * head
    upstream, gradient = upstream + head * WIDTH, gradient + head * WIDTH

    first = block * ROWS
    positions = first + tl.arange(0, ROWS)[:, None]
    inside = positions < length
    everywhere = tl.full([ROWS, 1], True, tl.int1)
    held = load_parts(held_side, positions, inside, WIDTH, STRIDE, PART)
    held_mean, held_rest = load_mean(held_means, positions, inside, HEADS)
    if not BY_SENDER:
        pulls = load_parts(upstream, positions, inside, WIDTH, STRIDE, PART)
        pulls = times(pulls, weight_of(positions, length, CAUSAL))
    totals = zeros_like(held)
    for AT_THE_EDGE in tl.static_range(2 if CAUSAL else 1):
        last = tl.minimum(first + ROWS, length)
        start, stop = 0, length
        if CAUSAL:
            if AT_THE_EDGE:
                start, stop = first, last
            elif BY_SENDER:
                start = last
            else:
                stop = first
        for other in range(start, stop):
            others = other + tl.zeros([ROWS, 1], tl.int32)
            met = load_parts(met_side, others, everywhere, WIDTH, STRIDE, PART)
            shift = 0.0
            if NORMALISED:
                met_mean, met_rest = load_mean(met_means, other, True, HEADS)
                shift = -((held_mean + met_mean) + (held_rest + met_rest))
            if BY_SENDER:
                pulls = load_parts(upstream, others, everywhere, WIDTH, STRIDE, PART)
                pulls = times(pulls, weight_of(other, length, CAUSAL))
            u, scale = pre_activations(held, met, shift, WIDTH, PART, NORMALISED, UNIT, EPSILON)
            weighed = ()
            dots = held[0] * 0.0
            for part in tl.static_range(len(held)):
                q = pulls[part] * slope(u[part], ACTIVATION)
                if NORMALISED:
                    dots += q * u[part]
                weighed = weighed + (q,)
            if NORMALISED:  # u, and the dot with it, come times UNIT; so does the scale
                dot = tl.sum(dots, 1, keep_dims=True) / (WIDTH * UNIT * UNIT)
            sums = ()
            for part in tl.static_range(len(held)):
                change = weighed[part]
                if NORMALISED:
                    change = (scale / UNIT) * (change - dot * u[part])
                if AT_THE_EDGE:
                    seen = positions <= other if BY_SENDER else other <= positions
                    change = tl.where(seen, change, 0.0)
                sums = sums + (totals[part] + change,)
            totals = sums
    if NORMALISED:
        added = totals[0]
        for part in tl.static_range(1, len(held)):
            added += totals[part]
        mean = tl.sum(added, 1, keep_dims=True) / WIDTH
        centred = ()
        for part in tl.static_range(len(held)):
            centred = centred + (totals[part] - mean,)
        totals = centred
    store_parts(gradient, totals, positions, inside, WIDTH, STRIDE, PART)
