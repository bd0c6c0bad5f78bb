"""pygatt's start (with its reset), two scans and stop; prints one line of JSON.

usage: pygatt_scan.py PORT
"""

import json
import sys

import pygatt

backend = pygatt.BGAPIBackend(serial_port=sys.argv[1])
backend.start()
first = backend.scan(timeout=2)
second = backend.scan(timeout=2, active=False)
backend.stop()
print(json.dumps([sorted(device["address"] for device in scan) for scan in (first, second)]))
