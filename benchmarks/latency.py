"""Measure the delay from the hand to the line and to the answer: uv run python benchmarks/latency.py [--digits 12].

A pad in JupyterLab in a real browser (Debian's chromium) is drawn on with 60 pointer events a second. Measured are the
times from each event until the frame in which the line has reached it, and until an answer that includes it is on the
page, and how many messages the page sends for a digit. A relay on this machine plays a server that is 0, 100 or 300 ms
away (there and back).
"""

import argparse
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
from digitlab.paths import KIT

sys.path.insert(0, str(KIT / "tests"))
from relay import Relay

DISTANCES = (0, 100, 300)  # milliseconds
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

# An answer says how many points its drawing has. An event is answered when that is as many as there were with it.
DRAW = """async ([points, times]) => {
    const pad = document.querySelector(".digitlab-pad"), pen = pad.querySelector(".digitlab-pen");
    const layers = [...pad.querySelectorAll(".digitlab-frame canvas")];
    const wait = ms => new Promise(done => setTimeout(done, ms));
    const answered = () => Number(pad.querySelector(".digitlab-answer").dataset.points);
    const isWhite = ([x, y]) => layers.some(canvas => {
        const scale = canvas.width / pen.clientWidth;
        const pixel = canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data;
        return pixel[0] > 127 && pixel[3] > 127;
    });
    const sent = [], lines = [], answers = [];
    const watch = new MutationObserver(() => {
        const now = performance.now(), upto = answered();
        while (sent.length && sent[0].points <= upto) answers.push(now - sent.shift().at);
    });
    watch.observe(pad, {subtree: true, childList: true, attributes: true});
    const drawn = [];
    let ends = false;
    const look = now => {
        while (drawn.length && isWhite(drawn[0].point)) lines.push(performance.now() - drawn.shift().at);
        if (!ends) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    for (let turn = 0; turn < times; turn++) {
        [...pad.querySelectorAll("button")].find(found => found.textContent === "Clear").click();
        while (answered() || layers.some(canvas => isWhite(points[0]))) await wait(20);
        const {left, top} = pen.getBoundingClientRect();
        const send = (kind, [x, y]) => pen.dispatchEvent(new PointerEvent(kind, {
            bubbles: true, pointerId: 1, pointerType: "mouse", buttons: 1, clientX: left + x, clientY: top + y}));
        const begun = performance.now();
        for (let number = 0; number < points.length; number++) {
            const at = performance.now();
            send(number ? "pointermove" : "pointerdown", points[number]);
            sent.push({points: number + 1, at});
            drawn.push({point: points[number], at});
            await wait(begun + (number + 1) * 1000 / 60 - performance.now());
        }
        send("pointerup", points.at(-1));
        while (sent.length) await wait(20);
    }
    watch.disconnect();
    ends = true;
    return [lines, answers];
}"""


def main():
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inside", action="store_true", help="draw on a pad that looks inside its network, too")
    parser.add_argument("--digits", type=int, default=12, help="how many digits to draw at each distance")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home, "notebooks")
        folder.mkdir()
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        panels = "[InsidePanel()]" if arguments.inside else "[]"
        imports = "from digitlab.pad import DrawingPad\nfrom digitlab.panels import InsidePanel"
        cell = nbformat.v4.new_code_cell(f"{imports}\nDrawingPad(panels={panels})")
        notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
        nbformat.write(notebook, folder / "pad.ipynb")
        lab = subprocess.Popen(
            [sys.executable, "-m", "digitlab.commands.main", "lab", "--no-browser", f"--ServerApp.root_dir={folder}"],
            env={**os.environ, "DIGITLAB_HOME": home, "JUPYTER_CONFIG_DIR": str(Path(home, "config"))},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        port, token = next(
            found.groups() for line in lab.stdout if (found := re.search(r"http://[^:]+:(\d+)\S+token=(\w+)", line))
        )
        relay = Relay(int(port))
        program = next(filter(None, map(shutil.which, PROGRAMS)))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        points = np.rint(np.concatenate(Ink.example(8).strokes)).astype(int).tolist()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        messages = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: messages.append(frame)))
        page.goto(f"http://127.0.0.1:{relay.port}/lab/tree/pad.ipynb?reset&token={token}")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.locator(".digitlab-pen").wait_for(timeout=60_000)
        page.wait_for_timeout(2000)
        for distance in DISTANCES:
            relay.delay = distance / 2000
            messages.clear()
            for what, times in zip(("line", "answer"), page.evaluate(DRAW, [points, arguments.digits]), strict=True):
                median, most = np.percentile(times, [50, 95])
                print(
                    f"{distance:3} ms away, {what:<6} {len(times)} events: median {median:.0f} ms, "
                    f"95th percentile {most:.0f} ms",
                    flush=True,
                )
            print(f"{len(messages) / arguments.digits:.0f} messages for a digit of {len(points)} points", flush=True)
        browser.close()
        relay.close()
        lab.terminate()


if __name__ == "__main__":
    main()
