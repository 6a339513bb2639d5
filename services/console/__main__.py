"""The console as a process."""

from services.console.process import main

if __name__ == "__main__":
    main()
