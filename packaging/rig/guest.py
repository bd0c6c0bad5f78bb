"""What the rig looks at, inside the system: run at each of two boots, one line for each thing that holds."""

import glob
import grp
import os
import pathlib
import re
import signal
import stat
import subprocess
import time

from world import RIG, QUIET, Agent, Dongle, Failed, answers, counters, cursor, is_active, journal, need, sh, show, until, wearer

STAGE = RIG / "stage"
TOML = pathlib.Path("/etc/nbe/nbe.toml")
STATE = pathlib.Path("/var/lib/nbe")
DROP_IN = pathlib.Path("/run/systemd/system/nbe.service.d/rig.conf")


def toml(window=20, host="127.0.0.1", more=""):
    """What an administrator writes."""
    return f"""agent_url = "ws://{host}:9120/socket/websocket"
rssi_tap_threshold = -42
rssi_window_long = {window}
{more}"""


GOOD = toml()
BAD = toml(more="rssi_cutoff_far = 75\n")


passed = failed = 0


def check(what, proof):
    """Runs one proof, and prints what came of it; a proof gives a detail to print, or raises."""
    global passed, failed
    began = time.monotonic()
    try:
        detail = proof() or ""
        passed += 1
        print(f"PASS  {what:<58} {time.monotonic() - began:6.1f} s  {detail}")
    except (Failed, OSError, ValueError, KeyError, IndexError) as error:
        failed += 1
        print(f"FAIL  {what:<58} {time.monotonic() - began:6.1f} s  {error}")
        print("      | " + sh("journalctl -u nbe -n 12 --no-pager -o short-monotonic | cut -c1-220", True).replace("\n", "\n      | "))


class Rig:
    """The system's parts, and what is to hold of them."""

    def __init__(self):
        self.agent = Agent()
        self.dongle = Dongle()

    # ---- installed, without a dongle

    def install(self):
        sh("dpkg -i /opt/rig/first.deb")
        need(is_active(), f"the service is {show('ActiveState')}")
        need(not TOML.exists(), "the package brings an nbe.toml")
        need(sh("systemctl is-enabled nbe") == "enabled", "the service is not enabled")
        return show("StatusText")

    def no_dongle_is_a_state(self):
        until("no dongle", lambda: show("StatusText").startswith("no dongle"))
        _, snapshot = self.agent.wait(0, "snapshot")
        need(snapshot["adapters"][0]["state"] == "absent", "the agent is told otherwise")
        return show("StatusText")

    # ---- plugged in

    def plug(self):
        self.dongle.play(wearer())
        mark = self.agent.look()
        self.dongle.plug()
        took, state = self.agent.wait(mark, "adapter.state", state="scanning")
        need(state["port"] == "/dev/ttyACM0", f"scanning at {state['port']}")
        return f"plug to scanning {took:.2f} s at {state['port']}"

    def udev(self):
        (link,) = glob.glob("/dev/nbe/*")
        target = os.path.realpath(link)
        found = os.stat(target)
        need(target == "/dev/ttyACM0", f"{link} leads to {target}")
        group, mode = grp.getgrgid(found.st_gid).gr_name, stat.S_IMODE(found.st_mode)
        need((group, mode) == ("nbe", 0o660), f"{target} is {group} {mode:o}")
        need("ID_MM_DEVICE_IGNORE=1" in sh(f"udevadm info {target}"), "ModemManager may probe it")
        device = pathlib.Path(f"/sys/class/tty/ttyACM0/device").resolve().parent
        power = (device / "power/control").read_text().strip()
        need(power == "on", f"power/control is {power}")
        need("ID_MM_DEVICE_IGNORE=1" in sh(f"udevadm info {device}"), "ModemManager may probe the device")
        return f"{link}, {group} {mode:o}, never suspended, not for ModemManager"

    def other_device(self):
        need(os.path.exists("/dev/ttyUSB0"), "the rig's device of another make is not there")
        need("ttyUSB0" not in sh("journalctl -u nbe --no-pager -o cat"), "the log speaks of it")
        holders = sh("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c ttyUSB0", may_fail=True)
        need(holders == "0", f"{holders} have it open")
        return "/dev/ttyUSB0 is left alone"

    def first_configuration(self):
        mark, log = self.agent.look(), cursor()
        TOML.write_text(GOOD)
        until("reloaded", lambda: "configuration reloaded" in journal(log))
        self.agent.wait(mark, "endpoint.state", state="online")
        return "a new nbe.toml is taken over while running"

    def taps_and_trends(self):
        mark = self.agent.look()
        self.agent.wait(mark, "band.tap", within=120)
        self.agent.wait(mark, "band.trend", after="near", within=120)
        self.agent.wait(mark, "band.trend", after="away", within=120)
        mean = self.agent.since(mark, "band.tap")[0]["mean_cdb"]
        return f"tap at {mean / 100:.1f} dBm, near, away"

    def replug(self, port="/dev/ttyACM0"):
        mark = self.agent.look()
        self.dongle.unplug()
        gone, _ = self.agent.wait(mark, "adapter.state", state="absent")
        mark = self.agent.look()
        self.dongle.plug()
        back, state = self.agent.wait(mark, "adapter.state", state="scanning")
        need(state["port"] == port, f"scanning at {state['port']}")
        return f"gone after {gone:.2f} s, scanning after {back:.2f} s at {port}"

    def replug_elsewhere(self):
        # Its number is taken for as long as this is open.
        held = os.open("/dev/ttyACM0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return self.replug("/dev/ttyACM1")
        finally:
            os.close(held)

    def second_service(self):
        port = max(glob.glob("/dev/ttyACM*"))
        # By root, as an administrator would at a terminal: what an account of its own holds is for root alone to see.
        command = f"timeout 6 {RIG}/nbe run --port {port} --agent-url ws://127.0.0.1:9/x"
        done = subprocess.run(command, shell=True, capture_output=True, text=True)
        need(done.returncode == 1, f"it ended with {done.returncode}: {done.stderr[-300:]}")
        need(f"nbe runs already (process {show('MainPID')})" in done.stderr, done.stderr[-300:])
        # With a socket of its own it runs beside the service, but for the dongle.
        elsewhere = f"RUNTIME_DIRECTORY=/run/nbe-second {command}"
        said = subprocess.run(elsewhere, shell=True, capture_output=True, text=True).stderr
        (line,) = [line for line in said.splitlines() if "held by" in line][:1] or [None]
        need(line, f"nobody says who holds it: {said[-300:]}")
        need(show("MainPID") in line, f"the holder is not named: {line}")
        return re.sub(r"^\S+\s+", "", line.strip())[:90]

    def by_hand(self):
        sh("systemctl stop nbe")
        command = [f"{RIG}/nbe", "run", "--port", "/dev/none", "--agent-url", "ws://127.0.0.1:9/x"]
        hand = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until("the daemon by hand answers", lambda: answers() == hand.pid)
            sh("systemctl start --no-block nbe")
            until("the service does not start beside it", lambda: int(show("NRestarts")) >= 2)
            sh("systemctl stop nbe")
            need(answers() == hand.pid, "it answers no more")
        finally:
            hand.terminate()
            hand.wait()
        mark = self.agent.look()
        sh("systemctl start nbe")
        self.agent.wait(mark, "snapshot")
        return "the service gives way to it, and leaves it its socket"

    # ---- ended and started again

    def killed(self):
        mark, before = self.agent.look(), self.boot()
        sh("systemctl kill -s SIGKILL nbe")
        took, snapshot = self.agent.wait(mark, "snapshot")
        need(snapshot["boot"] != before, "the boot id is the old one")
        need(int(show("NRestarts")) >= 1, "systemd did not restart it")
        return f"a snapshot with a new boot id after {took:.1f} s"

    def stopped(self):
        until("scanning", lambda: "scanning" in show("StatusText"))
        mark, log, pid = self.agent.look(), cursor(), int(show("MainPID"))
        need(pid, "there is no process to stop")  # 0 would stop whoever asks
        os.kill(pid, signal.SIGSTOP)
        took, _ = self.agent.wait(mark, "snapshot", within=120)
        said = sh(f"journalctl --no-pager -o cat --after-cursor='{log}' UNIT=nbe.service", True) + journal(log)
        need("watchdog" in said.lower(), "systemd says nothing of its watchdog")
        return f"bitten, and back after {took:.0f} s"

    # ---- configuration

    def boot(self):
        self.agent.look()
        return self.agent.events[-1]["payload"]["boot"]

    def edit(self):
        until("scanning", lambda: "scanning" in show("StatusText"))
        mark, log, before, pid = self.agent.look(), cursor(), self.boot(), show("MainPID")
        first = began = counters()
        # A machine that is held up has its virtual dongle send less, whoever listens: an edit that costs readings would
        # cost them each time.
        for window in (25, 26, 27):
            time.sleep(10)
            second = counters()
            TOML.write_text(toml(window=window))
            time.sleep(10)
            third = counters()
            without, during = second["reports"] - first["reports"], third["reports"] - second["reports"]
            if during > 0.9 * without:
                break
            first = third
        need("configuration reloaded" in journal(log), "it was not taken over")
        for name in ("discarded_bytes", "resyncs", "losses", "opens", "protocol_errors"):
            need(third[name] == began[name], f"{name}: {began[name]}, then {third[name]}")
        need(during > 0.9 * without, f"{without} adverts in 10 s, and {during} with the edit")
        self.agent.wait(mark, "band.trend", within=60)
        need((self.boot(), show("MainPID")) == (before, pid), "it was started anew")
        need(not self.agent.since(mark, "adapter.state"), "the dongle's state changed")
        need(not self.agent.since(mark, "snapshot"), "the channel was joined anew")
        numbers = [one["seq"] for one in self.agent.events if one["payload"].get("boot") == before and one.get("seq")]
        need(numbers == sorted(set(numbers)), "facts came twice or out of order")
        return f"same process, dongle and channel; {without} adverts in 10 s before, {during} with the edit; no byte discarded"

    def bad_edit(self):
        mark, pid = self.agent.look(), show("MainPID")
        TOML.write_text(BAD)
        _, state = self.agent.wait(mark, "endpoint.state", state="config_rejected")
        need(is_active() and show("MainPID") == pid, "it ended")
        return state["reason"][:90]

    def bad_start(self):
        mark = self.agent.look()
        sh("systemctl restart nbe")
        _, state = self.agent.wait(mark, "endpoint.state", state="config_rejected")
        need(is_active(), "it is not running")
        self.agent.wait(mark, "adapter.state", state="scanning")
        return "runs by the last good copy"

    def unreadable(self):
        TOML.write_text(GOOD)
        TOML.chmod(0o600)
        log, mark = cursor(), self.agent.look()
        sh("systemctl restart nbe")
        self.agent.wait(mark, "endpoint.state", state="config_rejected")
        said = [line for line in journal(log).splitlines() if "nbe.toml" in line and "ermission" in line]
        TOML.chmod(0o644)
        need(said, "the log does not say why")
        until("taken over again", lambda: self.agent.since(mark, "endpoint.state", state="online"))
        return said[0][:90]

    def nothing_good(self):
        sh("systemctl stop nbe")
        for file in STATE.iterdir():
            file.unlink()
        TOML.write_text(BAD)
        sh("systemctl start nbe", may_fail=True)
        until("failed", lambda: show("ActiveState") == "failed")
        need(show("ExecMainStatus") == "78", f"it ended with {show('ExecMainStatus')}")
        restarts = show("NRestarts")
        time.sleep(5)
        need((show("ActiveState"), show("NRestarts")) == ("failed", restarts), "it was started again without reason")
        TOML.write_text(GOOD)
        took = until("started again", is_active)
        return f"exit 78, left alone; running {took:.1f} s after the file was mended"

    # ---- a bad place to be

    def with_drop_in(self, text):
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        DROP_IN.write_text("[Service]\n" + text)
        sh("systemctl daemon-reload")

    def without_drop_in(self):
        DROP_IN.unlink(missing_ok=True)
        sh("systemctl daemon-reload && systemctl restart nbe")

    def read_only_state(self):
        try:
            named = "StateDirectory=\nEnvironment=STATE_DIRECTORY=/var/lib/nbe\n"
            self.with_drop_in(f"{named}ReadOnlyPaths=/var/lib/nbe\n")
            log = cursor()
            sh("systemctl restart nbe")
            need(is_active(), "it is not running")
            (line,) = [line for line in journal(log).splitlines() if "kept in memory" in line] or [""]
            need("read-only" in line, f"the log says: {line}")
            return line[:90]
        finally:
            self.without_drop_in()

    def full_disk(self):
        # dd ends with an error: that is how it knows that the disk is full.
        sh("systemctl stop nbe; mount -t tmpfs -o size=8k,mode=0777 tmpfs /var/lib/nbe; dd if=/dev/zero of=/var/lib/nbe/full bs=4k 2>/dev/null || true")
        try:
            log = cursor()
            sh("systemctl start nbe")
            need(is_active(), "it is not running")
            TOML.write_text(toml(window=30))
            until("reloaded", lambda: "configuration reloaded" in journal(log))
            (line,) = [line for line in journal(log).splitlines() if "kept in memory" in line] or [""]
            need("no space left" in line, f"the log says: {line}")
            return line[:90]
        finally:
            sh("systemctl stop nbe; umount /var/lib/nbe; systemctl start nbe")

    def clock_of_1970(self):
        now = time.time()
        began = time.monotonic()
        mark = self.agent.look()
        sh("date -s @1000")
        try:
            sh("systemctl restart nbe")
            self.agent.wait(mark, "snapshot", clock="unsynced")
        finally:
            sh(f"date -s @{now + time.monotonic() - began:.0f}")
        mark = self.agent.look()
        until("synced", lambda: any(one["payload"].get("clock") == "ok" for one in self.agent.events[mark:][: self.agent.look()]), 120)
        need(is_active(), "it is not running")
        return "unsynced, then ok, in one run"

    def name_not_known_yet(self):
        hosts = pathlib.Path("/etc/hosts")
        before = hosts.read_text() if hosts.exists() else ""
        log, mark = cursor(), self.agent.look()
        TOML.write_text(toml(host="agent.test"))
        try:
            sh("systemctl restart nbe")
            until("the log says so", lambda: "agent.test" in journal(log))
            hosts.write_text(before + "127.0.0.1 agent.test\n")
            took, _ = self.agent.wait(mark, "snapshot", within=90)
            need(is_active(), "it is not running")
            return f"joined {took:.1f} s after the name was known"
        finally:
            TOML.write_text(GOOD)
            hosts.write_text(before)

    def idle(self):
        self.dongle.play(QUIET)
        until("scanning, nobody", lambda: "nobody" in show("StatusText"), 120)
        time.sleep(5)

        def switches():
            status = pathlib.Path(f"/proc/{show('MainPID')}/status").read_text()
            return sum(int(count) for count in re.findall(r"ctxt_switches:\s+(\d+)", status)), status

        before, _ = switches()
        time.sleep(30)
        after, status = switches()
        rss = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        memory = int(show("MemoryCurrent")) / 1024 / 1024
        need(after - before < 60, f"{after - before} context switches in 30 s")
        need(memory < 64, f"{memory:.1f} MiB")
        return f"{after - before} context switches in 30 s, VmRSS {rss:.1f} MiB, the unit's memory {memory:.1f} MiB"

    # ---- the second boot

    def booted(self):
        until("active", is_active)
        began, ready = (int(show(key)) / 1e6 for key in ("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic"))
        until("no dongle", lambda: show("StatusText").startswith("no dongle"))
        return f"ready {ready:.1f} s after the kernel began, {ready - began:.2f} s after its own start"

    def upgrade(self):
        before, pid = TOML.read_text(), show("MainPID")
        mark = self.agent.look()
        sh("dpkg -i /opt/rig/second.deb")
        need(is_active() and show("MainPID") != pid, "it was not restarted")
        need(TOML.read_text() == before, "nbe.toml was changed")
        self.agent.wait(mark, "adapter.state", state="scanning")
        return sh("dpkg-query -f '${Version}' -W nbe")

    def remove(self):
        sh("dpkg -r nbe")
        need(not is_active(), "it still runs")
        need(show("ActiveState", "nbe-config.path") != "active", "somebody still waits for the file")
        need(TOML.exists() and any(STATE.iterdir()), "configuration or state is gone")
        need(not os.path.exists("/usr/bin/nbe"), "the program is still there")
        return "stopped; /etc/nbe and /var/lib/nbe are left"

    def purge(self):
        sh("dpkg -P nbe")
        left = [path for path in ("/etc/nbe", "/var/lib/nbe", "/run/nbe", "/usr/share/nbe") if os.path.exists(path)]
        left += glob.glob("/etc/systemd/system/**/nbe*", recursive=True)
        need(not left, f"left behind: {left}")
        need(not sh("getent passwd nbe", may_fail=True), "the account is left")
        return "nothing is left"


def first_boot(rig):
    check("the package is installed, the service runs", rig.install)
    check("no dongle is a state, not a failure", rig.no_dongle_is_a_state)
    check("a plugged dongle is found by its USB ids", rig.plug)
    check("link, group, mode, power, ModemManager", rig.udev)
    check("a serial device of another make is ignored", rig.other_device)
    check("nbe.toml written while running", rig.first_configuration)
    check("taps and trends reach the agent", rig.taps_and_trends)
    check("unplugged and back", rig.replug)
    check("unplugged and back under another name", rig.replug_elsewhere)
    check("unplugged and back once more", rig.replug)
    check("a second service is told who holds the dongle", rig.second_service)
    check("a daemon by hand keeps its socket", rig.by_hand)
    check("killed: started again", rig.killed)
    check("hung: the watchdog bites", rig.stopped)
    check("a good edit", rig.edit)
    check("a bad edit", rig.bad_edit)
    check("a start with a bad file", rig.bad_start)
    check("a file that the service may not read", rig.unreadable)
    check("no good configuration at all", rig.nothing_good)
    check("the state directory is read-only", rig.read_only_state)
    check("the disk is full", rig.full_disk)
    check("the clock stands in 1970, then is set", rig.clock_of_1970)
    check("the agent's name is not known yet", rig.name_not_known_yet)
    check("idle", rig.idle)


def second_boot(rig):
    check("started at boot, without a dongle", rig.booted)
    check("a dongle plugged in after the boot", rig.plug)
    check("upgrade", rig.upgrade)
    check("removal", rig.remove)
    check("purge", rig.purge)


if __name__ == "__main__":
    counts = STAGE.read_text().split() if STAGE.exists() else None
    if counts is None:
        first_boot(Rig())
        STAGE.write_text(f"{passed} {failed}")
        sh("sync; systemctl reboot")
    else:
        passed, failed = map(int, counts)
        second_boot(Rig())
        print(f"END   {passed} passed, {failed} failed")
        sh("sync; systemctl poweroff")
