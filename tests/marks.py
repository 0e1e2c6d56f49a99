"""What several test files ask before they start: forked processes, and how much is to be tried."""

import os

import pytest

import forks

# Of slips and of experiments one in five is made, each of which runs a good part of a chapter;
# `make mutants` and `make experiments` make them all.
EVERY = int(os.environ.get("EVERY_SLIP", "5"))
EVERY_EXPERIMENT = int(os.environ.get("EVERY_EXPERIMENT", "5"))
# Of pages one in so many is looked at by all that looks long, axe above all, and the others at a
# glance: `make site-test` takes them all, .ci/run a third.
EVERY_LOOK = int(os.environ.get("EVERY_LOOK", "1"))

needs_fork = pytest.mark.skipif(
    not forks.AVAILABLE, reason="this is tried in forked processes, which this system has not"
)
