"""``python -m collector`` is ``edge-collector``."""

from collector.cli import main

if __name__ == "__main__":
    main()
