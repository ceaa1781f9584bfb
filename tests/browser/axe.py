"""axe-core, the accessibility checker: ``python -m tests.browser.axe`` fetches it.

The release is only unpacked, into the virtual environment; npm installs nothing.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.14.1"
PATH = Path(sys.prefix) / f"axe-core-{VERSION}.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RUN = """
async runOnly => {
  const options = { runOnly, resultTypes: ["violations"] };
  const results = await axe.run(document, options);
  return {
    passed: results.passes.length,
    violations: results.violations.map(({ id, help, nodes }) => ({
      id, help, nodes: nodes.map(({ target, failureSummary }) => [target, failureSummary]),
    })),
  };
}
"""


def violations(page, *, rules=()):
    """Return the violations that axe-core finds on the page, each as a line of text.

    It checks all rules of WCAG 2.2 A and AA, or only ``rules``.
    """
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(PATH.read_text())
    kind, values = ("rule", rules) if rules else ("tag", TAGS)
    found = page.evaluate(RUN, {"type": kind, "values": list(values)})
    # A check without elements would find nothing either.
    assert found["passed"] >= (1 if rules else 10)
    return [
        f"{violation['id']}: {violation['help']}: {nodes}"
        for violation in found["violations"]
        for nodes in violation["nodes"]
    ]


def fetch():
    if PATH.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"axe-core@{VERSION}"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            source = package.extractfile("package/axe.min.js").read()
    PATH.write_bytes(source)


if __name__ == "__main__":
    fetch()
