"""`python -m emolab` is the command `emolab`."""

from emolab.cli.main import main

if __name__ == "__main__":
    main()
