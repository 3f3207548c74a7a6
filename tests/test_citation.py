"""CITATION.cff and the changelog agree with the library."""

import re

import yaml

import crn_lib
from crn_lib.paths import workbook_folder


def test_the_citation_is_complete_and_names_this_version() -> None:
    citation = yaml.safe_load((workbook_folder() / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "license", "references"} <= citation.keys()  # the format asks
    assert citation["version"] == crn_lib.__version__
    assert citation["license"] == "Apache-2.0" and citation["authors"] == [{"name": "The crn_lib authors"}]
    found = {reference["identifiers"][0]["value"]: reference for reference in citation["references"]}
    assert found.keys() == {"arXiv:2406.16168", "arXiv:1706.01427"}
    for reference in found.values():
        assert {"type", "title", "authors", "year"} <= reference.keys()
        assert all(author.keys() == {"given-names", "family-names"} for author in reference["authors"])


def test_the_changelog_has_a_section_for_this_version() -> None:
    changelog = (workbook_folder() / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[:2] == ["Unreleased", crn_lib.__version__]
