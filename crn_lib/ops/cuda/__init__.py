"""The kernels for a GPU, in Triton."""
