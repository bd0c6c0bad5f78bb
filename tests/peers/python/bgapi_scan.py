"""bgapi's state reset, module info, address and two scans; prints one line of JSON.

usage: bgapi_scan.py PORT
"""

import json
import sys

from bgapi.module import BlueGigaClient


def printed(address):
    return ":".join("%02X" % byte for byte in reversed(address))


client = BlueGigaClient(port=sys.argv[1], baud=115200, timeout=0.1)
client.reset_ble_state()
info = client.get_module_info(timeout=5)
own = client.get_ble_address(timeout=5)
client.disable_scan(64, 64)
passive = client.scan_all(timeout=2)
client.active_scan(64, 64)
active = client.scan_all(timeout=2)
client.shutdown()
print(json.dumps({
    "firmware": info["FW Version"],
    "address": printed(own),
    "passive": sorted({printed(report.sender) for report in passive}),
    "packet_types": sorted({report.packet_type for report in active}),
}))
