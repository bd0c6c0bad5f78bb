"""What stands around the service inside the system: its agent, its dongle, and ways to look at it."""

import json
import os
import pathlib
import subprocess
import time

RIG = pathlib.Path("/opt/rig")
GADGET = pathlib.Path("/sys/kernel/config/usb_gadget/bled")
FAR_END = "/dev/ttyGS0"


class Failed(Exception):
    """Something does not hold."""


def sh(command, may_fail=False):
    """What a command prints."""
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    if done.returncode and not may_fail:
        raise Failed(f"{command}: {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout.strip()


def counters():
    """What the daemon's first dongle has counted."""
    return json.loads(sh("nbe status --json"))["adapters"][0]["counters"]


def answers():
    """Which process answers at the control socket, if any; in trouble too."""
    said = sh("nbe status --json", may_fail=True)
    return json.loads(said)["pid"] if said else None


def until(what, holds, within=60):
    """Waits until something holds; how long it took, in seconds."""
    began = time.monotonic()
    while True:
        found = holds()
        took = time.monotonic() - began
        if found:
            return took
        if took > within:
            raise Failed(f"{what}: not within {within} s")
        time.sleep(0.05)


def need(holds, what):
    if not holds:
        raise Failed(what)


def show(key, unit="nbe.service"):
    return sh(f"systemctl show -p {key} --value {unit}")


def is_active():
    return show("ActiveState") == "active"


def journal(since):
    return sh(f"journalctl -u nbe --no-pager -o cat --after-cursor='{since}'", may_fail=True)


def cursor():
    return sh("journalctl -n 0 --show-cursor").rpartition("cursor: ")[2]


class Agent:
    """The reference agent, and what it has printed."""

    def __init__(self):
        self.out = open("/run/agent.jsonl", "ab")
        self.read = open("/run/agent.jsonl", "rb")
        self.events = []
        self.process = subprocess.Popen([RIG / "nbe", "agent"], stdout=self.out, stderr=subprocess.DEVNULL)

    def look(self):
        while line := self.read.readline():
            if not line.endswith(b"\n"):
                self.read.seek(-len(line), os.SEEK_CUR)
                break
            self.events.append(json.loads(line))
        return len(self.events)

    def since(self, mark, event, **payload):
        """The events of a kind after a mark whose payload has these values."""
        self.look()
        return [
            one["payload"]
            for one in self.events[mark:]
            if one["event"] == event and all(one["payload"].get(key) == value for key, value in payload.items())
        ]

    def wait(self, mark, event, within=60, **payload):
        took = until(f"{event} {payload}", lambda: self.since(mark, event, **payload), within)
        return took, self.since(mark, event, **payload)[0]


class Dongle:
    """The gadget, and who plays the dongle at its far end."""

    def __init__(self):
        for module in ("dummy_hcd", "libcomposite"):
            sh(f"modprobe {module}")
        sh("mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config")
        for folder in ("strings/0x409", "configs/c.1/strings/0x409", "functions/acm.0"):
            (GADGET / folder).mkdir(parents=True, exist_ok=True)
        for file, text in {
            "idVendor": "0x2458",
            "idProduct": "0x0001",
            "strings/0x409/serialnumber": "1",
            "strings/0x409/manufacturer": "Bluegiga",
            "strings/0x409/product": "Low Energy Dongle",
            "configs/c.1/strings/0x409/configuration": "acm",
        }.items():
            (GADGET / file).write_text(text + "\n")
        (GADGET / "configs/c.1/acm.0").symlink_to(GADGET / "functions/acm.0")
        self.process = None

    def play(self, scenario):
        if self.process:
            self.process.terminate()
            self.process.wait()
        path = RIG / "scenario.toml"
        path.write_text(scenario)
        command = [RIG / "nbe", "simulate", "--port", FAR_END, "--scenario", path, "--seed", "1"]
        self.process = subprocess.Popen(command, stderr=open("/run/dongle.log", "ab"))

    def plug(self):
        (GADGET / "UDC").write_text("dummy_udc.0\n")

    def unplug(self):
        (GADGET / "UDC").write_text("\n")


def wearer():
    """Somebody who comes, taps, sits and leaves, every 40 s."""
    cycle = [(0, 8), (3, 0.6), (5, 0.6), (5.6, 0.02), (8, 0.02), (8.6, 0.6), (20, 0.6), (23, 9), (38, 9)]
    path = ", ".join(f"[{40 * turn + at}, {far:.2f}]" for turn in range(40) for at, far in cycle)
    return f'[[band]]\nid = "desk"\naddress = "5c:f3:70:8a:11:02"\npath = [{path}]\n'


QUIET = '[[band]]\nid = "desk"\naddress = "5c:f3:70:8a:11:02"\nsilent = [[0, 3600]]\n[[neighbour]]\ncount = 0\n'
