import { Counter, Gauge, type Registry } from 'prom-client';

/** Why an event stream ended. */
export type StreamReason = 'left' | 'refused' | 'unauthenticated' | 'life' | 'drain' | 'failed' | 'moved';

/** What happens to event streams; `field` is a field of Subscription. */
export type StreamFact =
  | { readonly kind: 'opened'; readonly field: string }
  /** `outcome`: ok, partial (with errors), unchanged (not sent), or a code. */
  | { readonly kind: 'event'; readonly field: string; readonly outcome: string }
  | { readonly kind: 'ended'; readonly field: string; readonly reason: StreamReason };

/** Adds the counts of event streams; answers where they are told. */
export function addStreamMetrics(registry: Registry): (fact: StreamFact) => void {
  const registers = [registry];
  const open = new Gauge({
    name: 'mortar_streams_open',
    help: 'Event streams (subscriptions) open now.',
    labelNames: ['field'],
    registers,
  });
  const ended = new Counter({
    name: 'mortar_streams_ended_total',
    help: 'Ended event streams by reason: left, refused, unauthenticated, life, drain, failed, moved.',
    labelNames: ['field', 'reason'],
    registers,
  });
  const events = new Counter({
    name: 'mortar_stream_events_total',
    help: 'Events read for streams by outcome: ok, partial (with errors), unchanged (not sent), or a code.',
    labelNames: ['field', 'outcome'],
    registers,
  });
  return (fact) => {
    const { field } = fact;
    switch (fact.kind) {
      case 'opened':
        open.inc({ field });
        return;
      case 'event':
        events.inc({ field, outcome: fact.outcome });
        return;
      case 'ended':
        open.dec({ field });
        ended.inc({ field, reason: fact.reason });
    }
  };
}
