"""The workflow that the README prints names each failed cell, as the runner reads it."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]


def workflow() -> str:
    (found,) = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return str(found)


def naming() -> str:
    """The Python step of the workflow."""
    (script,) = re.findall(r"shell: python\n +run: \|\n((?: {10}.*\n)+)", workflow())
    return textwrap.dedent(script)


def test_each_failed_cell_is_an_annotation_and_no_other_is(tmp_path: Path) -> None:
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite")
    for name, tag, message in [
        ("LRP, SPADE", "failure", "Table 2, LRP, SPADE: deviates. 91.20 % lies below\n92.00 to 99.00"),
        ("LRP, Sparse FC", "skipped", "not run"),
        ("LRP, Dense", "", ""),
    ]:
        case = ET.SubElement(suite, "testcase", classname="table 2", name=name)
        if tag:
            ET.SubElement(case, tag, message=message)
    (tmp_path / "report").mkdir()
    ET.ElementTree(suites).write(tmp_path / "report" / "junit.xml")
    done = subprocess.run(  # noqa: S603 - this interpreter, on the document's own text
        [sys.executable, "-c", naming()], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    # A runner decodes %25, %0A, %2C and %3A, and ends a title at a comma or colon that is not encoded.
    assert done.stdout == (
        "::error title=table 2%3A LRP%2C SPADE::Table 2, LRP, SPADE: deviates. 91.20 %25 lies below%0A92.00 to 99.00\n"
    )


def test_the_workflow_checks_and_reads_the_report_that_the_run_writes() -> None:
    text = workflow()
    assert "spade-bench run --scale smoke --check" in text
    assert '"report/junit.xml"' in text
    assert text.index("--check") < text.index("if: failure()")
