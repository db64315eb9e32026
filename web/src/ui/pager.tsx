// SPDX-License-Identifier: Apache-2.0
// The two buttons below a list that comes in pages. The server says what the next page begins with; the way back
// is remembered here, since it goes only through pages that were seen.
import { Button } from "./button";
import { Icon } from "./icon";

interface PagerProps<At> {
  gone: At[]; // where each page begins that was gone to, the one shown last; empty: the first is shown
  next: At | null; // where the one after it begins; null: it is the last
  turn: (gone: At[]) => void;
  words?: [back: string, on: string];
}

export function Pager<At>({ gone, next, turn, words: [back, on] = ["Newer", "Older"] }: PagerProps<At>) {
  if (gone.length === 0 && next === null) return null;
  return (
    <div class="pager">
      {gone.length > 0 && (
        <Button size="small" icon="left" onClick={() => turn(gone.slice(0, -1))}>
          {back}
        </Button>
      )}
      {next !== null && (
        <Button size="small" onClick={() => turn([...gone, next])}>
          {on}
          <Icon name="right" />
        </Button>
      )}
    </div>
  );
}
