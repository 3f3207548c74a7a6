"""The report for continuous integration."""

from pathlib import Path
from xml.etree import ElementTree

from crn_lib.workbook.outcomes import Outcome, read_junit, write_junit

OUTCOMES = [
    Outcome("00_good", 1.25, "ok"),
    Outcome("01_bad", 2.0, "FAILED", 'cell [3]: <b> & "quoted" \x1b[31mred\x00'),
    Outcome("02_stopped", 0.5, "interrupted"),
    Outcome("03_left"),
]


def test_every_ending_is_counted_as_junit_counts_it_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "made" / "report.xml"
    write_junit(OUTCOMES, path)
    suite = ElementTree.parse(path).getroot()[0]
    wanted = {"tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "3.750"}
    assert {name: suite.attrib[name] for name in wanted} == wanted
    again = read_junit(path)
    assert [(one.lesson, one.seconds, one.result) for one in again] == [
        (one.lesson, one.seconds, one.result) for one in OUTCOMES
    ]
    assert again[1].error == 'cell [3]: <b> & "quoted" ?[31mred?'


def test_no_lesson_is_a_report_too(tmp_path: Path) -> None:
    write_junit([], tmp_path / "report.xml")
    assert read_junit(tmp_path / "report.xml") == []
