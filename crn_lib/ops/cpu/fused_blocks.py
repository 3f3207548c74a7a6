"""Loops of the fused CPU kernels that take `ROWS` receivers against `TILE` senders, from centred rows `A_i`, `B_j`.

Everything but the activation is a product of small matrices here, in registers:

    var_ij = (|A_i|^2 + |B_j|^2 + 2 <A_i, B_j>) / width        s_ij = 1 / sqrt(var_ij + epsilon)
    dA_i += sum_j s_ij q_ij + p_ij (A_i + B_j)        q_ij = upstream_i f'(s_ij (A_i + B_j))
    dB_j += sum_i s_ij q_ij + p_ij (A_i + B_j)        p_ij = -s_ij^2 mean(q_ij s_ij (A_i + B_j))

The expanded variance loses digits where `B_j` nearly cancels `A_i`. `block_scales` then says so, and the caller takes
those pairs one by one (`fused_pairs.py`).

What belongs to the pairs of a block stands in arrays of `ROWS * TILE` numbers, half by half: pair `(i, k)` of half `h`,
sender `4 h + k`, at `16 h + 4 i + k`.
"""

from typing import Any

from numba import njit

from crn_lib.ops.cpu.kernel_cache import HELPER
from crn_lib.ops.cpu.simd import (
    fma,
    lanes,
    load,
    load_register,
    register_lanes,
    splat,
    splat_register,
    square_root,
    store,
    where_positive,
)
from crn_lib.ops.cpu.simd_sums import sum_sixteen, total
from crn_lib.ops.cpu.vector_math import activate, power, power_constants, slope

ROWS, TILE = 4, 8
PAIRS = ROWS * TILE

CLOSE = 0.2
"""A pair whose `|A_i + B_j|^2` is below this share of `|A_i|^2 + |B_j|^2` is not computed from the expanded variance,
whose rounding is at most `1 / CLOSE` times that of a sum of squares."""


@njit(**HELPER)
def store_products(receivers: Any, senders: Any, partial: Any) -> None:
    """Two receivers times four senders: lane-wise sums of `A_i * B_k` into row `4 i + k` of `partial`.

    Eight sums at once, since more do not fit 16 registers, and fewer would wait for each other.
    """
    a0, a1 = receivers[0], receivers[1]
    b0, b1, b2, b3 = senders[0], senders[1], senders[2], senders[3]
    for part in range(0, lanes(receivers), register_lanes(receivers)):
        nothing = splat_register(receivers.dtype.type(0))
        s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = nothing
        for d in range(part, receivers.shape[1], lanes(receivers)):
            y0, y1, y2, y3 = load_register(b0, d), load_register(b1, d), load_register(b2, d), load_register(b3, d)
            x = load_register(a0, d)
            s00, s01, s02, s03 = fma(x, y0, s00), fma(x, y1, s01), fma(x, y2, s02), fma(x, y3, s03)
            x = load_register(a1, d)
            s10, s11, s12, s13 = fma(x, y0, s10), fma(x, y1, s11), fma(x, y2, s12), fma(x, y3, s13)
        store_four(partial[0:4], part, s00, s01, s02, s03)
        store_four(partial[4:8], part, s10, s11, s12, s13)


@njit(**HELPER)
def store_four(rows: Any, d: int, x0: Any, x1: Any, x2: Any, x3: Any) -> None:
    """One vector into each of four rows."""
    store(rows[0], d, x0)
    store(rows[1], d, x1)
    store(rows[2], d, x2)
    store(rows[3], d, x3)


@njit(**HELPER)
def block_scales(
    receivers: Any,
    senders: Any,
    receiver_squares: Any,
    sender_squares: Any,
    width: Any,
    unit: Any,
    epsilon: Any,
    partial: Any,
    squares: Any,
    scales: Any,
) -> bool:
    """`unit * s` of all pairs into `scales`; `False` where a pair is too close for the expanded variance.

    A pair that is no number counts as too close.
    """
    number = receivers.dtype.type
    one, two, share = splat(number(1)), splat(number(2)), splat(number(CLOSE))
    of_mean, smallest, units = splat(number(1) / width), splat(epsilon), splat(unit)
    too_close = splat(number(0))
    for half in range(2):
        store_products(receivers[0:2], senders[4 * half : 4 * half + 4], partial[0:8])
        store_products(receivers[2:4], senders[4 * half : 4 * half + 4], partial[8:16])
        found = scales[16 * half : 16 * half + 16]
        sum_sixteen(partial, found)
        for i in range(ROWS):
            for k in range(4):
                squares[4 * i + k] = receiver_squares[i] + sender_squares[4 * half + k]
        for d in range(0, 16, lanes(scales)):
            both = load(squares, d)
            distance = fma(two, load(found, d), both)
            # Also where that is no number, and where all rows are equal.
            too_close = too_close + where_positive(fma(share, both, smallest - distance), one)
            store(found, d, units / square_root(fma(distance, of_mean, smallest)))
    return total(too_close) == number(0)


@njit(**HELPER)
def add_block_activations(receiver: Any, senders: Any, scales: Any, i: int, code: int | None, totals: Any) -> None:
    """`totals += f(s (A_i + B_k))` of all eight senders, `(width,)`."""
    c0, c1, c2, c3 = four_splats(scales, 4 * i)
    c4, c5, c6, c7 = four_splats(scales, 16 + 4 * i)
    b0, b1, b2, b3 = senders[0], senders[1], senders[2], senders[3]
    b4, b5, b6, b7 = senders[4], senders[5], senders[6], senders[7]
    constants = power_constants(c0)
    for d in range(0, receiver.size, register_lanes(receiver)):
        a = load_register(receiver, d)
        f0, f1 = (
            activated(c0 * (a + load_register(b0, d)), code, constants),
            activated(c1 * (a + load_register(b1, d)), code, constants),
        )
        f2, f3 = (
            activated(c2 * (a + load_register(b2, d)), code, constants),
            activated(c3 * (a + load_register(b3, d)), code, constants),
        )
        f4, f5 = (
            activated(c4 * (a + load_register(b4, d)), code, constants),
            activated(c5 * (a + load_register(b5, d)), code, constants),
        )
        f6, f7 = (
            activated(c6 * (a + load_register(b6, d)), code, constants),
            activated(c7 * (a + load_register(b7, d)), code, constants),
        )
        store(totals, d, load_register(totals, d) + (((f0 + f1) + (f2 + f3)) + ((f4 + f5) + (f6 + f7))))


@njit(**HELPER)
def activated(u: Any, code: int | None, constants: Any) -> Any:
    """`activate(u, code)`, for `exp` with constants made before the loop."""
    if code is None:
        return power(u, constants)
    return activate(u, code)


@njit(**HELPER)
def sloped(u: Any, code: int | None, constants: Any) -> Any:
    """`slope(u, code)`, for `exp` with constants made before the loop."""
    if code is None:
        return power(u, constants)
    return slope(u, code)


@njit(**HELPER)
def four_splats(numbers: Any, first: int) -> Any:
    """Four vectors, each of one number: loaded before a loop, whose stores might change them for all LLVM knows."""
    return (
        splat_register(numbers[first]),
        splat_register(numbers[first + 1]),
        splat_register(numbers[first + 2]),
        splat_register(numbers[first + 3]),
    )


@njit(**HELPER)
def add_slopes(
    receiver: Any,
    senders: Any,
    upstream: Any,
    scales: Any,
    gains: Any,
    place: int,
    code: int | None,
    d_receiver: Any,
    d_senders: Any,
    partial: Any,
) -> None:
    """The part `gain * q` of four pairs, added to both rows, and lane-wise sums of `q * u` into four rows of `partial`.

    `place` is where the first pair's scale and gain stand.
    """
    c0, c1, c2, c3 = four_splats(scales, place)
    g0, g1, g2, g3 = four_splats(gains, place)
    b0, b1, b2, b3 = senders[0], senders[1], senders[2], senders[3]
    e0, e1, e2, e3 = d_senders[0], d_senders[1], d_senders[2], d_senders[3]
    constants = power_constants(c0)
    for part in range(0, lanes(receiver), register_lanes(receiver)):
        t0 = t1 = t2 = t3 = splat_register(receiver.dtype.type(0))
        for d in range(part, receiver.size, lanes(receiver)):
            a, g = load_register(receiver, d), load_register(upstream, d)
            u0, u1 = c0 * (a + load_register(b0, d)), c1 * (a + load_register(b1, d))
            u2, u3 = c2 * (a + load_register(b2, d)), c3 * (a + load_register(b3, d))
            q0, q1, q2, q3 = (
                g * sloped(u0, code, constants),
                g * sloped(u1, code, constants),
                g * sloped(u2, code, constants),
                g * sloped(u3, code, constants),
            )
            t0, t1, t2, t3 = fma(q0, u0, t0), fma(q1, u1, t1), fma(q2, u2, t2), fma(q3, u3, t3)
            q0, q1, q2, q3 = g0 * q0, g1 * q1, g2 * q2, g3 * q3
            store(e0, d, load_register(e0, d) + q0)
            store(e1, d, load_register(e1, d) + q1)
            store(e2, d, load_register(e2, d) + q2)
            store(e3, d, load_register(e3, d) + q3)
            store(d_receiver, d, load_register(d_receiver, d) + ((q0 + q1) + (q2 + q3)))
        store_four(partial, part, t0, t1, t2, t3)


@njit(**HELPER)
def add_pulls(receivers: Any, senders: Any, pulls: Any, d_receivers: Any, d_senders: Any) -> None:
    """The mixed part of four by four pairs: `dA_i += sum_k p_ik B_k` and `dB_k += sum_i p_ik A_i`."""
    p00, p01, p02, p03 = four_splats(pulls, 0)
    p10, p11, p12, p13 = four_splats(pulls, 4)
    p20, p21, p22, p23 = four_splats(pulls, 8)
    p30, p31, p32, p33 = four_splats(pulls, 12)
    a0, a1, a2, a3 = receivers[0], receivers[1], receivers[2], receivers[3]
    b0, b1, b2, b3 = senders[0], senders[1], senders[2], senders[3]
    da0, da1, da2, da3 = d_receivers[0], d_receivers[1], d_receivers[2], d_receivers[3]
    db0, db1, db2, db3 = d_senders[0], d_senders[1], d_senders[2], d_senders[3]
    for d in range(0, receivers.shape[1], register_lanes(receivers)):
        x0, x1, x2, x3 = load_register(a0, d), load_register(a1, d), load_register(a2, d), load_register(a3, d)
        y0, y1, y2, y3 = load_register(b0, d), load_register(b1, d), load_register(b2, d), load_register(b3, d)
        store(da0, d, fma(p03, y3, fma(p02, y2, fma(p01, y1, fma(p00, y0, load_register(da0, d))))))
        store(da1, d, fma(p13, y3, fma(p12, y2, fma(p11, y1, fma(p10, y0, load_register(da1, d))))))
        store(da2, d, fma(p23, y3, fma(p22, y2, fma(p21, y1, fma(p20, y0, load_register(da2, d))))))
        store(da3, d, fma(p33, y3, fma(p32, y2, fma(p31, y1, fma(p30, y0, load_register(da3, d))))))
        store(db0, d, fma(p30, x3, fma(p20, x2, fma(p10, x1, fma(p00, x0, load_register(db0, d))))))
        store(db1, d, fma(p31, x3, fma(p21, x2, fma(p11, x1, fma(p01, x0, load_register(db1, d))))))
        store(db2, d, fma(p32, x3, fma(p22, x2, fma(p12, x1, fma(p02, x0, load_register(db2, d))))))
        store(db3, d, fma(p33, x3, fma(p23, x2, fma(p13, x1, fma(p03, x0, load_register(db3, d))))))


@njit(**HELPER)
def add_block_gradients(
    receivers: Any,
    senders: Any,
    upstream: Any,
    weights: Any,
    scales: Any,
    width: Any,
    unit: Any,
    code: int | None,
    d_receivers: Any,
    d_senders: Any,
    receiver_pulls: Any,
    sender_pulls: Any,
    partial: Any,
    gains: Any,
    pulls: Any,
) -> None:
    """Both rows' gradients of all pairs of a block; `sum_k p_ik` and `sum_i p_ik` are added to the two arrays of pulls,
    which the caller multiplies by the rows themselves at the end.
    """
    number = receivers.dtype.type
    for half in range(2):
        own, own_d = senders[4 * half : 4 * half + 4], d_senders[4 * half : 4 * half + 4]
        for i in range(ROWS):
            place = 16 * half + 4 * i
            for k in range(place, place + 4):
                gains[k] = weights[i] * scales[k] / unit
            row, d_row, rows = receivers[i], d_receivers[i], partial[4 * i :]
            add_slopes(row, own, upstream[i], scales, gains, place, code, d_row, own_d, rows)
        sum_sixteen(partial, pulls)
        for i in range(ROWS):
            for k in range(4):
                pair = 16 * half + 4 * i + k
                # u is unit times what the formula means by u, in the sum and in the scale.
                pull = -gains[pair] * scales[pair] * pulls[4 * i + k] / (unit * unit * number(width))
                pulls[4 * i + k] = pull
                receiver_pulls[i] += pull
                sender_pulls[4 * half + k] += pull
        add_pulls(receivers, own, pulls, d_receivers, own_d)
