"""What the pages say is there, is there."""

import re
import tomllib
from pathlib import Path

import pytest

from docs.tables import PAGES, with_tables
from tests.unit.deploy.tools import ROOT

ALL_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_taken_from_the_code_are_up_to_date(page: Path) -> None:
    """`python -m docs.tables` makes them anew."""
    text = page.read_text()
    assert with_tables(text) == text


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Files and headings both."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        other = (page.parent / file).resolve() if file else page
        assert other.exists(), target
        assert not heading or heading in _anchors(other), target


def test_every_direct_dependency_is_told_with_its_reason() -> None:
    """And nothing else is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(one for use in project["optional-dependencies"].values() for one in use),
    ]
    section = (ROOT / "README.md").read_text().partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    told = {
        name.strip()
        for line in re.findall(r"^\| ([a-z][^|*]*) \|", section, re.M)
        for name in line.split(",")
    }
    assert told == {re.match(r"[\w-]+", one)[0] for one in wanted}  # type: ignore[index]  # all have names


def test_make_targets_that_the_pages_name_exist() -> None:
    """In the Makefile."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        word
        for page in ALL_PAGES
        for word in re.findall(r"`make ([a-z0-9-]+)|^make ([a-z0-9-]+)", page.read_text(), re.M)
    }
    assert {first or second for first, second in named} <= targets
