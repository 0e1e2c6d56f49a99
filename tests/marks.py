"""What several test files ask before they start: forked processes, and how much is to be tried."""

import os

import pytest

import forks

# Of slips and experiments one in so many is made: all of them in .ci/run.
EVERY = int(os.environ.get("EVERY_SLIP", "5"))

needs_fork = pytest.mark.skipif(
    not forks.AVAILABLE, reason="this is tried in forked processes, which this system has not"
)
