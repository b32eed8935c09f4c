"""JupyterHub as `python -m jupyterhub` starts it, a second sooner."""

# pyright: standard

from __future__ import annotations

from drybench_runner.quick_imports import ADDRESSES, without

with without(ADDRESSES):
    from jupyterhub.app import main

if __name__ == "__main__":
    main()
