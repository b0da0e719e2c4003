"""Start one seat of a JupyterHub: JupyterLab for one person, with that person's own copy of the notebooks.

A hub starts ``python -m digitlab_classroom.seat`` in place of ``jupyterhub-singleuser``, with the same arguments.
Before JupyterLab starts, the copy of the notebooks is made or updated, as ``digitlab lab`` does it. The files of the
seat are kept in the folder that DIGITLAB_HOME names; by default that is ``digitlab`` in the person's home.
"""

import os
import sys
import tempfile
import types
from collections.abc import Sequence
from pathlib import Path

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
"""The environment variables that limit the threads of NumPy, OpenCV and TensorFlow. A seat sets them to 1, unless the
hub has set them: otherwise each library would use all cores for each of thirty seats."""

UNUSED = ("jupyter_lsp", "notebook", "notebook_shim")
"""Parts of JupyterLab's server that no lesson uses; other packages may have switched them on."""

MAX_IDLE_SECONDS = 1800
"""The Python of a notebook that nobody uses is ended after this time, to free its memory."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Update the copy of the notebooks, and serve it until the hub ends the seat."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    # A hub that was started with sudo has another PATH: in the seats the command `digitlab` would not be found.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if not os.environ.get("DIGITLAB_HOME"):
        os.environ["DIGITLAB_HOME"] = str(Path.home() / "digitlab")
    os.environ["DIGITLAB_SHARED_SERVER"] = "1"
    # These are imported now and not earlier, because `digitlab.paths` reads the environment when it is imported.
    from digitlab.commands import jupyter_settings, working_copy
    from digitlab.paths import MY_NOTEBOOKS

    for sentence in working_copy.refresh():
        print(sentence, flush=True)
    os.environ.setdefault("JUPYTERHUB_ROOT_DIR", str(MY_NOTEBOOKS))
    os.environ.setdefault("JUPYTERHUB_DEFAULT_URL", f"/lab/tree/{jupyter_settings.FIRST_NOTEBOOK}")
    jupyter_settings.start_sooner()
    _import_no_database()
    from jupyterhub.singleuser import main as serve

    settings = {
        **jupyter_settings.settings(),
        "MappingKernelManager.cull_idle_timeout": MAX_IDLE_SECONDS,
        "MappingKernelManager.cull_interval": 60,
        "MappingKernelManager.cull_connected": True,
        "LabApp.extension_manager": "readonly",  # The other one prepares to search the internet for extensions.
        # Jupyter would start a login shell, which sets PATH anew.
        "ServerApp.terminado_settings": {"shell_command": os.environ.get("SHELL") or "sh"},
        "ServerApp.jpserver_extensions": dict.fromkeys(UNUSED, False),
        # Where thirty kernels start at once, ports that were free a moment ago are taken. A kernel that finds its port
        # taken is started again with the same one, and never answers. Files have names of their own, and no other
        # account may open these, so that they need no encryption.
        "KernelManager.transport": "ipc",
        "MappingKernelManager.transport_encryption": "disabled",
    }
    # The system allows such files about 100 characters with their folder.
    with tempfile.TemporaryDirectory(prefix="digitlab-", dir="/tmp") as folder:
        os.environ["JUPYTER_RUNTIME_DIR"] = folder
        serve([*(sys.argv[1:] if arguments is None else arguments), *jupyter_settings.as_options(settings)])


def _import_no_database() -> None:
    """Make a seat start about half a second of processor time sooner; call it before JupyterHub is imported.

    JupyterHub's program for a seat imports parts of the hub, and with them a package for databases, which a seat never
    uses. Modules with nothing but the names that are imported take their place.
    """
    stand_ins = {
        "jupyterhub.handlers.pages": {"HealthCheckHandler": type("HealthCheckHandler", (), {})},
        "jupyterhub.orm": {},
        "sqlalchemy": {"func": None},
        "sqlalchemy.exc": {"SQLAlchemyError": type("SQLAlchemyError", (Exception,), {})},
    }
    for name, content in stand_ins.items():
        vars(sys.modules.setdefault(name, types.ModuleType(name))).update(content)


if __name__ == "__main__":
    main()
