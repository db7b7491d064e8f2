import { format } from 'node:util';
import cliProgress from 'cli-progress';

/** A moving bar in a terminal, plain lines elsewhere; on standard error, as standard output belongs to the result. */
export class Progress {
  private bar: cliProgress.SingleBar | undefined;
  private plainShown = -1;

  /** One line about what happens now. */
  say(text: string): void {
    process.stderr.write(format('%s\n', text));
  }

  /** @param total spans */
  begin(total: number): void {
    if (process.stderr.isTTY) {
      this.bar = new cliProgress.SingleBar(
        {
          format: '  {bar} {percentage}% delivered, {sent} of {total} sent, {duration_formatted}',
          formatValue: (value, _, type) => (type === 'total' || type === 'value' ? number(value) : String(value)),
          stream: process.stderr,
          hideCursor: true,
        },
        cliProgress.Presets.shades_classic,
      );
      this.bar.start(total, 0, { sent: '0' });
    }
  }

  update(arrived: number, sent: number, total: number): void {
    // The spans of the sample service come on top of the load.
    const delivered = Math.min(arrived, total);
    if (this.bar) {
      this.bar.update(delivered, { sent: number(sent) });
      return;
    }
    // A quarter at a time: a log file is no place for a bar.
    const quarter = Math.floor((delivered * 4) / total);
    if (quarter > this.plainShown) {
      this.plainShown = quarter;
      this.say(`  ${number(delivered)} of ${number(total)} spans delivered, ${number(sent)} sent`);
    }
  }

  /** Removes nothing, so that a log shows how far it came. Safe to call twice. */
  end(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}

/** `100 000`. */
export function number(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}
