// The official Phoenix client as a daemon and as a watcher. Usage: node client.mjs ws://127.0.0.1:9120/socket
// Prints one line per step that held; ends with status 1 and a reason at the first that did not.

import assert from "node:assert/strict";
import { Socket } from "phoenix";
import WebSocket from "ws";

const url = process.argv[2];
const id = "4f6f1c1e-javascript";
const topic = `endpoint:${id}`;

const open = () => {
  const socket = new Socket(url, { transport: WebSocket });
  socket.connect();
  return socket;
};

/** Settles with the reply to a join or a push. */
const reply = (push) =>
  new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", (response) => reject(new Error(`refused: ${JSON.stringify(response)}`)))
      .receive("timeout", () => reject(new Error("no reply")));
  });

/** Settles with the payload of the next such event. */
const next = (channel, event) =>
  new Promise((resolve) => {
    const ref = channel.on(event, (payload) => {
      channel.off(event, ref);
      resolve(payload);
    });
  });

const step = (name) => console.log(`ok: ${name}`);
const watchdog = setTimeout(() => {
  console.error("nothing happened for 20 s");
  process.exit(1);
}, 20_000);

const params = { proto: { min: 1, max: 1 }, agent: "peer/1", boot: "b1", next_seq: 1, oldest_seq: 1, roster_rev: null };
const fact = (seq, more) => ({ v: 1, boot: "b1", seq, t: seq * 1000, sent: seq * 1000 + 500, re: 0, ...more });

const socket = open();
const daemon = socket.channel(topic, params);
const roster = next(daemon, "roster.set");
const joined = await reply(daemon.join());
assert.equal(joined.proto, 1);
assert.equal(joined.resume, null);
assert.deepEqual(joined.limits, { inflight: 32, rssi_hz: 2, frame: 32768 });
step("joined");

const { rev, mode, bands, req } = await roster;
assert.deepEqual({ rev, mode, bands: bands.length }, { rev: 7, mode: "listed", bands: 1 });
assert.ok(req);
step("was pushed the roster");

assert.deepEqual(await reply(daemon.push("snapshot", fact(1, { as_of: 0, part: 1, parts: 1 }))), { ack: 1 });
assert.deepEqual(await reply(daemon.push("band.tap", fact(2, { ttl_ms: 3000 }))), { ack: 2 });
step("pushed, and got the acks");

const asked = next(daemon, "snapshot.get");
assert.deepEqual(await reply(daemon.push("band.trend", fact(4, { after: "near" }))), { ack: 2 });
assert.ok((await asked).req);
step("left a hole, and was asked for a snapshot");

const watchSocket = open();
const watcher = watchSocket.channel("events");
assert.deepEqual((await reply(watcher.join())).endpoints, [id]);
const seen = next(watcher, "band.trend");
await reply(daemon.push("band.trend", fact(3, { after: "away" })));
assert.deepEqual((({ endpoint, seq }) => ({ endpoint, seq }))(await seen), { endpoint: id, seq: 3 });
const command = next(daemon, "telemetry.set");
await reply(watcher.push("telemetry.set", { endpoint: id, req: "r1", rssi_hz: 1 }));
assert.deepEqual(await command, { req: "r1", rssi_hz: 1 });
step("watched an event, and gave a command");

// From here on every join is a rejoin by the client itself; its hooks are called at each.
let onRejoin;
daemon.joinPush.receive("ok", (response) => onRejoin?.(response));
const rejoined = () => new Promise((resolve) => (onRejoin = resolve));

const resumed = rejoined();
socket.conn.terminate();
assert.deepEqual((await resumed).resume, { boot: "b1", ack: 4 });
step("lost the connection, came back, and resumed");

const crashed = new Promise((resolve) => socket.onClose(resolve));
const back = rejoined();
socket.conn.send("no frame");
assert.equal((await crashed).code, 1011);
await back;
step("sent nonsense, was closed with 1011, and rejoined");

const secondSocket = open();
const superseded = next(daemon, "superseded");
const closed = new Promise((resolve) => daemon.onClose(resolve));
const second = secondSocket.channel(topic, params);
await reply(second.join());
await superseded;
await closed;
step("was superseded by a second socket with the same id");

await reply(second.leave());
step("left");

clearTimeout(watchdog);
[socket, watchSocket, secondSocket].forEach((each) => each.disconnect());
