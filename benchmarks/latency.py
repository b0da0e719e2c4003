"""From the pen to the answer on the page: uv run python benchmarks/latency.py.

A pad in JupyterLab in a real browser (Debian's chromium) is drawn on at 60 events a second; the time is taken from
each event until the answer that belongs to it stands on the page. Beside it, in a second notebook, the same pad with
Keras's `model.predict` in place of the recognizer.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from playwright.sync_api import sync_playwright

from digitlab import Ink

TURNS = 12
PADS = {
    "OpenCV": "from digitlab.pad import DrawingPad\nDrawingPad()",
    "Keras": """\
import numpy as np
from digitlab import Recognizer, network
from digitlab.pad import DrawingPad
from digitlab.paths import SHIPPED_NETWORK

model = network.load(SHIPPED_NETWORK)


class KerasRecognizer(Recognizer):
    def run(self, x):
        return model.predict(x, verbose=0)


ours = Recognizer.load()
DrawingPad(KerasRecognizer(ours._net, ours.path, ours.temperature, ours.threshold))""",
}

# An answer says how many points its drawing has; an event is answered when that is as many as it has made of them.
DRAW = """async ([points, times]) => {
    const pad = document.querySelector(".digitlab-pad"), canvas = pad.querySelector("canvas");
    const answered = () => Number(pad.querySelector(".digitlab-answer").dataset.points);
    const wait = ms => new Promise(done => setTimeout(done, ms));
    const sent = [], took = [];
    const watch = new MutationObserver(() => {
        const now = performance.now(), upto = answered();
        while (sent.length && sent[0].points <= upto) took.push(now - sent.shift().at);
    });
    watch.observe(pad, {subtree: true, childList: true});
    for (let turn = 0; turn < times; turn++) {
        [...pad.querySelectorAll("button")].find(found => found.textContent === "Clear").click();
        while (answered()) await wait(20);
        const {left, top} = canvas.getBoundingClientRect();
        const send = (kind, [x, y]) => canvas.dispatchEvent(
            new MouseEvent(kind, {bubbles: true, clientX: left + x, clientY: top + y}));
        const begun = performance.now();
        for (let number = 0; number < points.length; number++) {
            send(number ? "mousemove" : "mousedown", points[number]);
            sent.push({points: number + 1, at: performance.now()});
            await wait(begun + (number + 1) * 1000 / 60 - performance.now());
        }
        send("mouseup", points.at(-1));
        while (sent.length) await wait(20);
    }
    watch.disconnect();
    return took;
}"""


def main():
    """Print the times."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home, "notebooks")
        folder.mkdir()
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        for name, source in PADS.items():
            cells = [nbformat.v4.new_code_cell(source)]
            notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
            nbformat.write(notebook, folder / f"{name}.ipynb")
        lab = subprocess.Popen(
            [sys.executable, "-m", "digitlab.commands.main", "lab", "--no-browser", f"--ServerApp.root_dir={folder}"],
            env={**os.environ, "DIGITLAB_HOME": home, "JUPYTER_CONFIG_DIR": str(Path(home, "config"))},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        address = next(found for line in lab.stdout if (found := re.search(r"http://\S+", line))).group()
        base, token = address.split("/lab")[0], address.split("?token=")[1]
        program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        points = np.rint(np.concatenate(Ink.example(8).strokes)).astype(int).tolist()
        for name in PADS:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{base}/lab/tree/{name}.ipynb?reset&token={token}")
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_text("Run All Cells", exact=True).click()
            page.locator(".digitlab-pad canvas").wait_for(timeout=60_000)
            page.wait_for_timeout(2000)
            times = page.evaluate(DRAW, [points, TURNS])
            median, most = np.percentile(times, [50, 95])
            print(f"{name:<7} {len(times)} events: median {median:.0f} ms, 95th percentile {most:.0f} ms", flush=True)
            page.close()
        browser.close()
        lab.terminate()


if __name__ == "__main__":
    main()
