"""What README.md shows works as it stands there."""

import os
import re
import shutil
import subprocess
import sys

from digitlab.paths import KIT
from digitlab.photo.files import EXAMPLE_PHOTO


def test_its_python_runs_from_top_to_bottom(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", (KIT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    shutil.copy(EXAMPLE_PHOTO, tmp_path / "page.jpg")
    finished = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "DIGITLAB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    first, *found = finished.stdout.splitlines()
    assert re.fullmatch(r"7 0\.\d+|7 1\.0", first)
    assert len(found) > 30
