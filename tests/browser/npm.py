"""Files of packages of npm, which only unpacks and installs nothing."""

import subprocess
import tarfile
import tempfile
from pathlib import Path


def unpack(release, *names):
    """Return the contents of these files of a release, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", release],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            return {
                name: package.extractfile(f"package/{name}").read() for name in names
            }
