"""In a session the kernels of a person's own environments stand beside the installed ones."""

from __future__ import annotations

from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from drybench_runner.own_kernels import OwnKernel, find


class OwnKernelSpecs(KernelSpecManager):
    """What is installed under the same name comes first."""

    def find_kernel_specs(self) -> dict[str, str]:
        installed = super().find_kernel_specs()
        own = {kernel.name: str(kernel.resources) for kernel in find(Path.home())}
        allowed = {name: place for name, place in own.items() if name in (self.allowed_kernelspecs or own)}
        return {**allowed, **installed}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        own = {kernel.name: kernel for kernel in find(Path.home())}.get(kernel_name.lower())
        if own is None or kernel_name in super().find_kernel_specs():
            return super().get_kernel_spec(kernel_name)
        return _spec_of(own)


def _spec_of(kernel: OwnKernel) -> KernelSpec:
    return KernelSpec(
        argv=list(kernel.argv),
        env=dict(kernel.env),
        display_name=kernel.title,
        language="python",
        resource_dir=str(kernel.resources),
        metadata={"debugger": True},
    )
