"""axe-core, the accessibility checker: ``python -m tests.browser.axe`` fetches it.

The release is only unpacked, into the virtual environment; npm installs nothing.
"""

import sys
from pathlib import Path

from tests.browser.npm import unpack

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
    files = unpack(f"axe-core@{VERSION}", "axe.min.js")
    PATH.write_bytes(files["axe.min.js"])


if __name__ == "__main__":
    fetch()
