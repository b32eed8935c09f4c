"""Receipts and differences as calm text."""

from __future__ import annotations

import json
from typing import Any

from drybench_client.printing import facts, plain, table
from drybench_client.receipts import Differences, Receipt

_SHORT = 12  # letters of a hash


def show_receipt(receipt: Receipt) -> None:
    git, machine = receipt["git"] or {}, receipt["machine"] or {}
    dirty = " (changed since)" if git.get("dirty") else ""
    facts(
        [
            ("Run", f"{receipt['name']} ({receipt['outcome'] or 'not ended'})"),
            ("Environment", f"{receipt['environment']} {receipt['environment_digest'] or ''}".strip()),
            ("Python", receipt["python"]),
            ("Packages", f"{len(receipt['packages'])}, of them added: {_listed(receipt['packages_added'])}"),
            ("Notebook", f"{receipt['notebook']} sha256 {receipt['notebook_sha256'][:_SHORT]}"),
            ("Git", f"{git['commit'][:_SHORT]}{dirty}" if git else ""),
            ("Machine", ", ".join(str(machine[name]) for name in ("host", "cpu") if machine.get(name))),
            ("GPUs", ", ".join(f"{gpu['name']} (driver {gpu['driver']})" for gpu in receipt["gpus"])),
            ("Started", receipt["started_at"] or ""),
            ("Ended", receipt["ended_at"] or ""),
        ]
    )
    inputs = [(one["path"], (one["sha256"] or one["note"])[:64]) for one in receipt["inputs"]]
    if inputs:
        print()
        table(("INPUT", "SHA256"), inputs, nothing="")
    for note in receipt["notes"]:
        print(f"\n{plain(note)}")


def show_differences(found: Differences) -> None:
    for subject in found["subjects"]:
        rows = [(row["name"], _value(row["a"]), _value(row["b"])) for row in subject["rows"]]
        table((subject["name"].upper(), "A", "B"), rows, nothing="")
        if subject["left_out"]:
            print(f"and {subject['left_out']} more")
        print()
    for cell in found["cells"]:
        print(f"CELL {cell['a'] or '-'} → {cell['b'] or '-'}")
        for line in cell["lines"]:
            print(f"  {plain(line)}")
        print()
    if not found["subjects"] and not found["cells"]:
        print("Nothing differs.")
    elif found["same"]:
        print(f"The same in both: {', '.join(found['same'])}")


def _listed(packages: dict[str, str]) -> str:
    return ", ".join(f"{name}=={version}" for name, version in packages.items()) or "none"


def _value(said: Any) -> str:
    if said is None:
        return "-"
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
