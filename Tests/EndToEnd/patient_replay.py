#!/usr/bin/env python3
"""The replay of recordings, by a client that asks again where the server has too much to do and has done nothing.

    patient_replay.py REPLAY ARGUMENT…
"""
import importlib.util
import sys
import time

PATIENCE = 60


def patient(call):
    def again(self, *request):
        deadline = time.monotonic() + PATIENCE
        while True:
            status, text = call(self, *request)
            if status != 503 or time.monotonic() > deadline:
                return status, text
            print("repeated after 503: %s %s" % tuple(request[:2]))
            time.sleep(1)
    return again


def main():
    spec = importlib.util.spec_from_file_location("replay", sys.argv[1])
    replay = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(replay)
    replay.Replay.call = patient(replay.Replay.call)
    del sys.argv[0]
    return replay.main()


if __name__ == "__main__":
    sys.exit(main())
