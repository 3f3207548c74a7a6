"""The kernels of `fused.py`, in Triton.

A program holds a block of rows of one side (receivers, or senders) and meets the rows of the other side one at a time,
in order. A row is cut into parts of PART columns, which must be a power of two where the width need not be: width 192
is 6 parts of 32, not one of 256. The parts of a row are added up before they are summed across lanes, so a pair costs
one such sum (two for a gradient) whatever its width. All arithmetic is in float32, whatever the rows are stored in.

`a`, `b`, `out` and gradients are `(batch, length, HEADS * WIDTH)`, means `(batch, length, HEADS, 2)`, all contiguous. A
block of rows is a tuple of tiles `(ROWS, PART)`; `positions` are `(ROWS, 1)`. A sequence is one head of one element of
the batch. Triton reads this text, not Python: names of types must be Triton's, and global names its constants.
"""

import math

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1 / math.log(2))
BELL_EXPONENT = tl.constexpr(-0.5 / math.log(2))
BELL_HEIGHT = tl.constexpr(1 / math.sqrt(2 * math.pi))
ROOT_HALF = tl.constexpr(math.sqrt(0.5))


@triton.jit
def load_parts(
    rows: tl.tensor,
    positions: tl.tensor,
    inside: tl.tensor,
    WIDTH: tl.constexpr,
    STRIDE: tl.constexpr,
    PART: tl.constexpr,
) -> tl.tuple:
    """The rows at `positions` as float32; zeros where not `inside`, and behind the width."""
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
    rows: tl.tensor,
    parts: tl.tuple,
    positions: tl.tensor,
    inside: tl.tensor,
    WIDTH: tl.constexpr,
    STRIDE: tl.constexpr,
    PART: tl.constexpr,
) -> None:
    """Write the rows at `positions`, rounded once to the type of the memory they go to."""
    for first in tl.static_range(0, WIDTH, PART):
        columns = first + tl.arange(0, PART)[None, :]
        here = inside & (columns < WIDTH)
        tl.store(rows + positions * STRIDE + columns, parts[first // PART].to(rows.dtype.element_ty), mask=here)


@triton.jit
def zeros_like(parts: tl.tuple) -> tl.tuple:
    """As many zeros, in as many parts."""
    zeros = ()
    for part in tl.static_range(len(parts)):
        zeros = zeros + (tl.zeros_like(parts[part]),)
    return zeros


@triton.jit
def times(parts: tl.tuple, factor: tl.tensor) -> tl.tuple:
    """Every part times one number, or one number a row."""
    products = ()
    for part in tl.static_range(len(parts)):
        products = products + (parts[part] * factor,)
    return products


@triton.jit
def load_mean(means: tl.tensor, positions: tl.tensor, inside: tl.tensor, HEADS: tl.constexpr) -> tl.tuple:
    """The means of the rows at `positions`, each as two numbers (see `mean_kernel`)."""
    first = means + positions * (2 * HEADS)
    return tl.load(first, mask=inside, other=0.0), tl.load(first + 1, mask=inside, other=0.0)


@triton.jit
def weight_of(receivers: tl.tensor, length: tl.tensor, CAUSAL: tl.constexpr) -> tl.tensor:
    """One over the number of senders that a receiver sees."""
    return 1.0 / (receivers + 1) if CAUSAL else 1.0 / length


@triton.jit
def pre_activations(
    held: tl.tuple,
    met: tl.tuple,
    shift: tl.tensor,
    WIDTH: tl.constexpr,
    PART: tl.constexpr,
    NORMALISED: tl.constexpr,
    UNIT: tl.constexpr,
    EPSILON: tl.constexpr,
) -> tl.tuple:
    """`UNIT` times what the activation sees, and the factor that `(held + met) + shift` was multiplied by for it.

    In this order: where the two rows nearly cancel their sum is exact, and where all columns are equal, what is left
    after the shift is exactly 0, however large the factor.
    """
    centred = ()
    squares = tl.zeros_like(held[0])
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
def activate(u: tl.tensor, ACTIVATION: tl.constexpr) -> tl.tensor:
    """`f(u)`; for `exp`, `u` comes times log2(e). NaN stays NaN."""
    if ACTIVATION == "exp":
        return tl.exp2(u)
    elif ACTIVATION == "gelu":
        return 0.5 * u * (1.0 + tl.erf(u * ROOT_HALF))
    else:
        kept = tl.where(u <= 0.0, 0.0, u)
        return kept * kept if ACTIVATION == "squared_relu" else kept


@triton.jit
def slope(u: tl.tensor, ACTIVATION: tl.constexpr) -> tl.tensor:
    """`f'(u)`; for `exp`, `u` comes times log2(e), and the slope is that of `exp`."""
    if ACTIVATION == "exp":
        return tl.exp2(u)
    elif ACTIVATION == "gelu":
        return 0.5 * (1.0 + tl.erf(u * ROOT_HALF)) + u * tl.exp2(u * u * BELL_EXPONENT) * BELL_HEIGHT
    else:
        return tl.where(u <= 0.0, 0.0, 2.0 * u if ACTIVATION == "squared_relu" else 1.0)


@triton.jit
def mean_kernel(
    a: tl.tensor,
    b: tl.tensor,
    a_means: tl.tensor,
    b_means: tl.tensor,
    rows: tl.tensor,
    WIDTH: tl.constexpr,
    PART: tl.constexpr,
    ROWS: tl.constexpr,
) -> None:
    """The mean over the width of every head of every row: rounded to float32, and what rounding took away."""
    positions = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    inside = positions < rows
    for side in tl.static_range(2):
        source, means = (b, b_means) if side else (a, a_means)
        parts = load_parts(source, positions, inside, WIDTH, WIDTH, PART)
        total = tl.zeros([ROWS, 1], tl.float64)
        for part in tl.static_range(len(parts)):
            total += tl.sum(parts[part].to(tl.float64), 1, keep_dims=True)
        mean = total / WIDTH
        rounded = mean.to(tl.float32)
        tl.store(means + 2 * positions, rounded, mask=inside)
        tl.store(means + 2 * positions + 1, (mean - rounded).to(tl.float32), mask=inside)


@triton.jit
def forward_kernel(
    a: tl.tensor,
    b: tl.tensor,
    a_means: tl.tensor,
    b_means: tl.tensor,
    out: tl.tensor,
    length: tl.tensor,
    WIDTH: tl.constexpr,
    HEADS: tl.constexpr,
    PART: tl.constexpr,
    ROWS: tl.constexpr,
    ACTIVATION: tl.constexpr,
    NORMALISED: tl.constexpr,
    CAUSAL: tl.constexpr,
    EPSILON: tl.constexpr,
) -> None:
    """`out_i = weight_i * sum_j f(...)` for a block of receivers, which meet their senders in order."""
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
    if NORMALISED:
        held_mean, held_rest = load_mean(a_means, receivers, inside, HEADS)
    totals = zeros_like(held)
    for AT_THE_EDGE in tl.static_range(2 if CAUSAL else 1):
        # If causal: first the senders that all these receivers see, then those that stand among them.
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
    held_side: tl.tensor,
    met_side: tl.tensor,
    held_means: tl.tensor,
    met_means: tl.tensor,
    upstream: tl.tensor,
    gradient: tl.tensor,
    length: tl.tensor,
    WIDTH: tl.constexpr,
    HEADS: tl.constexpr,
    PART: tl.constexpr,
    ROWS: tl.constexpr,
    ACTIVATION: tl.constexpr,
    NORMALISED: tl.constexpr,
    CAUSAL: tl.constexpr,
    EPSILON: tl.constexpr,
    BY_SENDER: tl.constexpr,
) -> None:
    """The gradient of a block of rows, which meet the rows of the other side in order.

    Held are senders (`BY_SENDER`) or receivers; the sum of two rows does not care. With `u` the pre-activation, `s`
    the pair's scale, `g` the receiver's upstream gradient and `q = g * f'(u)`, a pair adds
    `weight * s * (q - u * mean(q * u))` to both its rows. At the end the gradient is centred over the width.
    """
    STRIDE: tl.constexpr = HEADS * WIDTH
    UNIT: tl.constexpr = LOG2_E if ACTIVATION == "exp" else 1.0
    blocks = tl.cdiv(length, ROWS)
    sequence, block = tl.program_id(0) // blocks, tl.program_id(0) % blocks
    if not BY_SENDER:
        block = blocks - 1 - block  # the longest first: the last receivers, the first senders
    head = (sequence // HEADS).to(tl.int64) * length * HEADS + sequence % HEADS
    held_side, met_side = held_side + head * WIDTH, met_side + head * WIDTH
    held_means, met_means = held_means + 2 * head, met_means + 2 * head
    upstream, gradient = upstream + head * WIDTH, gradient + head * WIDTH

    first = block * ROWS
    last = tl.minimum(first + ROWS, length)
    positions = first + tl.arange(0, ROWS)[:, None]
    inside = positions < length
    everywhere = tl.full([ROWS, 1], True, tl.int1)
    held = load_parts(held_side, positions, inside, WIDTH, STRIDE, PART)
    if not BY_SENDER:
        held_upstream = load_parts(upstream, positions, inside, WIDTH, STRIDE, PART)
    if NORMALISED:
        held_mean, held_rest = load_mean(held_means, positions, inside, HEADS)
    totals = zeros_like(held)
    for AT_THE_EDGE in tl.static_range(2 if CAUSAL else 1):
        start, stop = 0, length
        if AT_THE_EDGE:
            start, stop = first, last
        elif CAUSAL and BY_SENDER:
            start = last
        elif CAUSAL:
            stop = first
        for other in range(start, stop):
            others = other + tl.zeros([ROWS, 1], tl.int32)
            met = load_parts(met_side, others, everywhere, WIDTH, STRIDE, PART)
            if BY_SENDER:
                g = load_parts(upstream, others, everywhere, WIDTH, STRIDE, PART)
            else:
                g = held_upstream
            shift = 0.0
            if NORMALISED:
                met_mean, met_rest = load_mean(met_means, other, True, HEADS)
                shift = -((held_mean + met_mean) + (held_rest + met_rest))
            u, scale = pre_activations(held, met, shift, WIDTH, PART, NORMALISED, UNIT, EPSILON)
            weighed = ()
            dots = tl.zeros_like(held[0])
            for part in tl.static_range(len(held)):
                q = g[part] * slope(u[part], ACTIVATION)
                if NORMALISED:
                    dots += q * u[part]
                weighed = weighed + (q,)
            gain = weight_of(other if BY_SENDER else positions, length, CAUSAL)
            if NORMALISED:
                gain *= scale / UNIT
                dot = tl.sum(dots, 1, keep_dims=True) / (WIDTH * UNIT * UNIT)  # u, here and below, comes times UNIT
            sums = ()
            for part in tl.static_range(len(held)):
                change = weighed[part]
                if NORMALISED:
                    change -= dot * u[part]
                change *= gain
                if AT_THE_EDGE:
                    seen = positions <= other if BY_SENDER else other <= positions
                    change = tl.where(seen, change, 0.0)
                sums = sums + (totals[part] + change,)
            totals = sums
    if NORMALISED:
        across = tl.zeros_like(held[0])
        for part in tl.static_range(len(held)):
            across += totals[part]
        mean = tl.sum(across, 1, keep_dims=True) / WIDTH
        centred = ()
        for part in tl.static_range(len(held)):
            centred = centred + (totals[part] - mean,)
        totals = centred
    store_parts(gradient, totals, positions, inside, WIDTH, STRIDE, PART)
