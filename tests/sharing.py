"""How the tests of the built site are shared among workers: a file each, but for some tests."""

import pytest

# Of the tests of the site those of a file share what is opened or made once, but for these.
APART = ("test_a_page_can_be_read_by_any_eyes", "test_a_fault_is_seen", "test_a_printed_page")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """For `--dist loadscope`: the tests of a file go to one worker, but for some that stand apart.

    The marks of `--dist loadgroup` would say the same, which from pytest 9.2 on pytest-xdist 3.8
    does not see (its issue 1386).
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return scope_of(nodeid)

    return ByFile(config, log)


def scope_of(nodeid: str) -> str:
    """What goes to one worker: the test, where it stands apart, or its file."""
    path, _, name = nodeid.partition("::")
    return nodeid if name.partition("[")[0] in APART else path
