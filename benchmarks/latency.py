"""Measure the delay from the hand to the line and to the answer: uv run python benchmarks/latency.py [--digits 6].

In JupyterLab in a real browser (Debian's chromium) two pads are drawn on in turn: the kit's, and one as it was when
Python drew the line (old_pad.py). The events of 60 points a second are played on the page. Measured are the times from
each event until the frame in which the line has reached it, and until an answer that includes it is on the page; the
messages that the page sends for a digit, and the CPU time of the kernel; and the time until the last answer when a fast
hand's 120 events come at once. A relay on this machine plays a server that is 0, 100 or 300 ms away (there and back).
It takes about four minutes.
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
import psutil
from playwright.sync_api import sync_playwright

from digitlab import Ink
from digitlab.paths import KIT

sys.path.insert(0, str(KIT / "tests"))
from page import run_all
from relay import Relay

DISTANCES = (0, 100, 300)  # milliseconds
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
POINTS, FAST_POINTS = 60, 120
CELLS = [
    "from digitlab.pad import DrawingPad\nDrawingPad()",
    f"import sys\nsys.path.insert(0, {str(KIT / 'benchmarks')!r})\nfrom old_pad import OldPad\nOldPad()",
]
WAYS = {"old": ".digitlab-old", "new": ".digitlab-pad"}

# What both pads have in common. An answer says how many points its drawing has.
PAD = """
    const pad = document.querySelector(selector), pen = pad.querySelector(".digitlab-pen");
    const surface = pen ?? pad.querySelector("canvas");
    const layers = [...pad.querySelectorAll(pen ? ".digitlab-frame canvas" : "canvas")];
    const wait = ms => new Promise(done => setTimeout(done, ms));
    const answered = () => Number(pad.querySelector(".digitlab-answer").dataset.points);
    const isWhite = ([x, y]) => layers.some(canvas => {
        const scale = canvas.width / surface.clientWidth;
        const pixel = canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data;
        return pixel[0] > 127 && pixel[3] > 127;
    });
    const clear = async () => {
        [...pad.querySelectorAll("button")].find(found => found.textContent === "Clear").click();
        while (answered() || isWhite(points[0])) await wait(20);
    };
    const send = (kind, [x, y]) => {
        const {left, top} = surface.getBoundingClientRect();
        const place = {clientX: left + x, clientY: top + y};
        const event = {bubbles: true, pointerId: 1, pointerType: "mouse", buttons: 1, ...place};
        surface.dispatchEvent(pen ? new PointerEvent("pointer" + kind, event) : new MouseEvent("mouse" + kind, event));
    };
    pad.scrollIntoView();
"""

DRAW = (
    "async ([selector, points, times]) => {"
    + PAD
    + """
    const sent = [], lines = [], answers = [], drawn = [];
    const watch = new MutationObserver(() => {
        const now = performance.now(), upto = answered();
        while (sent.length && sent[0].points <= upto) answers.push(now - sent.shift().at);
    });
    watch.observe(pad, {subtree: true, childList: true, attributes: true});
    let ends = false;
    const look = () => {
        while (drawn.length && isWhite(drawn[0].point)) lines.push(performance.now() - drawn.shift().at);
        if (!ends) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    for (let turn = 0; turn < times; turn++) {
        await clear();
        const begun = performance.now();
        for (let number = 0; number < points.length; number++) {
            const at = performance.now();
            send(number ? "move" : "down", points[number]);
            sent.push({points: number + 1, at});
            drawn.push({point: points[number], at});
            await wait(begun + (number + 1) * 1000 / 60 - performance.now());
        }
        send("up", points.at(-1));
        while (sent.length || drawn.length) await wait(20);
    }
    watch.disconnect();
    ends = true;
    return [lines, answers];
}"""
)

FAST = (
    "async ([selector, points]) => {"
    + PAD
    + """
    await clear();
    const begun = performance.now();
    send("down", points[0]);
    points.slice(1).forEach(point => send("move", point));
    send("up", points.at(-1));
    while (answered() !== points.length) await wait(5);
    return performance.now() - begun;
}"""
)


def main():
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", type=int, default=6, help="how many digits to draw on each pad at each distance")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home, "notebooks")
        folder.mkdir()
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, folder / "pads.ipynb")
        if not (program := next(filter(None, map(shutil.which, PROGRAMS)), None)):
            parser.error(f"This needs a browser: one of {', '.join(PROGRAMS)}.")
        lab = subprocess.Popen(
            [sys.executable, "-m", "digitlab.commands.main", "lab", "--no-browser", f"--ServerApp.root_dir={folder}"],
            env={**os.environ, "DIGITLAB_HOME": home, "JUPYTER_CONFIG_DIR": str(Path(home, "config"))},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            port, token = next(
                found.groups() for line in lab.stdout if (found := re.search(r"http://[^:]+:(\d+)\S+token=(\w+)", line))
            )
            relay = Relay(int(port))
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            address = f"http://127.0.0.1:{relay.port}/lab/tree/pads.ipynb?reset&token={token}"
            measure(browser, address, relay, lab, arguments.digits)
            browser.close()
            relay.close()
        finally:
            lab.terminate()


def open_pads(browser, address, messages):
    """Open the notebook in a new page and run it; the messages that the page sends are added to a list."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: messages.append(frame)))
    page.goto(address)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    run_all(page)
    page.locator(f"{WAYS['old']} .digitlab-answer").wait_for(state="attached")
    return page


def measure(browser, address, relay, lab, digits):
    """Draw on both pads, in a new page for each distance, and print what was measured."""
    points, fast = spread(Ink.example(3), POINTS), spread(Ink.example(3), FAST_POINTS)
    print(f"{'':32}{'old way':>20}{'new way':>20}   new / old", flush=True)
    for distance in DISTANCES:
        messages = []
        page = open_pads(browser, address, messages)
        kernel = find_kernel(lab)
        relay.delay = distance / 2000
        times, count, cpu = {}, {}, {}
        for way, selector in WAYS.items():
            page.evaluate(DRAW, [selector, points, 1])  # What is done for the first time takes longer.
            messages.clear()
            before = cpu_seconds(kernel)
            times[way] = page.evaluate(DRAW, [selector, points, digits])
            count[way], cpu[way] = len(messages) / digits, (cpu_seconds(kernel) - before) / digits * 1000
        for number, what in enumerate(("hand to line", "hand to answer")):
            measured = [np.percentile(times[way][number], [50, 95]) for way in WAYS]
            print_row(f"{distance} ms away: {what}", measured, "ms, median / 95th percentile")
        print_row(f"{distance} ms away: messages a digit", [[count[way]] for way in WAYS], f"of {POINTS} points")
        print_row(f"{distance} ms away: kernel CPU a digit", [[cpu[way]] for way in WAYS], "ms")
        relay.delay = 0
        if distance == 0:
            took = [[np.median([page.evaluate(FAST, [way, fast]) for _ in range(5)])] for way in WAYS.values()]
            print_row(f"{FAST_POINTS} events at once: last answer", took, "ms, median of 5")
        page.close()


def print_row(what, measured, unit):
    """Print one line of the table: the old way, the new way, and their ratio."""
    old, new = (" / ".join(f"{one:.0f}" for one in values) for values in measured)
    ratio = " / ".join(f"{b / a:.2f}" for a, b in zip(*measured, strict=True))
    print(f"{what:32}{old:>20}{new:>20}   {ratio}   ({unit})", flush=True)


def spread(ink, count):
    """Return points at equal distances along the first stroke of a drawing."""
    stroke = ink.strokes[0]
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    where = np.linspace(0, length[-1], count)
    return np.stack([np.interp(where, length, axis) for axis in stroke.T], axis=1).round(1).tolist()


def find_kernel(lab):
    """Return the process of the notebook's kernel."""
    processes = psutil.Process(lab.pid).children(recursive=True)
    return next(process for process in processes if "ipykernel" in " ".join(process.cmdline()))


def cpu_seconds(process):
    """Return the CPU time that a process has used so far."""
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
