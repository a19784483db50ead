"""``python -m dermseg``: the command line."""

from dermseg.cli import main

if __name__ == "__main__":
    main()
