"""The commands of `crn`. They import torch and Jupyter, which take seconds, when called: `crn --help` needs neither."""
