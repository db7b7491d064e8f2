/**
 * Where `otlp-agent validate` and `otelcol validate` may judge differently, each with its reason. Reviewed by hand: an entry is for a
 * rule, never for one file, and the test fails when an entry is no longer needed.
 */
export interface Exception {
  /** Which side refuses. */
  readonly refusedBy: 'agent' | 'collector';
  /** In what the refusing side says. */
  readonly says: RegExp;
  readonly reason: string;
  /** A file of test/agent/corpus and what to set in it. */
  readonly example: { readonly file: string; readonly sets: readonly string[] };
}

export const EXCEPTIONS: readonly Exception[] = [
  {
    refusedBy: 'agent',
    says: /exporters\.[^:]*\.tls: .*TLS is not supported yet.*\[OTLP_CONFIG_UNSUPPORTED\]$/mu,
    reason:
      'Without tls.insecure the Collector sends over TLS. The agent has none yet, and sending in plain text instead would be worse than not starting.',
    example: { file: 'minimal-grpc.yaml', sets: ['exporters.otlp_grpc.tls='] },
  },
  {
    refusedBy: 'agent',
    says: /(?:receivers|extensions)\.[^:]*\.endpoint: .*(?:has no port|is no port|too many colons|bracket|needs its path).*\[OTLP_CONFIG_VALUE\]$/mu,
    reason: 'The Collector looks at an address only when it listens: validate passes, the start fails. The agent says so at once.',
    example: { file: 'minimal-grpc.yaml', sets: ['receivers.otlp.protocols.grpc.endpoint=nohost'] },
  },
  {
    refusedBy: 'agent',
    says: /exporters\.[^:]*\.(?:\w+_)?endpoint: .*is no (?:URL|host:port that can be dialled).*\[OTLP_CONFIG_VALUE\]$/mu,
    reason: 'A URL without http://, and port 0, fail at every request of the Collector, but not in its validate.',
    example: { file: 'minimal-grpc.yaml', sets: ['exporters.otlp_grpc.endpoint=gateway:0'] },
  },
  {
    refusedBy: 'agent',
    says: /exporters\.[^:]*\.headers(?:\.[^:]*)?: .*(?:is no name of a header|has a control character)/u,
    reason: 'A header that no request can carry fails at every request of the Collector, but not in its validate.',
    example: { file: 'headers-list.yaml', sets: ['exporters.otlp_http.headers=[{name: "", value: a}]'] },
  },
  {
    refusedBy: 'agent',
    says: /exporters\.[^:]*\.proxy_url: .*(?:is no URL|TLS is not supported yet|only http proxies are supported)/u,
    reason: 'The Collector looks at the proxy only when it starts, and has two kinds more: behind TLS, which comes later here, and SOCKS.',
    example: { file: 'http-client.yaml', sets: ['exporters.otlp_http.proxy_url=socks5://proxy:1080'] },
  },
  {
    refusedBy: 'agent',
    says: /service\.telemetry\.(?:logs|metrics|traces)\.level: \(\d+\) must be one of/u,
    reason: 'The Collector takes the internal number of a level for its name. Nobody means that.',
    example: { file: 'minimal-grpc.yaml', sets: ['service.telemetry.logs.level=1'] },
  },
  {
    refusedBy: 'agent',
    says: /service\.telemetry\.metrics\.readers: exactly one pull\.exporter\.prometheus is supported, there are 0/u,
    reason: 'A reader without an exporter: the Collector fails at start ("no valid metric exporter"), validate does not build readers.',
    example: { file: 'minimal-grpc.yaml', sets: ['service.telemetry.metrics.readers=[{pull: {exporter: {}}}]'] },
  },
  {
    refusedBy: 'agent',
    says: /prometheus\.port: \(-?\d+\) is no port/u,
    reason: 'The port of the metrics server is looked at only when the Collector listens.',
    example: { file: 'minimal-grpc.yaml', sets: ['service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {port: -1}}}}]'] },
  },
  {
    refusedBy: 'agent',
    says: /service\.telemetry\.logs\.encoding: \("[^"]*"\) must be one of json, console/u,
    reason: 'The Collector builds its log only at start, where zap refuses the name.',
    example: { file: 'minimal-grpc.yaml', sets: ['service.telemetry.logs.encoding=xml'] },
  },
  {
    refusedBy: 'agent',
    says: /wants an integer from 0 to 4294967295/u,
    reason: 'The Collector cuts a number above 32 bits without a word: 1000000000000 becomes 3567587328.',
    example: { file: 'minimal-grpc.yaml', sets: ['processors.batch.send_batch_max_size=1000000000000'] },
  },
  {
    refusedBy: 'agent',
    says: /connectors\.count\S*: unknown key /u,
    reason:
      'The count connector upstream ignores keys that it does not know, so a misspelled `conditions` counts everything. Here it is an error.',
    example: { file: 'count-connector.yaml', sets: ['connectors.count.surprise=1'] },
  },
  {
    refusedBy: 'agent',
    says: /processors\.transform\S*_statements.*the function \w+ is not supported by this agent/u,
    reason: 'Rarely used functions of OTTL are not built; a statement with one is an error that names it, never left out.',
    example: { file: 'transform-processor.yaml', sets: ['processors.transform.log_statements=[\'set(log.body, Format("a", []))\']'] },
  },
  {
    refusedBy: 'agent',
    says: /processors\.transform\S*\.profile_statements: .*profiles are not supported/u,
    reason: 'Profiles are in development upstream, and not one of the signals of this agent.',
    example: {
      file: 'transform-processor.yaml',
      sets: ["processors.transform.profile_statements=['set(profile.dropped_attributes_count, 1)']"],
    },
  },
  {
    refusedBy: 'agent',
    says: /processors\.filter\S*\.(?:profiles|profile_conditions): .*profiles are not supported/u,
    reason: 'Profiles are in development upstream, and not one of the signals of this agent.',
    example: {
      file: 'filter-processor.yaml',
      sets: ["processors.filter/inferred.profile_conditions=['profile.dropped_attributes_count > 0']"],
    },
  },
  {
    refusedBy: 'agent',
    says: /processors\.filter\S*: .*expressions of match_type expr are not supported/u,
    reason: 'The language of match_type expr is older than OTTL and another one; the message names what to write instead.',
    example: {
      file: 'filter-processor.yaml',
      sets: ['processors.filter/older.metrics={include: {match_type: expr, expressions: [\'MetricName == "up"\']}}'],
    },
  },
  {
    refusedBy: 'collector',
    says: /memory_limiter\S*: 'check_interval' must be greater than zero/u,
    reason: 'A missing check_interval is 1s here, which is what the README of the processor recommends; `validate --portable` lists it.',
    example: {
      file: 'minimal-grpc.yaml',
      sets: ['processors.memory_limiter.limit_mib=100', 'service.pipelines.traces.processors=[memory_limiter]'],
    },
  },
];

/** Keys whose default is not the Collector's. */
export const DIFFERENT_DEFAULTS: readonly { readonly key: RegExp; readonly reason: string }[] = [
  {
    key: /\.(?:read_header_timeout|idle_timeout)$/u,
    reason: 'The otlp receiver upstream has none "for backward compatibility"; 1m bounds a client that sends nothing.',
  },
  { key: /\.max_recv_msg_size_mib$/u, reason: 'Empty and 0 are 64 MiB here (OTLP 1.11) and 4 MiB upstream.' },
  { key: /telemetry\.logs\.encoding$/u, reason: 'json here: the log of a sidecar is read by machines.' },
  { key: /telemetry\.resource/u, reason: 'Upstream prints its own attributes too.' },
];

/** Files of the corpus that are not given to the Collector, as it was built without a component that they name. */
export const NOT_FOR_THE_COLLECTOR: Readonly<Record<string, string>> = {
  'registration.yaml': 'The Collector registers itself nowhere; the extension is of this agent alone.',
  'resolvers.yaml': 'Resolvers and keys of this agent alone, and the loadbalancing exporter, which this Collector lacks.',
  'resource-detection.yaml':
    'otelcol 0.155 of the real lane has no resource_detection; otelcol-0.160 judges it in processors/resource-detection.test.ts.',
  'loadbalancing.yaml': 'The Go module proxy lacks the loadbalancing exporter of 0.155; its rules are read in the source of 0.157.',
  'balancers.yaml': 'Keys and balancers of this agent alone, and the loadbalancing exporter.',
};
