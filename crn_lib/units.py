"""Times, sizes and counts in words."""

from math import floor, log10


def show_seconds(value: float) -> str:
    """A time in words: `1.2 ms`."""
    return _scaled(value, ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))


def show_bytes(value: float) -> str:
    """A size in words, in powers of ten: `1.2 MB`."""
    return _scaled(value, ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")))


def show_count(value: float) -> str:
    """A number of things: as it is below a million, then `1.2 million` and so on."""
    if value < 1e6:
        return f"{value:,.0f}"
    return _scaled(value, ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")))


def counted(number: int, noun: str) -> str:
    """A count and its noun: `1 letter`, `2,048 tokens`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def counted_between(fewest: int, most: int, noun: str) -> str:
    """A range of counts, and one count where both are equal: `1 to 3 seeds`, `1 seed`."""
    return counted(most, noun) if fewest == most else f"{fewest:,} to {counted(most, noun)}"


def round_ticks(most: float) -> list[float]:
    """About five values from 0 to the largest, each with one digit or a quarter of a power of ten."""
    power = 10.0 ** floor(log10(most / 4))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= 0.999 * most / 5)
    return [step * k for k in range(int(most / step) + 1)]


def three_digits(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _scaled(value: float, scales: tuple[tuple[float, str], ...]) -> str:
    scale, name = next((pair for pair in scales if abs(value) >= 0.9995 * pair[0]), scales[-1])
    return f"{three_digits(value / scale)} {name}"
