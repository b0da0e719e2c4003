"""pip, uv, conda and mamba install the versions that the tests passed with."""

import re
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from digitlab import __version__
from digitlab.commands import check
from digitlab.paths import KIT


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def project(pyproject):
    return pyproject["project"]


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((KIT / "environment.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def conda_packages(environment):
    """The packages that conda installs, with their versions where one is asked for."""
    return dict(entry.partition("=")[::2] for entry in environment["dependencies"] if isinstance(entry, str))


@pytest.fixture(scope="module")
def constraints():
    lines = (KIT / "constraints.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def applies_here(requirement):
    return requirement.marker is None or requirement.marker.evaluate()


def test_every_installed_package_has_the_version_in_constraints(constraints):
    pinned = {canonicalize_name(pin.name): pin.specifier for pin in constraints if applies_here(pin)}
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    others = {name: version for name, version in installed.items() if name not in pinned}
    # uv adds no installer of its own; other ways to install bring these.
    assert others.keys() <= {"digitlab", "pip", "setuptools", "wheel"}
    for name, specifier in pinned.items():
        assert name in installed, name
        assert installed[name] in specifier, name


def test_uv_and_pip_get_the_same_constraints(pyproject, constraints):
    assert [Requirement(pin) for pin in pyproject["tool"]["uv"]["constraint-dependencies"]] == constraints


def test_every_constraint_is_one_version(constraints):
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in constraints)
    assert len({pin.name for pin in constraints}) == len(constraints)


def test_every_dependency_has_a_lower_and_an_upper_limit(project):
    for dependency in map(Requirement, project["dependencies"]):
        assert {specifier.operator for specifier in dependency.specifier} == {">=", "<"}, dependency


def test_no_constraint_names_a_host(constraints):
    assert all(pin.url is None for pin in constraints)
    assert "://" not in (KIT / "constraints.txt").read_text("utf-8")


def test_the_environment_has_a_name_and_one_channel(environment):
    assert environment["name"] == "digitlab"
    assert environment["channels"] == ["conda-forge"]


def test_conda_installs_a_python_that_the_kit_runs_on(project, conda_packages):
    assert Version(conda_packages["python"]) in SpecifierSet(project["requires-python"])


def test_pip_installs_the_kit_itself_with_the_constraints(environment):
    pip = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == [["-c constraints.txt", "-e ."]]


def test_conda_installs_nothing_but_python_and_pip(conda_packages):
    assert conda_packages.keys() == {"python", "pip"}


def test_binder_installs_the_system_libraries_that_opencv_needs():
    assert (KIT / "apt.txt").read_text("utf-8").split() == ["libgl1", "libglib2.0-0"]


def test_check_accepts_the_same_pythons_as_pip(project):
    pythons = SpecifierSet(project["requires-python"])
    accepted = [minor for minor in range(30) if check.OLDEST_PYTHON <= (3, minor) <= check.NEWEST_PYTHON]
    assert accepted == [minor for minor in range(30) if Version(f"3.{minor}") in pythons]


def test_check_knows_the_version_of_every_dependency(project, constraints):
    needed = {dependency.name for dependency in map(Requirement, project["dependencies"]) if applies_here(dependency)}
    versions = {pin.name: str(pin.specifier).removeprefix("==") for pin in constraints}
    assert check.pinned_versions() == {name: versions[name] for name in needed}


def test_the_version_is_the_same_everywhere(project):
    assert __version__ == project["version"]
