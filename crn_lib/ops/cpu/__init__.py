"""The kernels for a CPU, in Numba: needed by nobody who wants to understand or change the mathematics."""
