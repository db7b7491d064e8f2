/**
 * Of each component, by section and type, what the reference says beside its keys: what it does with the bytes, what it may drop, and
 * which counters tell. test/contract/component-notes.test.ts wants one for every component that the agent has.
 */
const PROCESSED = '`otelcol_processor_incoming_items` and `otelcol_processor_outgoing_items`';
const DROPS_TOLD_BY = `${PROCESSED}; their difference is what was dropped`;
const EXPORTED =
  '`otelcol_exporter_sent_*`, `otelcol_exporter_send_failed_*`, `otelcol_exporter_enqueue_failed_*`, `otelcol_exporter_evicted_*`';
const CONNECTED = '`otlp_agent_connector_consumed_items` and `otlp_agent_connector_produced_items`';

export const NOTES = {
  'receivers/otlp': {
    bytes: 'Protobuf is scanned (three levels of lengths) and not decoded; JSON becomes protobuf in one pass.',
    drops: 'Nothing: what it does not take, the sender is told.',
    counters: '`otelcol_receiver_accepted_*`, `otelcol_receiver_refused_*`, `otelcol_receiver_failed_*`, `otlp_agent_receiver_requests`.',
  },
  'receivers/library': {
    bytes: 'Scanned as those of `otlp`.',
    drops: 'Nothing: the caller gets a verdict.',
    counters: 'Those of `otlp`, with the transport `library`.',
  },
  'processors/memory_limiter': {
    bytes: 'Not looked at: it acts before a body is read, on what is held.',
    drops: 'Nothing: what it refuses, the sender may send again.',
    counters:
      '`otelcol_processor_memory_limiter_accepted_*`, `otelcol_processor_memory_limiter_refused_*`, `otlp_agent_memory_limiter_refused_requests`.',
  },
  'processors/batch': {
    bytes:
      'Requests merge by concatenation. Only one above `send_batch_max_size` is taken apart, down to single items, its envelopes repeated.',
    drops: 'Nothing.',
    counters: 'Those of the exporters whose `sending_queue.batch` it becomes.',
  },
  'processors/attributes': {
    bytes:
      'Edits in place: of an item only the attributes that an action or a condition names are read, and what was not changed keeps its bytes.',
    drops: 'Nothing.',
    counters: `${PROCESSED}.`,
  },
  'processors/filter': {
    bytes: 'Reads what its conditions name; what stays keeps its bytes.',
    drops: 'Items that meet a condition, as asked; scopes and resources that are empty then.',
    counters: `${DROPS_TOLD_BY}; \`otelcol_processor_filter_*_filtered\`, \`otlp_agent_processor_failures\`.`,
  },
  'processors/probabilistic_sampler': {
    bytes:
      'Edits in place: reads trace id, tracestate (spans) or attributes (log records); what is kept is copied once, with its threshold written into tracestate or into `sampling.threshold` and `sampling.randomness`.',
    drops: 'Items by their randomness, as asked; with `fail_closed` those whose tracestate is broken or that have no randomness.',
    counters: `${DROPS_TOLD_BY}; \`otelcol_processor_probabilistic_sampler_count_*_sampled\`.`,
  },
  'processors/redaction': {
    bytes:
      'Decodes every text among the attributes, and log bodies; with `redact_all_types` every attribute. What was not changed keeps its bytes.',
    drops: 'Attributes, as asked; never an item.',
    counters: `${PROCESSED}.`,
  },
  'processors/resource': {
    bytes: 'Edits in place: the attributes of resources are written anew, spans and records are not looked at and not copied.',
    drops: 'Nothing.',
    counters: `${PROCESSED}.`,
  },
  'processors/resource_detection': {
    bytes: 'Edits in place, as `resource`; what is detected is found at start and encoded once.',
    drops: 'Nothing.',
    counters: `${PROCESSED}.`,
  },
  'processors/transform': {
    bytes: 'Reads and writes what its statements name, by views over the bytes; what was not changed keeps its bytes.',
    drops: 'Nothing; with `error_mode: propagate` a request in which a statement fails is refused.',
    counters: `${PROCESSED}; \`otlp_agent_processor_failures\`.`,
  },
  'exporters/otlp_grpc': {
    bytes: 'Slices go out as they came, merged by concatenation; compression is done once for each request.',
    drops: 'What the next hop refuses for good, what its retries run out for, what a full queue drops as asked; each is counted.',
    counters: `${EXPORTED}, \`otlp_agent_exporter_retries\`.`,
  },
  'exporters/otlp_http': {
    bytes: 'As `otlp_grpc`; with `encoding: json` every request is decoded into JSON.',
    drops: 'As `otlp_grpc`.',
    counters: `${EXPORTED}, \`otlp_agent_exporter_retries\`.`,
  },
  'exporters/loadbalancing': {
    bytes: 'Requests are taken apart on the wire by their routing key; only the key is read.',
    drops: 'As `otlp_grpc`, by upstream.',
    counters: `${EXPORTED}, each with the upstream as \`server_address\` and \`server_port\`; \`otelcol_loadbalancer_*\`.`,
  },
  'exporters/file': {
    bytes:
      '`format: proto` writes the bytes as they came; `format: json` decodes. One write for each record, awaited before the sender hears of it.',
    drops: 'Nothing: a full disk is told to the sender, and no part of a record stays in the file. Rotation cuts no record and loses none.',
    counters: `${EXPORTED}.`,
  },
  'exporters/debug': {
    bytes: 'Counts and sizes only; contents are not decoded.',
    drops: 'Everything, after saying so.',
    counters: `${EXPORTED}.`,
  },
  'exporters/nop': {
    bytes: 'Not looked at.',
    drops: 'Everything, as asked; counted as sent.',
    counters: `${EXPORTED}.`,
  },
  'connectors/forward': {
    bytes: 'Shared, not copied.',
    drops: 'Nothing: the sender waits for the pipelines behind it as for those beside it.',
    counters: `${CONNECTED}.`,
  },
  'connectors/count': {
    bytes:
      'Without conditions and attributes only the times of spans, events and log records are read; else what those name. The counts are new requests of metrics that no sender waits for.',
    drops: 'Nothing of what it counts. An item whose condition cannot be decided is not counted, and the log says so once a minute.',
    counters: `${CONNECTED}.`,
  },
  'extensions/health_check': {
    bytes: 'None.',
    drops: 'Nothing.',
    counters: 'None.',
  },
  'extensions/registration': {
    bytes: 'None.',
    drops: 'Nothing.',
    counters: '`otlp_agent_registration_up`, `otlp_agent_registrations`, `otlp_agent_registration_failures`.',
  },
};

/** The note of a component as a list, or nothing where there is none. */
export function noteOf(section, type) {
  const note = NOTES[`${section}/${type}`];
  if (note === undefined) return [];
  return [[`* **Bytes**: ${note.bytes}`, `* **May drop**: ${note.drops}`, `* **Counters**: ${note.counters}`].join('\n')];
}
