import { describe, expect, it } from 'vitest';
import { printProblem } from '../../../agent/config/problems.ts';
import { MINIMAL, problemsOf } from '../support/config.ts';

const printed = (text: string, sets: readonly string[] = []): string[] => problemsOf(text, { sets }).map(printProblem);

describe('an unknown name', () => {
  it('fails with file, line, path, value, the nearest name and all names', () => {
    const lines = printed(MINIMAL.replace('    endpoint: gateway', '    endpont: gateway'));
    expect(lines).toEqual([
      '--config yaml:7: exporters.otlp_grpc.endpoint: is missing; write host:port of the next hop [OTLP_CONFIG_MISSING]',
      expect.stringMatching(
        /^--config yaml:8: exporters\.otlp_grpc\.endpont: unknown key "endpont" \("gateway:4317"\); did you mean "endpoint"\? Allowed here: /u,
      ),
    ]);
    expect(lines[1]).toContain('Allowed here: authority, balancer');
    expect(lines[1]).toContain('[OTLP_CONFIG_UNKNOWN_KEY]');
  });

  it.each([
    [
      'receivers.otlp.protocols.grcp=',
      'receivers.otlp.protocols.grcp: unknown key "grcp" (null); did you mean "grpc"? Allowed here: grpc, http',
    ],
    ['recievers.otlp=', 'recievers: unknown key "recievers" ({"otlp":null}); did you mean "receivers"? Allowed here: agent,'],
    [
      'service.piplines=',
      'service.piplines: unknown key "piplines" (null); did you mean "pipelines"? Allowed here: extensions, pipelines, telemetry',
    ],
    [
      'service.pipelines.traces.recievers=[otlp]',
      'service.pipelines.traces.recievers: unknown key "recievers" (["otlp"]); did you mean "receivers"?',
    ],
    ['service.telemetry.metric.level=none', 'service.telemetry.metric: unknown key "metric" ({"level":"none"}); did you mean "metrics"?'],
    [
      'agent.drain_dedline=5s',
      'agent.drain_dedline: unknown key "drain_dedline" ("5s"); did you mean "drain_deadline"? Allowed here: drain_deadline, memory_limit_mib',
    ],
    [
      'exporters.otlp_grpc.sending_queue.batch.min_sise=1',
      'sending_queue.batch.min_sise: unknown key "min_sise" (1); did you mean "min_size"?',
    ],
    ['exporters.otlp_grpc.zzzzzzzzzz=1', 'unknown key "zzzzzzzzzz" (1). Allowed here:'],
  ])('fails on %s', (set, message) => {
    expect(printed(MINIMAL, [set])).toContainEqual(expect.stringContaining(message));
  });

  it.each([
    [
      'receivers.otpl=',
      'receivers.otpl: this agent has no receiver "otpl"; did you mean "otlp"? Allowed here: library, otlp [OTLP_CONFIG_UNKNOWN_COMPONENT]',
    ],
    [
      'processors.tail_sampling=',
      'processors.tail_sampling: this agent has no processor "tail_sampling". Allowed here: attributes, batch,',
    ],
    ['exporters.otlp-http/x=', 'exporters.otlp-http/x: "otlp-http" is no type: a letter, then letters, digits and _ [OTLP_CONFIG_ID]'],
    ['exporters.otlp_gprc/x=', 'this agent has no exporter "otlp_gprc"; did you mean "otlp_grpc"? Allowed here: debug, '],
    ['exporters.kafka={topic: spans}', 'exporters.kafka: this agent has no exporter "kafka" ({"topic":"spans"}). Allowed here: debug, '],
    ['extensions.healthcheck=', 'this agent has no extension "healthcheck"; did you mean "health_check"? Allowed here: health_check'],
    ['connectors.span_metrics=', 'connectors.span_metrics: this agent has no connector "span_metrics"'],
    ['exporters.otlp_grpc/=', '"otlp_grpc/" has nothing after its /'],
  ])('fails on the component %s', (set, message) => {
    expect(printed(MINIMAL, [set])).toContainEqual(expect.stringContaining(message));
  });

  it('fails on constructor and __proto__ as on any other', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(printed(MINIMAL, [`exporters.otlp_grpc.${name}=1`])).toEqual([expect.stringContaining(`unknown key "${name}" (1)`)]);
    }
  });
});

describe('a wrong value', () => {
  it.each([
    ['exporters.otlp_grpc.timeout=5 s', '("5 s") is no duration; write a number with a unit, as 200ms, 5s or 1h30m [OTLP_CONFIG_TYPE]'],
    ['exporters.otlp_grpc.timeout=true', '(true) wants a duration with a unit'],
    ['exporters.otlp_grpc.timeout=-1s', 'timeout: must not be negative'],
    ['exporters.otlp_grpc.sending_queue.queue_size="5"', '("5") wants an integer, without quotes'],
    ['exporters.otlp_grpc.sending_queue.queue_size=0', 'queue_size: (0) must be positive [OTLP_CONFIG_VALUE]'],
    ['receivers.otlp.protocols.http.http1_codec=nodejs', '("nodejs") must be one of own, node'],
    ['exporters.otlp_grpc.sending_queue.sizer=bites', '("bites") must be one of requests, items, bytes'],
    ['exporters.otlp_grpc.compression=gz', '("gz") must be one of gzip, zstd, deflate, none'],
    ['exporters.otlp_grpc.endpoint=4317', '(4317) wants text; put the value in quotes'],
    ['exporters.otlp_grpc.endpoint=gateway', '"gateway" has no port; write host:port'],
    ['exporters.otlp_grpc.endpoint=', 'exporters.otlp_grpc.endpoint: is missing; write host:port of the next hop'],
    ['exporters.otlp_grpc.endpoint=::1:4317', '"::1:4317" has too many colons; an IPv6 address is written [address]:port'],
    [
      'exporters.otlp_grpc={endpoint: "x:1", tls: {insecure: true}, compression: zstd, gzip_members: true}',
      'exporters.otlp_grpc.gzip_members: needs compression: gzip, which is zstd; write gzip, or remove gzip_members',
    ],
    ['exporters.otlp_http={endpoint: "http://x:1", gzip_members: true, compression: ""}', 'needs compression: gzip, which is none'],
    ['exporters.otlp_http={endpoint: "http://x:1", gzip_members: true, encoding: json}', 'needs encoding: proto, which is json'],
    ['exporters.loadbalancing.protocol.otlp.gzip_members=true', 'unknown key "gzip_members"'],
    ['exporters.otlp_grpc.headers=[1]', 'wants {name, value} in each place of the list'],
    ['exporters.otlp_grpc.retry_on_failure=text', '("text") wants a map of keys'],
    ['exporters.otlp_grpc.retry_on_failure.max_elapsed_time=1s', 'max_elapsed_time: must not be less than initial_interval'],
    ['exporters.otlp_grpc.retry_on_failure.randomization_factor=2', '(2) must be within 0 and 1'],
    ['exporters.otlp_grpc.sending_queue.batch={min_size: 10, max_size: 5}', 'max_size (5) must not be less than min_size (10)'],
    ['exporters.otlp_grpc.sending_queue={sizer: items, batch: {}}', 'min_size (8192) must not be above queue_size (1000)'],
    ['receivers.otlp.protocols=', 'receivers.otlp.protocols: needs at least one of grpc and http'],
    ['receivers.otlp.protocols.grpc.enabled="no"', '("no") wants true or false, without quotes'],
    ['receivers.otlp.protocols.grpc.endpoint=127.0.0.1:99999', '"99999" is no port; use a number from 0 to 65535'],
    ['receivers.otlp.protocols.grpc.transport=udp', 'nothing can listen on udp here; use tcp or unix'],
    ['receivers=[otlp]', 'receivers: wants a map of receivers by id'],
    ['service=text', 'service: wants a map of keys'],
    ['service.pipelines.spans={receivers: [otlp], exporters: [otlp_grpc]}', 'service.pipelines.spans: "spans" is no signal'],
    ['service.pipelines.traces.exporters=otlp_grpc', '("otlp_grpc") wants a list, as [otlp, otlp/2]'],
    ['service.telemetry.metrics.readers=[]', 'service.telemetry.metrics.readers: must not be empty where level is not none'],
    ['agent.memory_limit_mib=0', 'wants a positive integer'],
  ])('fails on %s', (set, message) => {
    const problems = printed(MINIMAL, [set]);
    expect(problems).toContainEqual(expect.stringContaining(message));
    expect(problems.every((line) => line.startsWith(`--set ${set.split('=', 1)[0]}: `) || line.startsWith('--config yaml:'))).toBe(true);
  });
});

describe('a reference', () => {
  it.each([
    [
      'service.pipelines.traces.receivers=[otpl]',
      'traces.receivers[0]: the receiver "otpl" is not configured; did you mean "otlp"? Allowed here: otlp',
    ],
    ['service.pipelines.traces.processors=[batch]', 'the processor "batch" is not configured. Allowed here: nothing'],
    [
      'service.pipelines.traces.exporters=[otlp_grpc, otlp_grpc/2]',
      'traces.exporters[1]: the exporter "otlp_grpc/2" is not configured; did you mean "otlp_grpc"?',
    ],
    ['service.extensions=[health_check]', 'service.extensions[0]: the extension "health_check" is not configured'],
    ['service.pipelines.traces.receivers=[]', 'traces.receivers: needs at least one receiver'],
    ['service.pipelines.traces.exporters=', 'traces.exporters: needs at least one exporter'],
    ['service.pipelines=', 'service.pipelines: there must be at least one pipeline'],
  ])('fails on %s', (set, message) => {
    expect(printed(MINIMAL, [set])).toContainEqual(expect.stringContaining(message));
  });

  it('fails on a processor named twice and on one that does not carry the signal', () => {
    const sets = ['processors.batch=', 'service.pipelines.traces.processors=[batch, batch]'];
    expect(printed(MINIMAL, sets)).toEqual([expect.stringContaining('processors: names "batch" twice')]);
    const profiles = ['processors.batch=', 'service.pipelines.profiles={receivers: [otlp], processors: [batch], exporters: [otlp_grpc]}'];
    expect(printed(MINIMAL, profiles)).toEqual([
      expect.stringContaining('batch does not carry profiles, only traces, metrics, logs [OTLP_CONFIG_PIPELINE]'),
    ]);
  });
});

describe('what is not there yet', () => {
  it.each([
    ['exporters.otlp_grpc.tls={insecure: true, ca_file: /ca.pem}', 'tls.ca_file: ("/ca.pem") TLS to the next hop is not supported yet'],
    [
      'exporters.otlp_grpc.tls.insecure_skip_verify=true',
      'TLS to the next hop is not supported yet; `insecure: true` is the only key of tls that is',
    ],
    ['exporters.otlp_grpc.tls.insecure=false', 'write tls.insecure: true to send in plain text'],
    ['exporters.otlp_grpc.endpoint=https://gateway:4317', '"https://gateway:4317" begins with https://, and TLS is not supported yet'],
    ['exporters.otlp_grpc.auth={authenticator: oauth2client}', 'auth: ([REDACTED]) authentication is not supported yet'],
    ['exporters.otlp_grpc.sending_queue.storage=file_storage', 'the disk queue is not supported yet'],
    ['exporters.otlp_grpc.compression=lz4', '"lz4" is not supported here, only gzip, zstd, none'],
    ['receivers.otlp.protocols.grpc.tls.cert_file=x', 'TLS on a listener is not supported yet'],
    ['receivers.otlp.protocols.grpc.auth.authenticator=oidc', 'authentication is not supported yet'],
    ['service.telemetry.metrics.readers=[{periodic: {}}]', 'only readers of kind pull with a prometheus exporter are supported'],
  ])('fails on %s and says so', (set, message) => {
    const problems = problemsOf(MINIMAL, { sets: [set] });
    expect(problems.map(printProblem)).toContainEqual(expect.stringContaining(message));
    expect(problems.map(({ code }) => code)).toContain('OTLP_CONFIG_UNSUPPORTED');
  });

  it.each([
    ['{key: a, action: frob}', '"frob" is none of insert, update, upsert, delete, hash, extract, convert'],
    ['{key: a, action: extract}', 'extract needs a pattern with named groups'],
    ['{key: a, action: extract, pattern: (a)}', 'has a group without a name'],
    ['{key: a, action: convert, converted_type: bool}', '"bool" is none of string, int, double'],
    ['{key: a, action: hash, pattern: (?=a)}', 'is no regular expression'],
    ['{key: a, action: insert, from_context: auth.subject}', 'what an authenticator says is not supported yet'],
    ['{key: a, action: insert, value: 1, from_attribute: b}', 'there may be one'],
  ])('fails on the resource action %s', (action, message) => {
    const sets = [`processors.resource.attributes=[${action}]`, 'service.pipelines.traces.processors=[resource]'];
    expect(printed(MINIMAL, sets)).toEqual([expect.stringContaining(message)]);
  });
});

describe('all problems', () => {
  it('are listed at once, in the order of the file', () => {
    const text = MINIMAL.replace('endpoint: 127.0.0.1:4317', 'endpoint: 127.0.0.1')
      .replace('insecure: true', 'insecure: maybe')
      .replace('[otlp]', '[other]');
    expect(problemsOf(text).map(({ path, origin }) => [path.join('.'), origin.line])).toEqual([
      ['exporters.otlp_grpc.tls.insecure', 10],
      ['service.pipelines.traces.receivers.0', 14],
    ]);
  });

  it('show no secrets', () => {
    const sets = [
      'exporters.otlp_grpc.headers=[{nme: a, value: hush}]',
      'exporters.otlp_grpc.tls.key_pem=hush',
      'exporters.otlp_grpc.password=hush',
      'exporters.otlp_grpc.other={api_key: hush}',
      'exporters.otlp_http={endpoint: "https://user:hush@gateway"}',
      'service.pipelines.traces.exporters=[otlp_http]',
    ];
    const text = printed(MINIMAL, sets).join('\n');
    expect(text).toContain('[REDACTED]');
    expect(text).not.toContain('hush');
  });
});
