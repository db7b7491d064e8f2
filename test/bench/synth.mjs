/**
 * How long the model takes: the import of the package, the whole reference stack constructed, synthesized and printed, stacks of more and
 * more objects, and how the cost grows with the number of instrumented services; each in a fresh process. Goals: import below 250 ms,
 * reference stack below 1.5 s, 1000 objects below 3 s, memory that grows as the objects do, fifty services at most sixty times one.
 *
 *   npm run bench -- synth [--rounds 7] [--out FILE]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { facts, ROOT } from './lib/machine.mjs';
import { writeResult } from './lib/result-file.mjs';
import { median } from './lib/statistics.mjs';

const GOAL = { importMs: 250, wholeStackMs: 1500, thousandObjectsMs: 3000, growth: 60, memorySlopes: 1.2 };
const FEW = 1;
const MANY = 50;
const OBJECTS = [100, 300, 1000, 3000];

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, subject: { type: 'string' }, out: { type: 'string' } },
});
if (values.subject !== undefined) {
  process.stdout.write(JSON.stringify(await subject(...values.subject.split(' '))));
} else {
  process.exitCode = report(Number(values.rounds));
}

/** In a process of its own. */
async function subject(what, number) {
  const began = performance.now();
  const stack = await import('otlp-stack');
  const importMs = performance.now() - began;
  if (what === 'import') return { milliseconds: importMs };
  const { App } = await import('cdk8s');
  const outdir = mkdtempSync(join(os.tmpdir(), 'otlp-stack-bench-'));
  try {
    if (what === 'whole') {
      const milliseconds = timed(() => {
        const app = new App({ outdir });
        new stack.OtlpStack(app, 'otlp');
        app.synth();
      });
      return {
        milliseconds,
        files: readdirSync(outdir).length,
        bytes: readdirSync(outdir).reduce((sum, name) => sum + readFileSync(join(outdir, name)).length, 0),
      };
    }
    if (what === 'objects') return await objects(stack, Number(number), outdir);
    const once = async (count) => {
      const make = await services(stack, count, outdir);
      return timed(() => App.of(make()).synth());
    };
    // Warm: the first runs pay for compiling the code, which would flatter the growth.
    for (let round = 0; round < 5; round += 1) await once(MANY);
    const rounds = [];
    for (let round = 0; round < Number(number); round += 1) rounds.push([await once(FEW), await once(MANY)]);
    return { few: rounds.map(([few]) => few), many: rounds.map(([, many]) => many) };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** A function that constructs so many instrumented services behind one gateway. */
async function services(stack, count, outdir) {
  const { App, Chart } = await import('cdk8s');
  return () => {
    const chart = new Chart(new App({ outdir }), 'services');
    const upstream = new stack.CollectorGateway(chart, 'Gateway', {
      namespace: 'observability',
      traces: [
        stack.Destination.otlpGrpc(
          'backend',
          new stack.ExternalEndpoint({
            name: 'backend',
            protocol: stack.Protocol.OTLP_GRPC,
            host: 'traces.example.com',
            port: 4317,
            cidr: '192.0.2.7/32',
          }),
        ),
      ],
    });
    for (let index = 0; index < count; index += 1) {
      const service = new stack.OtlpService(chart, `Service${index}`, { name: `service-${index}`, namespace: 'observability' });
      stack.instrument(service, { upstream: upstream.otlpGrpc });
    }
    return chart;
  };
}

/** At least so many objects: time, and what the heap holds while the model lives. */
async function objects(stack, wanted, outdir) {
  const { ApiObject, App } = await import('cdk8s');
  const count = (chart) => chart.node.findAll().filter((one) => ApiObject.isApiObject(one)).length;
  const one = count((await services(stack, 1, outdir))());
  const two = count((await services(stack, 2, outdir))());
  const make = await services(stack, Math.ceil((wanted - one) / (two - one)) + 1, outdir);
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  let chart;
  const milliseconds = timed(() => {
    chart = make();
    App.of(chart).synth();
  });
  globalThis.gc();
  const heapBytes = process.memoryUsage().heapUsed - before;
  return { objects: count(chart), milliseconds, heapBytes, peakRssMiB: process.resourceUsage().maxRSS / 1024 };
}

function timed(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function report(rounds) {
  const run = (what) =>
    JSON.parse(execFileSync(process.execPath, ['--expose-gc', import.meta.filename, '--subject', what], { cwd: ROOT, encoding: 'utf8' }));
  const FACTS = facts(['lib', 'apps']);
  const several = (what, times = rounds) => Array.from({ length: times }, () => run(what));
  const milliseconds = (runs) => round(median(runs.map((one) => one.milliseconds)));
  const imports = several('import');
  const whole = several('whole');
  const growth = run(`growth ${rounds}`);
  const sizes = OBJECTS.map((wanted) => {
    const runs = several(`objects ${wanted}`, Math.min(rounds, 3));
    const { objects: made } = runs[0];
    const heapBytes = median(runs.map((one) => one.heapBytes));
    return {
      objects: made,
      medianMilliseconds: milliseconds(runs),
      heapKiBPerObject: round(heapBytes / made / 1024),
      peakRssMiB: round(median(runs.map((one) => one.peakRssMiB))),
    };
  });
  const [few, many] = [median(growth.few), median(growth.many)];
  // Linear: a further object costs what those before it did. What the libraries hold once they have run is in none of the differences.
  const slopes = sizes.slice(1).map((size, index) => {
    const less = sizes[index];
    return round((size.objects * size.heapKiBPerObject - less.objects * less.heapKiBPerObject) / (size.objects - less.objects));
  });
  const result = {
    import: { medianMilliseconds: milliseconds(imports), worstMilliseconds: round(Math.max(...imports.map((one) => one.milliseconds))) },
    wholeStack: {
      medianMilliseconds: milliseconds(whole),
      worstMilliseconds: round(Math.max(...whole.map((one) => one.milliseconds))),
      files: whole[0].files,
      bytes: whole[0].bytes,
    },
    objects: sizes,
    heapKiBPerFurtherObject: slopes,
    growth: { services: [FEW, MANY], medianMilliseconds: [round(few), round(many)], factor: round(many / few) },
  };
  const reached = {
    importMs: result.import.medianMilliseconds < GOAL.importMs,
    wholeStackMs: result.wholeStack.medianMilliseconds < GOAL.wholeStackMs,
    thousandObjectsMs: sizes.find(({ objects: made }) => made >= 1000).medianMilliseconds < GOAL.thousandObjectsMs,
    memorySlopes: slopes.at(-1) <= GOAL.memorySlopes * slopes.at(-2),
    growth: result.growth.factor <= GOAL.growth,
  };
  writeResult(
    'synth',
    {
      what: 'the import of otlp-stack; the reference stack constructed, synthesized and printed in a fresh process with its modules loaded; stacks of so many objects likewise, with what the heap holds while the model lives; growth in a warm process',
      ...FACTS,
      rounds,
      goal: GOAL,
      reached,
      ...result,
    },
    values.out,
  );
  process.stdout.write(
    `import ${result.import.medianMilliseconds} ms, whole stack ${result.wholeStack.medianMilliseconds} ms, ${sizes.map((one) => `${one.objects} objects ${one.medianMilliseconds} ms and ${one.heapKiBPerObject} KiB each`).join(', ')}; ${MANY} services cost ${result.growth.factor} times ${FEW}\nmissed: ${
      Object.keys(reached)
        .filter((key) => !reached[key])
        .join(', ') || 'nothing'
    }\n`,
  );
  return Object.values(reached).every(Boolean) ? 0 : 1;
}

function round(value) {
  return Math.round(value * 100) / 100;
}
