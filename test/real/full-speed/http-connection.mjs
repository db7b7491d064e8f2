/** One keep-alive HTTP/1.1 connection of the driver, by hand for its speed: one request at a time, answers with a Content-Length. */
import { connect } from 'node:net';

const TYPE = 'application/x-protobuf';

export class HttpConnection {
  /** As GrpcConnection's. */
  constructor(port, encoding, answered, ended) {
    this.answered = answered;
    this.ended = ended;
    this.head = `POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: ${TYPE}\r\n${
      encoding === 'identity' ? '' : `content-encoding: ${encoding}\r\n`
    }content-length: `;
    this.number = undefined;
    this.text = '';
    this.goaways = 0;
    this.over = false;
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.ready = new Promise((resolve) => {
      this.socket.on('connect', resolve);
      this.socket.on('close', resolve);
    });
    this.socket.on('data', (bytes) => this.#read(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.#over());
  }

  get leaving() {
    return this.goaways > 0 || this.over;
  }

  get hasRoom() {
    return !this.leaving && this.number === undefined;
  }

  send(number, body) {
    this.number = number;
    this.socket.cork();
    this.socket.write(`${this.head}${body.length}\r\n\r\n`, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
  }

  end() {
    this.socket.end();
  }

  #read(bytes) {
    this.text += bytes.latin1Slice();
    const end = this.text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.text.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/iu.exec(head)?.[1] ?? 0);
    if (this.text.length < end + 4 + length) return;
    const outcome = outcomeOf(head, this.text.slice(end + 4, end + 4 + length));
    this.text = '';
    const { number } = this;
    this.number = undefined;
    if (/\r\nconnection: *close/iu.test(head)) {
      this.goaways += 1;
      this.socket.end();
    }
    this.answered(number, outcome);
  }

  #over() {
    this.over = true;
    const { number } = this;
    this.number = undefined;
    if (number !== undefined) this.answered(number, 'unanswered');
    this.ended();
  }
}

function outcomeOf(head, body) {
  const status = head.slice(9, 12);
  if (status === '200') return body === '' ? 'ok' : `200 ${body}`;
  const code = /\((OTLP_\w+)\)/u.exec(body)?.[1];
  return [status, code, /\r\nretry-after: *\d/iu.test(head) ? 'retry' : undefined].filter((each) => each !== undefined).join(' ');
}
