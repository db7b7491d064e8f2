import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import { LegendDisplayMode, LegendPlacement, StackingMode, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Unit } from '../metric';
import { type Query, QueryDialect } from '../query';

/** One line, or one group of lines, in a panel. */
export interface PanelQuery {
  readonly query: Query;
  /** Labels that name a line, as in `['pod', 'exporter']`. @default - the name alone */
  readonly by?: string[];
  /** What stands before the labels. @default - nothing */
  readonly name?: string;
}

export interface PanelProps {
  readonly title: string;
  /** What a reader should know. @default - none */
  readonly description?: string;
  readonly unit: Unit;
  readonly queries: PanelQuery[];
  /** Areas on top of each other. @default false */
  readonly stacked?: boolean;
  /** The top of the axis. @default - that of the data */
  readonly max?: number;
}

/** How wide Grafana's grid is, and how much of it a panel takes. */
const WIDTH = 12;
const HEIGHT = 8;

/** A diagram over time. */
export class Panel {
  public readonly title: string;
  private readonly props: PanelProps;

  constructor(props: PanelProps) {
    this.title = props.title;
    this.props = props;
    for (const { query, by } of props.queries) {
      const missing = by?.find((label) => !query.labels.includes(label));
      if (missing !== undefined) {
        throw new Error(
          `panel '${props.title}': the legend names label '${missing}', ${query.print()} has only ${query.labels.map((label) => `'${label}'`).join(', ') || 'no labels'}`,
        );
      }
    }
  }

  public get queries(): Query[] {
    return this.props.queries.map(({ query }) => query);
  }

  /** @internal */
  public _build(id: number, datasource: common.DataSourceRef): Builder<GrafanaPanel> {
    const { description, unit, queries, stacked, max } = this.props;
    const panel = new TimeseriesBuilder()
      .id(id)
      .title(this.title)
      .datasource(datasource)
      .unit(unit.grafana)
      .min(0)
      .span(WIDTH)
      .height(HEIGHT)
      .fillOpacity(stacked ? 30 : 10)
      .legend(
        new VizLegendOptionsBuilder()
          .displayMode(LegendDisplayMode.Table)
          .placement(LegendPlacement.Bottom)
          .showLegend(true)
          .calcs(['lastNotNull', 'max']),
      );
    if (description !== undefined) {
      panel.description(description);
    }
    if (max !== undefined) {
      panel.max(max);
    }
    if (stacked) {
      panel.stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal));
    }
    for (const [at, { query, by, name }] of queries.entries()) {
      const labels = (by ?? []).map((label) => `{{${label}}}`).join('/');
      panel.withTarget(
        new DataqueryBuilder()
          .refId(String.fromCharCode(65 + at))
          .datasource(datasource)
          .expr(query.print(QueryDialect.GRAFANA))
          .range()
          .legendFormat([name, labels].filter(Boolean).join(' ')),
      );
    }
    return panel;
  }
}
