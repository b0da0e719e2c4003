"""One seat of a JupyterHub: JupyterLab for one person, in a copy of the notebooks of one's own. It stands on `lab`.

A hub starts ``python -m digitlab_classroom.seat`` in place of ``jupyterhub-singleuser``, with the same arguments.
Before JupyterLab starts, the copy is made or brought up to date, as `digitlab lab` does it. What is kept of a seat is
in the folder that DIGITLAB_HOME names; by default that is ``digitlab`` in the person's home.
"""

import os
import sys
from pathlib import Path

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
"""How NumPy, OpenCV and TensorFlow are told how many threads to use: one, unless the hub says otherwise. Each library
would else take all cores for each seat, and thirty seats would fight for them."""

KERNEL_REST = 1800
"""After how many seconds without use a notebook's Python is ended, and its memory is given back."""


def main(arguments=None):
    """Bring the copy of the notebooks up to date and serve it until the hub ends it."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    os.environ.setdefault("DIGITLAB_HOME", str(Path.home() / "digitlab"))
    os.environ["DIGITLAB_SHARED_SERVER"] = "1"
    # Only now: where things are is settled when `places` is imported.
    from digitlab.commands import working_copy
    from digitlab.commands.lab import FIRST_NOTEBOOK, SETTINGS, start_sooner
    from digitlab.paths import MY_NOTEBOOKS

    for sentence in working_copy.refresh():
        print(sentence, flush=True)
    os.environ.setdefault("JUPYTERHUB_ROOT_DIR", str(MY_NOTEBOOKS))
    os.environ.setdefault("JUPYTERHUB_DEFAULT_URL", f"/lab/tree/{FIRST_NOTEBOOK}")
    start_sooner()
    import zmq
    from jupyterhub.singleuser import main as serve

    options = [
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--ServerApp.kernel_websocket_connection_class=digitlab.commands.connection.PromptConnection",
        f"--MappingKernelManager.cull_idle_timeout={KERNEL_REST}",
        "--MappingKernelManager.cull_interval=60",
        "--MappingKernelManager.cull_connected=True",
    ]
    if zmq.has("curve"):
        # The other accounts of the machine cannot listen in on a kernel.
        options.append("--MappingKernelManager.transport_encryption=auto")
    serve([*(sys.argv[1:] if arguments is None else arguments), *options])


if __name__ == "__main__":
    main()
