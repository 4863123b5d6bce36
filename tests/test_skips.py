"""In CI a test that does not run is a failure, unless conftest.py excuses it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each is a run of pytest

pytest_plugins = ["pytester"]
POLICY = Path(__file__).resolve().parents[1] / "conftest.py"
NO_BROWSER = "def test_page(): pytest.skip('needs a browser')"
NO_EXTRA = "pytest.importorskip('a_package_that_nobody_has')\ndef test_page(): pass"
NO_DATA = "def test_accuracy(): pytest.skip('needs the research data sets')"


@pytest.fixture
def outcomes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run a module under the policy; how many tests had which outcome."""

    def run(source: str, **environment: str) -> dict[str, int]:
        for name in ("CI", "ASMNET_DATA"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        pytester.makeconftest(POLICY.read_text())
        pytester.makepyfile(f"import pytest\n{source}")
        return pytester.runpytest_subprocess().parseoutcomes()

    return run


@pytest.mark.parametrize("source", [NO_BROWSER, NO_DATA, NO_EXTRA])
def test_a_skip_is_a_skip_on_a_developers_machine(outcomes, source):
    assert outcomes(source) == {"skipped": 1}


@pytest.mark.parametrize("source", [NO_BROWSER, NO_DATA])
def test_a_skipped_test_fails_in_ci(outcomes, source):
    assert outcomes(source, CI="true") == {"failed": 1}


def test_a_skipped_module_fails_in_ci(outcomes):
    assert outcomes(NO_EXTRA, CI="true") == {"errors": 1}


def test_absent_research_data_are_excused_where_nobody_expects_them(outcomes):
    assert outcomes(NO_DATA, CI="true", ASMNET_DATA="none") == {"skipped": 1}
    assert outcomes(NO_BROWSER, CI="true", ASMNET_DATA="none") == {"failed": 1}


def test_a_known_failure_is_no_skip(outcomes):
    expected = "@pytest.mark.xfail\ndef test_page(): assert False"
    assert outcomes(expected, CI="true") == {"xfailed": 1}
