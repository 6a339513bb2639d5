"""The console as a process."""

from kafka_saga.console.process import main

if __name__ == "__main__":
    main()
