/**
 * Of each component, by section and type, what the reference says beside its keys: what it does with the bytes, what it may drop (where
 * its definition does not say so itself, by `dataPath`, for `otlp-agent explain`), and which counters tell. test/contract/component-notes.test.ts wants one for every component that the agent has.
 */
const PROCESSED = '`otelcol_processor_incoming_items` and `otelcol_processor_outgoing_items`';
const DROPS_TOLD_BY = `${PROCESSED}; their difference is what was dropped`;
const EXPORTED =
  '`otelcol_exporter_sent_*`, `otelcol_exporter_send_failed_*`, `otelcol_exporter_enqueue_failed_*`, `otelcol_exporter_evicted_*`';
const CONNECTED = '`otlp_agent_connector_consumed_items`, `otlp_agent_connector_produced_items`, `otlp_agent_connector_lost_items`';

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
    counters:
      'Those of the exporters whose `sending_queue.batch` it becomes: of its pipeline, and of those behind a `forward` connector that have no batch of their own.',
  },
  'processors/attributes': {
    counters: `${PROCESSED}.`,
  },
  'processors/filter': {
    counters: `${DROPS_TOLD_BY}; \`otelcol_processor_filter_*_filtered\`, \`otlp_agent_processor_failures\`.`,
  },
  'processors/probabilistic_sampler': {
    counters: `${DROPS_TOLD_BY}; \`otelcol_processor_probabilistic_sampler_count_*_sampled\`.`,
  },
  'processors/redaction': {
    counters: `${PROCESSED}.`,
  },
  'processors/resource': {
    counters: `${PROCESSED}.`,
  },
  'processors/resource_detection': {
    counters: `${PROCESSED}.`,
  },
  'processors/transform': {
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
    counters: `${CONNECTED}.`,
  },
  'connectors/count': {
    counters: `${CONNECTED}; \`otelcol_exporter_enqueue_failed_metric_points\` of the exporter where the counts have no room.`,
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
export function noteOf(section, { type, dataPath }) {
  const note = NOTES[`${section}/${type}`];
  if (note === undefined) return [];
  const { bytes, drops } =
    dataPath === undefined ? note : { bytes: sentence(dataPath.bytes), drops: sentence(dataPath.drops ?? 'nothing') };
  return [[`* **Bytes**: ${bytes}`, `* **May drop**: ${drops}`, `* **Counters**: ${note.counters}`].join('\n')];
}

/** `drops spans, as asked` as the reference writes it. */
function sentence(text) {
  const without = text.replace(/^drops /u, '');
  return `${without.charAt(0).toUpperCase()}${without.slice(1)}.`;
}
