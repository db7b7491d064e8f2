// Made by scripts/otlp-json-schema.mjs from agent/otlp/proto; do not edit.

/** The request of each signal. */
export const REQUESTS = {
  traces: 'ExportTraceServiceRequest',
  metrics: 'ExportMetricsServiceRequest',
  logs: 'ExportLogsServiceRequest',
  profiles: 'ExportProfilesServiceRequest',
} as const;

/** number, JSON name, type (* repeated, : enum, id16 and id8 hex), oneof. */
export const MESSAGES: Readonly<Record<string, string>> = {
  'ExportTraceServiceRequest':
    '1 resourceSpans *ResourceSpans',
  'ResourceSpans':
    '1 resource Resource|2 scopeSpans *ScopeSpans|3 schemaUrl string',
  'Resource':
    '1 attributes *KeyValue|2 droppedAttributesCount uint32|3 entityRefs *EntityRef',
  'KeyValue':
    '1 key string|2 value AnyValue|3 keyStrindex int32',
  'AnyValue':
    '1 stringValue string value|2 boolValue bool value|3 intValue int64 value|4 doubleValue double value|5 arrayValue ArrayValue value|6 kvlistValue KeyValueList value|7 bytesValue bytes value|8 stringValueStrindex int32 value',
  'ArrayValue':
    '1 values *AnyValue',
  'KeyValueList':
    '1 values *KeyValue',
  'EntityRef':
    '1 schemaUrl string|2 type string|3 idKeys *string|4 descriptionKeys *string',
  'ScopeSpans':
    '1 scope InstrumentationScope|2 spans *Span|3 schemaUrl string',
  'InstrumentationScope':
    '1 name string|2 version string|3 attributes *KeyValue|4 droppedAttributesCount uint32',
  'Span':
    '1 traceId id16|2 spanId id8|3 traceState string|4 parentSpanId id8|5 name string|6 kind :Span.SpanKind|7 startTimeUnixNano fixed64|8 endTimeUnixNano fixed64|9 attributes *KeyValue|10 droppedAttributesCount uint32|11 events *Span.Event|12 droppedEventsCount uint32|13 links *Span.Link|14 droppedLinksCount uint32|15 status Status|16 flags fixed32',
  'Span.Event':
    '1 timeUnixNano fixed64|2 name string|3 attributes *KeyValue|4 droppedAttributesCount uint32',
  'Span.Link':
    '1 traceId id16|2 spanId id8|3 traceState string|4 attributes *KeyValue|5 droppedAttributesCount uint32|6 flags fixed32',
  'Status':
    '2 message string|3 code :Status.StatusCode',
  'ExportMetricsServiceRequest':
    '1 resourceMetrics *ResourceMetrics',
  'ResourceMetrics':
    '1 resource Resource|2 scopeMetrics *ScopeMetrics|3 schemaUrl string',
  'ScopeMetrics':
    '1 scope InstrumentationScope|2 metrics *Metric|3 schemaUrl string',
  'Metric':
    '1 name string|2 description string|3 unit string|5 gauge Gauge data|7 sum Sum data|9 histogram Histogram data|10 exponentialHistogram ExponentialHistogram data|11 summary Summary data|12 metadata *KeyValue',
  'Gauge':
    '1 dataPoints *NumberDataPoint',
  'NumberDataPoint':
    '2 startTimeUnixNano fixed64|3 timeUnixNano fixed64|4 asDouble double value|5 exemplars *Exemplar|6 asInt sfixed64 value|7 attributes *KeyValue|8 flags uint32',
  'Exemplar':
    '2 timeUnixNano fixed64|3 asDouble double value|4 spanId id8|5 traceId id16|6 asInt sfixed64 value|7 filteredAttributes *KeyValue',
  'Sum':
    '1 dataPoints *NumberDataPoint|2 aggregationTemporality :AggregationTemporality|3 isMonotonic bool',
  'Histogram':
    '1 dataPoints *HistogramDataPoint|2 aggregationTemporality :AggregationTemporality',
  'HistogramDataPoint':
    '2 startTimeUnixNano fixed64|3 timeUnixNano fixed64|4 count fixed64|5 sum double|6 bucketCounts *fixed64|7 explicitBounds *double|8 exemplars *Exemplar|9 attributes *KeyValue|10 flags uint32|11 min double|12 max double',
  'ExponentialHistogram':
    '1 dataPoints *ExponentialHistogramDataPoint|2 aggregationTemporality :AggregationTemporality',
  'ExponentialHistogramDataPoint':
    '1 attributes *KeyValue|2 startTimeUnixNano fixed64|3 timeUnixNano fixed64|4 count fixed64|5 sum double|6 scale sint32|7 zeroCount fixed64|8 positive ExponentialHistogramDataPoint.Buckets|9 negative ExponentialHistogramDataPoint.Buckets|10 flags uint32|11 exemplars *Exemplar|12 min double|13 max double|14 zeroThreshold double',
  'ExponentialHistogramDataPoint.Buckets':
    '1 offset sint32|2 bucketCounts *uint64',
  'Summary':
    '1 dataPoints *SummaryDataPoint',
  'SummaryDataPoint':
    '2 startTimeUnixNano fixed64|3 timeUnixNano fixed64|4 count fixed64|5 sum double|6 quantileValues *SummaryDataPoint.ValueAtQuantile|7 attributes *KeyValue|8 flags uint32',
  'SummaryDataPoint.ValueAtQuantile':
    '1 quantile double|2 value double',
  'ExportLogsServiceRequest':
    '1 resourceLogs *ResourceLogs',
  'ResourceLogs':
    '1 resource Resource|2 scopeLogs *ScopeLogs|3 schemaUrl string',
  'ScopeLogs':
    '1 scope InstrumentationScope|2 logRecords *LogRecord|3 schemaUrl string',
  'LogRecord':
    '1 timeUnixNano fixed64|2 severityNumber :SeverityNumber|3 severityText string|5 body AnyValue|6 attributes *KeyValue|7 droppedAttributesCount uint32|8 flags fixed32|9 traceId id16|10 spanId id8|11 observedTimeUnixNano fixed64|12 eventName string',
  'ExportProfilesServiceRequest':
    '1 resourceProfiles *ResourceProfiles|2 dictionary ProfilesDictionary',
  'ResourceProfiles':
    '1 resource Resource|2 scopeProfiles *ScopeProfiles|3 schemaUrl string',
  'ScopeProfiles':
    '1 scope InstrumentationScope|2 profiles *Profile|3 schemaUrl string',
  'Profile':
    '1 sampleType ValueType|2 samples *Sample|3 timeUnixNano fixed64|4 durationNano uint64|5 periodType ValueType|6 period int64|7 profileId id16|8 droppedAttributesCount uint32|9 originalPayloadFormat string|10 originalPayload bytes|11 attributeIndices *int32',
  'ValueType':
    '1 typeStrindex int32|2 unitStrindex int32',
  'Sample':
    '1 stackIndex int32|2 attributeIndices *int32|3 linkIndex int32|4 values *int64|5 timestampsUnixNano *fixed64',
  'ProfilesDictionary':
    '1 mappingTable *Mapping|2 locationTable *Location|3 functionTable *Function|4 linkTable *Link|5 stringTable *string|6 attributeTable *KeyValueAndUnit|7 stackTable *Stack',
  'Mapping':
    '1 memoryStart uint64|2 memoryLimit uint64|3 fileOffset uint64|4 filenameStrindex int32|5 attributeIndices *int32',
  'Location':
    '1 mappingIndex int32|2 address uint64|3 lines *Line|4 attributeIndices *int32',
  'Line':
    '1 functionIndex int32|2 line int64|3 column int64',
  'Function':
    '1 nameStrindex int32|2 systemNameStrindex int32|3 filenameStrindex int32|4 startLine int64',
  'Link':
    '1 traceId id16|2 spanId id8',
  'KeyValueAndUnit':
    '1 keyStrindex int32|2 value AnyValue|3 unitStrindex int32',
  'Stack':
    '1 locationIndices *int32',
};

/** Names and numbers. */
export const ENUMS: Readonly<Record<string, string>> = {
  'Span.SpanKind':
    'SPAN_KIND_UNSPECIFIED 0|SPAN_KIND_INTERNAL 1|SPAN_KIND_SERVER 2|SPAN_KIND_CLIENT 3|SPAN_KIND_PRODUCER 4|SPAN_KIND_CONSUMER 5',
  'Status.StatusCode':
    'STATUS_CODE_UNSET 0|STATUS_CODE_OK 1|STATUS_CODE_ERROR 2',
  'AggregationTemporality':
    'AGGREGATION_TEMPORALITY_UNSPECIFIED 0|AGGREGATION_TEMPORALITY_DELTA 1|AGGREGATION_TEMPORALITY_CUMULATIVE 2',
  'SeverityNumber':
    'SEVERITY_NUMBER_UNSPECIFIED 0|SEVERITY_NUMBER_TRACE 1|SEVERITY_NUMBER_TRACE2 2|SEVERITY_NUMBER_TRACE3 3|SEVERITY_NUMBER_TRACE4 4|SEVERITY_NUMBER_DEBUG 5|SEVERITY_NUMBER_DEBUG2 6|SEVERITY_NUMBER_DEBUG3 7|SEVERITY_NUMBER_DEBUG4 8|SEVERITY_NUMBER_INFO 9|SEVERITY_NUMBER_INFO2 10|SEVERITY_NUMBER_INFO3 11|SEVERITY_NUMBER_INFO4 12|SEVERITY_NUMBER_WARN 13|SEVERITY_NUMBER_WARN2 14|SEVERITY_NUMBER_WARN3 15|SEVERITY_NUMBER_WARN4 16|SEVERITY_NUMBER_ERROR 17|SEVERITY_NUMBER_ERROR2 18|SEVERITY_NUMBER_ERROR3 19|SEVERITY_NUMBER_ERROR4 20|SEVERITY_NUMBER_FATAL 21|SEVERITY_NUMBER_FATAL2 22|SEVERITY_NUMBER_FATAL3 23|SEVERITY_NUMBER_FATAL4 24',
};
