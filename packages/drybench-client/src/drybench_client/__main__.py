from __future__ import annotations

from drybench_client.cli import main

if __name__ == "__main__":
    main()
