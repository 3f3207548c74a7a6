"""How lessons ended that were run, and the report of it that continuous integration reads: JUnit's XML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from crn_lib.files import replace_text

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ELEMENTS = {"FAILED": "failure", "interrupted": "error", "not run": "skipped"}


@dataclass(frozen=True)
class Outcome:
    """How one lesson ended: `ok`, `FAILED`, `interrupted` or `not run`, and why it failed."""

    lesson: str
    seconds: float = 0.0
    result: str = "not run"
    error: str = ""


def write_junit(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write the report, a test case a lesson.

    Raises:
        OSError: it cannot be written.
    """
    count = {name: str(sum(o.result == result for o in outcomes)) for result, name in ELEMENTS.items()}
    about = {
        "name": "crn run",
        "tests": str(len(outcomes)),
        "failures": count["failure"],
        "errors": count["error"],
        "skipped": count["skipped"],
        "time": f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    }
    top = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(top, "testsuite", about)
    for outcome in outcomes:
        time = f"{outcome.seconds:.3f}"
        case = ElementTree.SubElement(suite, "testcase", classname="lessons", name=outcome.lesson, time=time)
        if outcome.result in ELEMENTS:
            message = NOT_XML.sub("?", outcome.error or outcome.result)
            ElementTree.SubElement(case, ELEMENTS[outcome.result], message=message)
    ElementTree.indent(top)
    replace_text(path, ElementTree.tostring(top, encoding="unicode") + "\n")


def read_junit(path: Path) -> list[Outcome]:
    """The outcomes of a report that `write_junit` wrote."""
    results = {element: result for result, element in ELEMENTS.items()}
    return [
        Outcome(
            case.attrib["name"],
            float(case.attrib["time"]),
            results[case[0].tag] if len(case) else "ok",
            case[0].attrib["message"] if len(case) else "",
        )
        for case in ElementTree.parse(path).iter("testcase")
    ]
