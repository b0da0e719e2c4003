"""environment.yml and apt.txt say the same as pyproject.toml: conda, mamba and Binder get what the tests ran with."""

import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from digitlab.commands import check
from digitlab.paths import KIT


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((KIT / "environment.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def conda_packages(environment):
    """The packages that conda installs, with their versions where one is asked for."""
    return dict(entry.partition("=")[::2] for entry in environment["dependencies"] if isinstance(entry, str))


def test_every_dependency_is_pinned_to_one_version(project):
    for dependency in map(Requirement, project["dependencies"]):
        assert [specifier.operator for specifier in dependency.specifier] == ["=="], dependency
        assert "*" not in str(dependency.specifier), dependency


def test_the_environment_has_a_name_and_one_channel(environment):
    assert environment["name"] == "digitlab"
    assert environment["channels"] == ["conda-forge"]


def test_conda_installs_a_python_that_the_kit_runs_on(project, conda_packages):
    assert Version(conda_packages["python"]) in SpecifierSet(project["requires-python"])


def test_pip_installs_the_kit_itself_and_nothing_else(environment):
    assert [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)] == [["-e ."]]


def test_no_dependency_is_listed_a_second_time(project, conda_packages):
    assert conda_packages.keys() == {"python", "pip"}
    assert not conda_packages.keys() & {Requirement(dependency).name for dependency in project["dependencies"]}


def test_the_system_library_that_opencv_needs_is_installed_on_binder():
    assert (KIT / "apt.txt").read_text("utf-8").split() == ["libgl1", "libglib2.0-0"]


def test_digitlab_check_accepts_the_same_pythons_as_pip(project):
    pythons = SpecifierSet(project["requires-python"])
    accepted = [minor for minor in range(30) if check.OLDEST_PYTHON <= (3, minor) <= check.NEWEST_PYTHON]
    assert accepted == [minor for minor in range(30) if Version(f"3.{minor}") in pythons]
