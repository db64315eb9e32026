// SPDX-License-Identifier: Apache-2.0
// A time as people say it, with the exact one for who points at it.
import { useEffect, useState } from "preact/hooks";
import { now } from "../state/session";
import { day, relative, time } from "../text/format";

function useMinute(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), 30_000);
    return () => window.clearInterval(timer);
  }, []);
}

export function Ago({ at, none = "never" }: { at: string | null | undefined; none?: string }) {
  useMinute();
  if (!at) return <span class="dim">{none}</span>;
  return (
    <time datetime={at} title={time(at)}>
      {relative(at, now())}
    </time>
  );
}

export const DayOf = ({ at }: { at: string | null | undefined }) =>
  at ? (
    <time datetime={at} title={at.length > 10 ? time(at) : undefined}>
      {day(at)}
    </time>
  ) : (
    <span class="dim">–</span>
  );

export const Moment = ({ at }: { at: string | null | undefined }) => (at ? <time datetime={at}>{time(at)}</time> : <span class="dim">–</span>);
