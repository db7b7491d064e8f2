import { Endpoint, type IEndpoint, PodEndpoint } from '../model/endpoint';
import type { IPeer } from '../model/peer';
import type { Edge, Topology } from '../model/topology';

interface Box {
  readonly key: string;
  readonly label: string;
  /** Empty outside of the cluster. */
  readonly namespace: string;
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

/** The topology as a picture: one box per component, grouped by namespace, one arrow per pair with everything that flows along it. */
export class Drawing {
  public static of(topology: Topology): Drawing {
    const boxes = new Map<string, Box>();
    const arrows = new Map<string, { from: string; to: string; labels: string[] }>();
    for (const component of topology.components) {
      add(boxes, peerBox(component));
    }
    for (const edge of topology.edges) {
      const from = add(boxes, peerBox(edge.from));
      const to = add(boxes, endpointBox(edge.to));
      const key = `${from.key}>${to.key}`;
      const arrow = arrows.get(key) ?? { from: from.key, to: to.key, labels: [] };
      const label = edgeLabel(edge);
      if (!arrow.labels.includes(label)) {
        arrow.labels.push(label);
      }
      arrows.set(key, arrow);
    }
    return new Drawing(
      [...boxes.values()],
      [...arrows.values()].map(({ from, to, labels }) => ({ from, to, label: labels.join('\n') })),
    );
  }

  private constructor(
    private readonly boxes: Box[],
    private readonly arrows: Arrow[],
  ) {}

  /** A Mermaid flowchart, as Markdown pages show it. */
  public toMermaid(): string {
    const lines = ['flowchart LR'];
    for (const [namespace, boxes] of this.groups()) {
      const indent = namespace === '' ? '  ' : '    ';
      if (namespace !== '') {
        lines.push(`  subgraph ${identifier(namespace)}["${namespace}"]`);
      }
      lines.push(...boxes.map((box) => `${indent}${identifier(box.key)}["${box.label}"]`));
      if (namespace !== '') {
        lines.push('  end');
      }
    }
    lines.push(
      ...this.arrows.map(({ from, to, label }) => `  ${identifier(from)} -->|"${label.replaceAll('\n', '<br/>')}"| ${identifier(to)}`),
    );
    return `${lines.join('\n')}\n`;
  }

  /** A Graphviz graph; `otlp-stack graph` turns it into SVG. */
  public toDot(): string {
    const lines = [
      'digraph stack {',
      '  rankdir=LR; nodesep=0.35; ranksep=1.1; fontname="Helvetica"; bgcolor="white";',
      '  node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", fontname="Helvetica", fontsize=12];',
      '  edge [color="#666666", fontname="Helvetica", fontsize=9];',
    ];
    for (const [namespace, boxes] of this.groups()) {
      if (namespace !== '') {
        lines.push(`  subgraph "cluster_${namespace}" {`, `    label="${namespace}"; style="rounded"; color="#b0b8c4";`);
      }
      lines.push(...boxes.map((box) => `    "${box.key}" [label="${box.label}"];`));
      if (namespace !== '') {
        lines.push('  }');
      }
    }
    lines.push(...this.arrows.map(({ from, to, label }) => `  "${from}" -> "${to}" [label="${label.replaceAll('\n', '\\n')}"];`), '}');
    return `${lines.join('\n')}\n`;
  }

  private groups(): [string, Box[]][] {
    const groups = new Map<string, Box[]>();
    for (const box of this.boxes) {
      groups.set(box.namespace, [...(groups.get(box.namespace) ?? []), box]);
    }
    return [...groups];
  }
}

function peerBox(peer: IPeer): Box {
  return { key: `${peer.namespace}/${peer.peerName}`, label: peer.peerName, namespace: peer.namespace };
}

function endpointBox(endpoint: IEndpoint): Box {
  if (endpoint instanceof PodEndpoint) {
    return peerBox(endpoint.peer);
  }
  return endpoint instanceof Endpoint
    ? peerBox(endpoint.component)
    : { key: `/${endpoint.address}`, label: `${endpoint.name} ${endpoint.address}`, namespace: '' };
}

function edgeLabel({ to, purpose }: Edge): string {
  return to instanceof Endpoint || to instanceof PodEndpoint ? `${purpose} :${to.port}` : purpose;
}

function add(boxes: Map<string, Box>, box: Box): Box {
  const present = boxes.get(box.key);
  if (!present) {
    boxes.set(box.key, box);
  }
  return present ?? box;
}

/** Mermaid identifiers are letters, digits and `_`. */
function identifier(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9]/g, '_');
}
