import { load } from '../config/load.ts';
import { describePipelines, type PipelineDescription, type StageDescription } from './describe.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';

export interface ExplainArguments extends ConfigArguments {
  readonly json?: boolean;
}

/**
 * Draws the compiled line of a configuration, stage by stage, with its limits and with what may end where. Binds nothing.
 *
 * @throws ConfigError
 */
export function explain(args: ExplainArguments, io: Io): ExitCode {
  const { settings } = load({ configs: args.config, sets: args.set, environment: io.environment });
  const pipelines = describePipelines(settings);
  io.out(args.json === true ? `${JSON.stringify(pipelines, null, 2)}\n` : `${pipelines.map(draw).join('\n')}\n${LEGEND}`);
  return EXIT.OK;
}

const LEGEND = `
| goes on      ! can end here: a sender is told, or the loss is counted and logged
`;

/**
 *   traces
 *   |
 *   +- receive  otlp/grpc      OTLP/gRPC at localhost:4317
 *   |                          ! refuses larger ones: ...
 *   v
 *   +- queue    otlp_grpc      in memory, 1000 requests
 */
function draw({ id, stages }: PipelineDescription): string {
  const width = Math.max(...stages.map((stage) => stage.id.length));
  const lines = [id];
  let before: StageDescription['stage'] | undefined;
  for (const stage of stages) {
    lines.push(stage.stage === before ? '|' : before === undefined ? '|' : 'v');
    const texts = [...stage.does, ...stage.ends.map((text) => `! ${text}`)];
    const [first = '', ...rest] = texts;
    lines.push(`+- ${stage.stage.padEnd(8)} ${stage.id.padEnd(width)}  ${first}`);
    for (const text of rest) lines.push(`|  ${' '.repeat(8)} ${' '.repeat(width)}  ${text}`);
    before = stage.stage;
  }
  return `${lines.join('\n')}\n`;
}
