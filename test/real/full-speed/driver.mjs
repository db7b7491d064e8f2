/**
 * The application side: as many requests under way as asked for, the next one as soon as one is answered, however it was. What is refused
 * is not sent again: every number is sent once. A process of its own.
 *
 *   messages  { start: { protocol, port, spans, spanBytes, encoding, connections, inFlight } }  answers when all are connected
 *             'progress'          { sent, accepted, refused, connections }
 *             'stay'              connections that end are not replaced any more
 *             { stop: file }      sends no more, waits for every answer, writes the ledger
 *                                 { sent, outcomes: { ok: 12, '14 OTLP_QUEUE_FULL retry': 3 }, goaways, connections }
 */
import { GrpcConnection } from './grpc-connection.mjs';
import { HttpConnection } from './http-connection.mjs';
import { ACCEPTED, LEFT, Ledger, REFUSED } from './ledger.mjs';
import { numberedRequests } from './numbered-requests.mjs';

/** While nobody listens there. */
const RECONNECT_MS = 20;

const ledger = new Ledger();
const connections = new Set();
const outcomes = {};
let job;
let bodyOf;
let sent = 0;
let answers = 0;
let accepted = 0;
let goaways = 0;
let opened = 0;
let stopping;
/** True once a connection that ends is not replaced. */
let staying;

function open() {
  opened += 1;
  const Connection = job.protocol === 'grpc' ? GrpcConnection : HttpConnection;
  const one = new Connection(
    job.port,
    job.encoding,
    (number, outcome) => {
      answers += 1;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'ok') accepted += 1;
      ledger.set(number, outcome === 'ok' ? ACCEPTED : outcome === 'untaken' || outcome === 'unanswered' ? LEFT : REFUSED);
      fill(one);
    },
    () => {
      connections.delete(one);
      goaways += one.goaways > 0 ? 1 : 0;
      if (stopping === undefined && !staying) setTimeout(() => stopping ?? staying ?? open(), RECONNECT_MS);
      stopIfDone();
    },
  );
  connections.add(one);
  one.ready.then(() => fill(one));
  return one.ready;
}

/** Answers come many at a time: their successors are sent once all of them have been read. */
function fill(one) {
  if (one.filling === true) return;
  one.filling = true;
  setImmediate(() => {
    one.filling = false;
    const most = job.protocol === 'grpc' ? job.inFlight : 1;
    while (stopping === undefined && one.hasRoom && (one.open?.size ?? 0) < most) {
      const number = sent;
      sent += 1;
      one.send(number, bodyOf(number));
    }
    stopIfDone();
  });
}

function stopIfDone() {
  if (stopping === undefined || answers < sent) return;
  const { file } = stopping;
  if (file === undefined) return;
  stopping.file = undefined;
  for (const one of connections) goaways += one.goaways > 0 ? 1 : 0;
  for (const one of connections) one.end();
  ledger.write(file);
  process.send({ sent, outcomes, goaways, connections: opened });
}

process.send({});
process.on('message', (message) => {
  if (message === 'progress') {
    process.send({ sent, accepted, refused: answers - accepted, connections: connections.size });
  } else if (message === 'stay') {
    staying = true;
    process.send({});
  } else if (message.start !== undefined) {
    job = message.start;
    bodyOf = numberedRequests(job);
    Promise.all(Array.from({ length: job.connections }, open)).then(() => process.send({}));
  } else {
    stopping = { file: message.stop };
    stopIfDone();
  }
});
process.on('disconnect', () => process.exit(0));
