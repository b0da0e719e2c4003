"""Time and memory to read a drawing, compared with the same network in TensorFlow: uv run python benchmarks/reading.py.

Machines differ, so quote the ratios. All programs run in turn on the same machine.
"""

import os
import statistics
import subprocess
import sys
import time

OURS = """
from digitlab import Ink, Recognizer
recognizer = Recognizer.load()
read = lambda ink: recognizer.predict(ink).digit
"""
KERAS = """
from digitlab import Ink, network
from digitlab.paths import SHIPPED_NETWORK
from digitlab.prepare import network_input, prepare
model = network.load(SHIPPED_NETWORK)
read = lambda ink: int(model.predict(network_input([prepare(ink)]), verbose=0).argmax())
"""
TRACED = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from digitlab import Ink, network
from digitlab.paths import SHIPPED_NETWORK
from digitlab.prepare import network_input, prepare
model = network.load(SHIPPED_NETWORK)
run = tf.function(model, input_signature=[tf.TensorSpec((1, 28, 28, 1), tf.float32)])
read = lambda ink: int(run(network_input([prepare(ink)])).numpy().argmax())
"""
PAD = "\nimport digitlab.pad\n"
START = "\nassert read(Ink.example(7)) == 7\n"
MEMORY = START + "\nimport psutil; print(psutil.Process().memory_info().rss / 1e6)\n"
STEADY = (
    START
    + """
import statistics, time
inks = [Ink.example(digit) for digit in range(10)]
times = []
for turn in range(30):
    for digit, ink in enumerate(inks):
        start = time.perf_counter()
        assert read(ink) == digit
        times.append(time.perf_counter() - start)
print(statistics.median(times) * 1000)
"""
)


def run(program):
    """Run a program in a process of its own; return the time it takes, in seconds, and its output."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - start, done.stdout


def compare(title, unit, measure, programs, rounds):
    """Measure each program in turn, several times; print the medians and their ratios to the first."""
    values = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            values[name].append(measure(program))
    medians = {name: statistics.median(measured) for name, measured in values.items()}
    first = next(iter(medians.values()))
    print(f"\n{title}")
    for name, median in medians.items():
        print(f"  {name:<34} {median:>9.2f} {unit:<3} {median / first:>8.1f} x")


def main():
    """Print the three comparisons."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print("On one core.")
    both = {"Recognizer (OpenCV)": OURS, "Keras model.predict": KERAS}
    three = {**both, "traced tf.function": TRACED}
    compare(
        "One prediction, preparation included (median of 300)",
        "ms",
        lambda program: float(run(program + STEADY)[1]),
        three,
        rounds=3,
    )
    compare("Process start to first prediction", "s", lambda program: run(program + START)[0], three, rounds=3)
    compare(
        "Memory of a process that has the pad loaded and has read a drawing",
        "MB",
        lambda program: float(run(PAD + program + MEMORY)[1]),
        both,
        rounds=3,
    )


if __name__ == "__main__":
    main()
