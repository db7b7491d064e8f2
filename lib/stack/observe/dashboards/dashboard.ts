import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { IConfig } from '../../model/config-content';
import { type Query, QueryDialect } from '../query';
import type { QueryUse } from '../query-use';
import type { Panel } from './panel';

/** A choice that the reader of a dashboard makes; queries use it by `Match.variable(label)`. */
export interface DashboardVariable {
  /** Names the variable, and the label whose values are offered. */
  readonly label: string;
  readonly title: string;
  /** The series whose label values are offered. */
  readonly from: Query;
}

export interface DashboardRow {
  readonly title: string;
  readonly panels: Panel[];
}

export interface DashboardProps {
  /** Never changes: links and bookmarks hold it. At most 40 characters. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: DashboardRow[];
  /** @default [] */
  readonly variables?: DashboardVariable[];
}

/** The variable that holds the Prometheus data source: one dashboard serves every environment. */
const DATASOURCE = 'datasource';

/** A Grafana dashboard; prints the same bytes every time. */
export class Dashboard implements IConfig {
  public readonly uid: string;
  public readonly title: string;
  private readonly props: DashboardProps;

  constructor(props: DashboardProps) {
    this.uid = props.uid;
    this.title = props.title;
    this.props = props;
    if (!/^[a-zA-Z0-9_-]{1,40}$/.test(props.uid)) {
      throw new Error(`dashboard '${props.title}': uid '${props.uid}' must have 1 to 40 letters, digits, '_' and '-'`);
    }
  }

  /** The file that Grafana reads it from. */
  public get fileName(): string {
    return `${this.uid}.json`;
  }

  public get panels(): Panel[] {
    return this.props.rows.flatMap(({ panels }) => panels);
  }

  /** Every query of every panel, with its place. */
  public queries(): QueryUse[] {
    return this.panels.flatMap((panel) => panel.queries.map((query) => ({ place: `dashboard ${this.uid}: ${panel.title}`, query })));
  }

  public renderConfig(): object {
    const { description, rows, variables = [] } = this.props;
    const datasource = { type: 'prometheus', uid: `\${${DATASOURCE}}` };
    const builder = new DashboardBuilder(this.title)
      .uid(this.uid)
      .description(description)
      .tags(['otlp-stack'])
      .readonly()
      .tooltip(DashboardCursorSync.Crosshair)
      .time({ from: 'now-1h', to: 'now' })
      .timezone('browser')
      .refresh('30s')
      .withVariable(new DatasourceVariableBuilder(DATASOURCE).label('Data source').type('prometheus'));
    for (const { label, title, from } of variables) {
      builder.withVariable(
        new QueryVariableBuilder(label)
          .label(title)
          .datasource(datasource)
          .query(`label_values(${from.print(QueryDialect.GRAFANA)}, ${label})`)
          .refresh(VariableRefresh.OnTimeRangeChanged)
          .sort(VariableSort.AlphabeticalAsc)
          .multi(true)
          .includeAll(true)
          .allValue('.+')
          .current({ selected: true, text: 'All', value: '$__all' }),
      );
    }
    let id = 1;
    for (const row of rows) {
      builder.withRow(new RowBuilder(row.title).id(id++));
      for (const panel of row.panels) {
        builder.withPanel(panel._build(id++, datasource));
      }
    }
    return builder.build();
  }
}
