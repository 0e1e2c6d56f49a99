"""Slips in the package, each tried on a copy of this process: which test notices?

    found = Judge().judge("mdp", altered_source, ["test_mdp.py"])

In the copy ``policygrad`` is imported anew, with other code in place of one module, and pytest
runs the tests that were named, in that process.  A slip counts as noticed only where a test then
claims what does not hold: an assertion fails, or a check of :mod:`policygrad.checks`, or an error
that was called for does not come.  One that ends in a TypeError, a warning or a failed import
proves nothing.

    python tests/package_slips.py exact/adjoint mdp       all slips that a machine can make there
    python tests/package_slips.py --every 20              a sample of the whole package

For a report: the tests of each module, ``test_mdp*.py``, judge all slips of :mod:`slips` in it, and
those that none of them notices are listed.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.util
import os
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis  # noqa: F401 - these once, here: no child has to
import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401
import nbclient  # noqa: F401
import pytest
import scipy.stats  # noqa: F401
import sympy  # noqa: F401

from forks import Died, Snapshot, forget
from slips import slips

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "book" / "policygrad"
SECONDS = 120  # of processor time, for the tests that judge one slip


@dataclass(frozen=True)
class Alteration:
    """A slip in the package that tests have to notice.

    Attributes
    ----------
    module : of the package, "mdp" or "exact/adjoint".
    old, new : what stands there, and what is put in its place; ``old`` stands there once.
    slip : what went wrong, in words.
    by : the test that notices, "test_mdp.py::test_...".
    """

    module: str
    old: str
    new: str
    slip: str
    by: str

    def __str__(self) -> str:
        return f"{self.module}.py, {self.slip}: {self.old} -> {self.new}"

    def code(self) -> str:
        """Give the altered source of the module.

        Raises
        ------
        ValueError
            unless ``old`` stands there once.
        """
        code = source(self.module)
        if code.count(self.old) != 1:
            raise ValueError(
                f"{self.module}.py has changed: {self.old!r} stands there {code.count(self.old)} "
                "times, not once; mend the entry of this alteration"
            )
        return code.replace(self.old, self.new)


def source(module: str) -> str:
    """Give the source of a module of the package, "mdp" or "exact/adjoint"."""
    return (PACKAGE / f"{module}.py").read_text("utf-8")


# --- a package with one module altered ------------------------------------------------------------


class _Altered(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds one module of the package, and gives other code than its own."""

    def __init__(self, module: str, code: str | ast.Module):
        name = f"policygrad.{module.replace('/', '.')}"
        self.name, self.code = name.removesuffix(".__init__"), code
        self.file = str(PACKAGE / f"{module}.py")

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        within = [str(Path(self.file).parent)] if self.file.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(
            name, self.file, loader=self, submodule_search_locations=within
        )

    def get_filename(self, name):
        return self.file

    def get_data(self, path):
        raise OSError(f"{path} is compiled from altered code only")

    def get_code(self, name):
        return compile(self.code, self.file, "exec", dont_inherit=True)


def install(module: str, code: str | ast.Module) -> None:
    """Let a module of the package, not yet imported, be imported from other code than its own."""
    finder = _Altered(module, code)
    sys.meta_path.insert(0, finder)
    importlib.import_module(finder.name)


# --- tests on it ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failure:
    """A test that failed, what it raised, and whether that was a claim that does not hold."""

    test: str
    what: str
    noticed: bool
    seconds: float = 0.0


@dataclass
class Finding:
    """What came of a slip in the package: how many tests passed, and those that failed."""

    passed: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def how(self) -> str:
        """ "noticed", "crash" if tests failed but by no claim of theirs, or else "survived"."""
        if any(failure.noticed for failure in self.failures):
            return "noticed"
        return "crash" if self.failures else "survived"


class _Watch:
    """A plug-in of pytest that notes which tests failed, and by what."""

    def __init__(self):
        self.finding = Finding()
        self.serve = self.session = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        self.session = session
        self.serve()

    def pytest_configure(self, config):
        config.option.tbstyle = "native"  # nobody reads them, and sources are slow to look up

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            self._note(item.nodeid, call.excinfo.value, call.duration)
        elif call.when == "call":
            self.finding.passed += 1
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector):
        report = yield
        if report.failed:
            self.finding.failures.append(Failure(collector.nodeid, str(report.longrepr), False))
        return report

    def _note(self, test: str, error: BaseException, seconds: float) -> None:
        what = f"{type(error).__name__}: {error}"
        self.finding.failures.append(Failure(test, what, _is_claim(error), seconds))


def _is_claim(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):  # of several examples of hypothesis
        return all(map(_is_claim, error.exceptions))
    return isinstance(error, (AssertionError, pytest.fail.Exception))


class Judge:
    """Runs tests on the package with one module altered: in copies of a process with pytest begun.

    What pytest does before it reads a test is done once.
    """

    def __init__(self):
        self._watch = _Watch()
        self._kept = Snapshot(self._answer, self._begin)

    def judge(self, module: str, code: str | ast.Module, tests: list[str], *, all_=True) -> Finding:
        """Run tests, "test_mdp.py" or one of them; all, or until the first that fails.

        Raises
        ------
        Died
            if the tests came to no end.
        ValueError
            if there are no such tests.
        """
        found = self._kept.ask((module, code, tests, all_), SECONDS)
        if found is None:
            raise Died(f"{tests}: no answer")
        if isinstance(found, str):
            raise ValueError(f"tests {tests} cannot be run: {found}")
        return found

    def close(self) -> None:
        """Judge no more."""
        self._kept.close()

    def _begin(self, serve) -> None:
        """Start pytest; once it is about to look for tests, the questions come."""
        forget()
        _forget_what_was_imported()
        os.chdir(ROOT)
        self._watch.serve = serve
        plain = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
        plain += ["--assert=plain", "--confcutdir=tests", "-c", "pyproject.toml", "--rootdir=."]
        pytest.main([*plain, str(ROOT / "tests")], plugins=[self._watch])

    def _answer(self, question) -> Finding | str:
        """Run tests, in a copy; or say in words why they cannot be run."""
        module, code, tests, all_ = question
        try:
            install(module, code)
        except Exception as error:
            return Finding(failures=[Failure("import", repr(error), False)])
        session = self._watch.session
        session.config.option.maxfail = 0 if all_ else 1
        try:
            session.perform_collect([str(ROOT / "tests" / test) for test in tests])
            session.config.hook.pytest_runtestloop(session=session)
        except (session.Failed, session.Interrupted):
            pass
        except BaseException:
            return traceback.format_exc()
        if not (session.testscollected or session.testsfailed):
            return "there are none"
        return self._watch.finding


def _forget_what_was_imported() -> None:
    """Let the tests, and what they share, be imported anew, and pytest start as on its own."""
    here = str(ROOT / "tests"), str(ROOT / "conftest.py")
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(here) and name not in (__name__, "forks", "slips"):
            del sys.modules[name]
    # pytest's own finder, with which this process reads its tests, rewrites every assertion.
    sys.meta_path[:] = [f for f in sys.meta_path if not type(f).__module__.startswith("_pytest")]
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "COV_"))]:
        del os.environ[name]
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(ROOT / "_build" / "pycache")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["HYPOTHESIS_PROFILE"] = "first"


# --- all slips of a module, for a report ----------------------------------------------------------


def survey(module: str, every: int) -> Counter:
    """Make each slip of a module, or every third, say; let its tests judge; print what survives."""
    tests = [path.name for path in ROOT.glob(f"tests/test_{module.split('/')[0]}*.py")]
    made = list(slips(ast.parse(source(module))))[::every]
    counts, judge = Counter(), Judge()
    for slip in made:
        try:
            how = judge.judge(module, slip.tree, tests, all_=False).how
        except Died:
            how = "crash"
        counts[how] += 1
        if how == "survived":
            print(f"    {module}.py:{slip.line}: {slip.kind}: {slip.old} -> {slip.new}", flush=True)
    judge.close()
    return counts


def main() -> None:
    """Make the slips that were asked for, and say what came of them."""
    files = (path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("[a-z]*.py"))
    modules = sorted(file.as_posix() for file in files)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", nargs="*", help='such as "mdp", "exact/adjoint"; default: all')
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth slip")
    options = parser.parse_args()
    if unknown := sorted(set(options.module) - set(modules)):
        parser.error(f"no module of the package: {', '.join(unknown)}")
    for module in options.module or modules:
        counts = survey(module, options.every)
        print(f"{module}: {counts.total()} made, {dict(counts)}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "book"))
    main()
