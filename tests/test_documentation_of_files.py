"""docs/architecture.md: each file that it names exists, and each file is named."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "wagtail_user_sessions"
DOCUMENT = PACKAGE.parent / "docs" / "architecture.md"
# Rows of a table, as "| `a.py`, `b.py` | what they contain |".
ROW = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)
# Steps of a walk, as "`room/file.py`, `function` and `Class.method`:".
STEP = re.compile(r"`([a-z_/]+\.py)`, ((?:`[\w.]+`(?:, | and )?)+)")


def documented_files():
    """Return the paths in the tables, each under the heading of its room."""
    files = set()
    for section in re.split(r"^### ", DOCUMENT.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        rooms = re.findall(r"`(\w+)`", heading)
        room = rooms[0] if len(rooms) == 1 else ""
        for row in ROW.findall(body):
            folder = Path(room)
            for name in re.findall(r"`([\w/]+\.py)`", row):
                path = folder / name
                # "views/index.py", `export.py`: the folder holds for the whole row.
                folder = path.parent
                files.add(path.as_posix())
    return files


def names_in(path):
    """Return the classes, functions and methods of a file, as a walk writes them."""
    names = set()
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{part.name}"
                for part in node.body
                if isinstance(part, ast.FunctionDef)
            }
    return names


def test_the_tables_of_the_architecture_name_each_file_of_the_package():
    there = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py" and "migrations" not in path.parts
    }
    assert documented_files() == there


def test_the_walks_of_the_architecture_name_functions_of_the_package():
    walks = DOCUMENT.read_text().partition("## The way of a cookie")[2]
    steps = STEP.findall(walks.partition("## Glossary")[0])
    assert len(steps) > 20
    for path, functions in steps:
        missing = set(re.findall(r"`([\w.]+)`", functions)) - names_in(path)
        assert not missing, f"{path} has no {missing}"
