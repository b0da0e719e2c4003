"""Measure a whole class on this machine: uv run python benchmarks/room.py [--seats 30] [--pairs 15] [--busy].

It starts a real hub (`classroom/jupyterhub_config.py`, on this machine's own address). People log in, start their
seats, open notebook 6 and draw. 30 pen events each second are sent over WebSockets in batches, few of them on the way,
as the pen of a page sends them. Measured are the time until the last pad answers, the time from an event to its answer,
and the memory of servers and kernels, also with TensorFlow loaded. Then pairs run the core of notebook 3, training
included. The program that plays the people runs on the same machine and uses part of it. It takes about five minutes.

With --busy each core has other work all the while, as much as it takes. The processor time of a seat, which is printed
too, hardly depends on that: this time, the number of seats and the number of cores say what is possible.
"""

import argparse
import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from digitlab import Ink
from digitlab.paths import KIT

sys.path.insert(0, str(KIT / "tests"))
from room import Hub, Person, memory, points_of, processes_of

EVENTS_PER_SECOND = 30
DRAWING_SECONDS = 10
PAD_CELL = "pad = DrawingPad(ours)"
SEATS_WITH_TENSORFLOW = 5
SAVE_CELL = "network.save(model, MY_NETWORK)"


async def start(hub, name):
    """Log in, start the seat, open notebook 6, draw a 3 and wait for the answer; return the person and the kernel."""
    person = Person(hub, name)
    await asyncio.to_thread(person.log_in)
    await asyncio.to_thread(person.start_seat)
    opened = await asyncio.to_thread(person.open, "06_draw.ipynb")
    kernel = await opened.connect()
    await kernel.run_core("06_draw.ipynb", upto=PAD_CELL)
    await draw(kernel, Ink.example(3), 0)
    return person, kernel


async def draw(kernel, ink, rate=EVENTS_PER_SECOND):
    """Draw an ink; return for each event the seconds until an answer came that includes it."""
    loop = asyncio.get_running_loop()
    canvas = kernel.pads()[0]
    cleared, done = loop.create_future(), loop.create_future()
    events = points_of(ink)
    points, sent, took = 0, {}, []
    expected = sum(event != "mouse_up" for event, *_ in events)

    def answered(upto):
        now = time.perf_counter()
        if not cleared.done():
            if upto == 0:
                cleared.set_result(None)
            return
        for number in [number for number in sent if number <= upto]:
            took.append(now - sent.pop(number))
        if len(took) == expected and not done.done():
            done.set_result(None)

    kernel.on_answer = answered
    if kernel.points:
        await kernel.press("Clear")
    else:
        cleared.set_result(None)
    await asyncio.wait_for(cleared, 60)
    next_time = time.perf_counter()
    for event, x, y in events:
        if event != "mouse_up":
            points += 1
            sent[points] = time.perf_counter()
        await kernel.draw(canvas, event, x, y)
        if rate:
            next_time += 1 / rate
            await asyncio.sleep(max(0, next_time - time.perf_counter()))
    await asyncio.wait_for(done, 60)
    return took


async def draw_for(kernel, seconds, number):
    """Draw one digit after the other for some seconds; return the results of `draw` for all of them."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        took += await draw(kernel, Ink.example(number % 10))
        number += 1
    return took


def processor_time(folder):
    """Return the seconds of processor time that the processes of a hub have used so far."""
    seconds = 0.0
    for process in processes_of(folder):
        with contextlib.suppress(OSError):  # The process has just ended.
            fields = Path(f"/proc/{process.number}/stat").read_text().rpartition(")")[2].split()
            seconds += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return seconds


@contextlib.contextmanager
def other_work(count):
    """Keep a number of cores busy with other programs."""
    programs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(count)
    ]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def memory_of_room(folder):
    """Return the memory of the hub, of each seat's server and of each kernel, in MB."""
    found = {"hub": [], "server": [], "kernel": []}
    for process in processes_of(folder):
        command = process.command
        kind = "kernel" if "ipykernel" in command else "server" if "digitlab_classroom.seat" in command else "hub"
        try:
            found[kind].append(memory(process.number))
        except OSError:
            continue  # The process has just ended.
    return found


def print_memory(found):
    """Print the memory; return the mean of a seat with its kernels, in MB."""
    for kind, each in found.items():
        if each:
            print(f"  {kind:7}{len(each):3} x {np.mean(each):5.0f} MB, the largest {max(each):.0f}")
    return (sum(found["server"]) + sum(found["kernel"])) / len(found["server"])


async def close(people):
    """Close the notebooks and shut down their kernels."""
    for person, kernel in people:
        await kernel.close()
        await asyncio.to_thread(person.call, "DELETE", f"sessions/{kernel.session}")


async def train(person):
    """Run the core of notebook 3 until the network is saved; return the seconds, its accuracy and the kernel."""
    begun = time.monotonic()
    opened = await asyncio.to_thread(person.open, "03_train_it.ipynb")
    kernel = await opened.connect()
    await kernel.run_core("03_train_it.ipynb", upto=SAVE_CELL)
    accuracy = re.search(r"[\d.]+", await kernel.run("print(accuracy)"))[0]
    return time.monotonic() - begun, float(accuracy), kernel


async def watch(folder, peak):
    """Measure the memory of all processes every two seconds; keep the maximum in `peak`."""
    while True:
        found = memory_of_room(folder)
        peak[0] = max(peak[0], sum(map(sum, found.values())))
        await asyncio.sleep(2)


async def measure(hub, seats, pairs):
    """Run the class and print the measurements."""
    begun, used_before = time.monotonic(), processor_time(hub.folder)
    people = await asyncio.gather(*(start(hub, f"seat{number:02d}") for number in range(1, seats + 1)))
    took, used = time.monotonic() - begun, processor_time(hub.folder) - used_before
    print(f"{seats} seats started at once: the last pad answers after {took:.0f} s", flush=True)
    print(
        f"processor time until then: {used / seats:.1f} s for each seat, the hub included; on {os.cpu_count()} cores "
        f"{seats} seats take at least {used / os.cpu_count():.0f} s",
        flush=True,
    )
    for drawing in sorted({min(10, seats), seats}):
        took = await asyncio.gather(
            *(draw_for(kernel, DRAWING_SECONDS, n) for n, (_, kernel) in enumerate(people[:drawing]))
        )
        median, slow = np.percentile(np.concatenate(took), (50, 95)) * 1000
        print(
            f"{drawing} drawing at once: from event to answer {median:.0f} ms, 95th percentile {slow:.0f} ms",
            flush=True,
        )
    print("memory, notebook 6 open:")
    room = memory_of_room(hub.folder)
    light = print_memory(room)
    some = people[:SEATS_WITH_TENSORFLOW]
    await asyncio.gather(*(kernel.run("from digitlab import network") for _, kernel in some))
    heavy = light - np.mean(room["kernel"]) + np.mean(sorted(memory_of_room(hub.folder)["kernel"])[-len(some) :])
    left = 24 * 1024 - 2048 - sum(room["hub"])
    print(
        f"a seat takes {light:.0f} MB; with TensorFlow in its kernel {heavy:.0f} MB, {heavy / light:.1f} times as much"
    )
    print(
        f"24 GB, 2 of them for the system, are enough for {left / light:.0f} seats; with TensorFlow {left / heavy:.0f}"
    )
    await close(people)
    if not pairs:
        return

    pairs = [person for person, _ in people[:pairs]]
    before, peak = sum(map(sum, memory_of_room(hub.folder).values())), [0]
    watching = asyncio.create_task(watch(hub.folder, peak))
    results = await asyncio.gather(*(train(person) for person in pairs))
    watching.cancel()
    times, accuracies, kernels = zip(*results, strict=True)
    print(
        f"{len(pairs)} pairs train at once: the first has its network after {min(times):.0f} s, the last after "
        f"{max(times):.0f} s; test accuracy {min(accuracies):.2%} to {max(accuracies):.2%}"
    )
    await close(zip(pairs, kernels, strict=True))
    await asyncio.sleep(3)
    after = sum(map(sum, memory_of_room(hub.folder).values()))
    print(f"memory of all: {before:.0f} MB before, at most {peak[0]:.0f}, {after:.0f} after the notebooks were closed")


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seats", type=int, default=30, help="number of seats")
    parser.add_argument("--pairs", type=int, default=15, help="number of seats that run notebook 3 at once")
    parser.add_argument("--busy", action="store_true", help="give each core other work, all the while")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hub")
        path.mkdir()
        with Hub(path, arguments.seats) as hub, other_work(os.cpu_count() if arguments.busy else 0):
            try:
                asyncio.run(measure(hub, arguments.seats, arguments.pairs))
            except Exception:
                print(f"The end of the hub's log:\n{hub.log()[-100_000:]}", file=sys.stderr)
                raise


if __name__ == "__main__":
    main()
