"""What every failure has in common whose message is meant for a person."""


class RunFailed(RuntimeError):
    """Something asked for could not be done, though the input was right. The command `crn` shows the message alone."""
